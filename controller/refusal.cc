#include "controller/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/names.h"
#include "api/quantity.h"
#include "base/text.h"
#include "controller/rollout.h"

namespace stash::controller {
namespace {

/// Trimmed parts.
std::vector<std::string_view> entries_of(std::string_view text, char separator) {
  auto entries = split(text, separator);
  for (std::string_view& entry : entries) entry = trimmed(entry, " ");
  return entries;
}

/// What follows `label` up to the next ", used:" or ", limited:" as {resource: amount}.
std::map<std::string_view, long double> amounts_after(std::string_view sentence, std::string_view label) {
  std::map<std::string_view, long double> amounts;
  const auto begin = sentence.find(label);
  if (begin == std::string_view::npos) return amounts;
  std::string_view list = sentence.substr(begin + label.size());
  for (const std::string_view next : {", used:", ", limited:"}) list = list.substr(0, list.find(next));
  for (const std::string_view entry : entries_of(list, ',')) {
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    if (const auto amount = api::parse_quantity(entry.substr(equals + 1))) amounts[entry.substr(0, equals)] = *amount;
  }
  return amounts;
}

/// The sidecar's part of what a quota counts as "limits.memory", "requests.cpu" or "cpu"; nullopt when the namespace
/// fills it in and the template does not tell.
std::optional<long double> share_of(const Json& sidecar, std::string_view counted) {
  const bool limits = counted.starts_with("limits.");
  const std::string_view resource =
      counted.substr(counted.starts_with("requests.") || limits ? counted.find('.') + 1 : 0);
  constexpr std::string_view of_containers[] = {"cpu", "memory", "ephemeral-storage"};
  if (std::ranges::find(of_containers, resource) == std::end(of_containers)) return 0;
  std::string amount = limits ? "" : string_at(sidecar, {"resources", "requests", resource});
  if (amount.empty()) amount = string_at(sidecar, {"resources", "limits", resource});
  return amount.empty() ? std::nullopt : api::parse_quantity(amount);
}

std::optional<Blame> blame_of_quota(std::string_view sentence, const Json& sidecar) {
  if (!sentence.contains("exceeded quota:")) return std::nullopt;
  const auto requested = amounts_after(sentence, "requested:");
  const auto used = amounts_after(sentence, ", used:");
  const auto limited = amounts_after(sentence, ", limited:");
  if (requested.empty()) return std::nullopt;
  for (const auto& [resource, amount] : requested) {
    const auto share = share_of(sidecar, resource);
    if (!share || !used.contains(resource) || !limited.contains(resource)) return Blame::unclear;
    if (used.at(resource) + amount - *share > limited.at(resource)) return Blame::not_ours;
  }
  return Blame::ours;
}

/// "must specify limits.memory for: stash; requests.cpu for: app,stash"
std::optional<Blame> blame_of_missing_values(std::string_view sentence) {
  constexpr std::string_view label = "must specify ";
  const auto begin = sentence.find(label);
  if (begin == std::string_view::npos) return std::nullopt;
  bool any = false;
  for (const std::string_view part : entries_of(sentence.substr(begin + label.size()), ';')) {
    const auto names = part.find(" for: ");
    if (names == std::string_view::npos) return std::nullopt;
    for (const std::string_view name : entries_of(part.substr(names + 6), ',')) {
      if (name != api::names::kSidecar && name != api::names::kInitContainer) return Blame::not_ours;
      any = true;
    }
  }
  return any ? std::optional(Blame::ours) : std::nullopt;
}

/// Events are counted up: the last time is when it was said again, the first one when it began.
TimePoint time_of(const Json& event, std::initializer_list<std::string_view> fields) {
  for (const std::string_view field : fields) {
    if (const auto time = parse_time(string_at(event, {field}))) return *time;
  }
  return {};
}

}  // namespace

std::optional<Refusal> refusal_of(const Json& workload, const std::vector<Json>& events, TimePoint not_before) {
  if (const Json* failure = replica_failure(workload)) {
    return Refusal{string_at(*failure, {"message"}),
                   parse_time(string_at(*failure, {"lastTransitionTime"})).value_or(TimePoint{})};
  }
  const Json* newest = nullptr;
  TimePoint last = not_before;
  for (const Json& event : events) {
    if (string_at(event, {"reason"}) != "FailedCreate") continue;
    const TimePoint time = time_of(event, {"lastTimestamp", "eventTime"});
    if (time < last) continue;
    newest = &event;
    last = time;
  }
  if (newest == nullptr) return std::nullopt;
  return Refusal{string_at(*newest, {"message"}), time_of(*newest, {"firstTimestamp", "eventTime"})};
}

std::string cut(const std::string& sentence) {
  constexpr std::size_t kLongest = 600;
  if (sentence.size() <= kLongest) return sentence;
  return fmt::format("{}...", first_bytes(sentence, kLongest));
}

Blame blame_for(const std::string& sentence, const Json& sidecar) {
  if (const auto blame = blame_of_quota(sentence, sidecar)) return *blame;
  return blame_of_missing_values(sentence).value_or(Blame::unclear);
}

}  // namespace stash::controller
