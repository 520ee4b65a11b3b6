#include "controller/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/codec.h"
#include "base/hash.h"
#include "controller/invoker_labels.h"

namespace stash::controller {
namespace {

constexpr std::string_view kSuffix = "-retry-";
constexpr std::size_t kMaxName = 63;

/// The number in "name-retry-2", and where the suffix begins.
std::pair<int, std::size_t> repetition(std::string_view name) {
  const auto suffix = name.rfind(kSuffix);
  if (suffix == std::string_view::npos) return {0, name.size()};
  const std::string_view digits = name.substr(suffix + kSuffix.size());
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() || number < 1) return {0, name.size()};
  return {number, suffix};
}

}  // namespace

int retries_left(const api::BackupSession& session, const api::BackupConfiguration& configuration) {
  const auto& config = configuration.spec.retry_config;
  if (!config) return 0;
  return std::clamp(session.spec.retry_left.value_or(config->max_retry), 0, std::max(0, config->max_retry));
}

std::optional<TimePoint> next_retry(const api::BackupSession& session, const api::BackupConfiguration& configuration,
                                    TimePoint now) {
  if (retries_left(session, configuration) == 0 || configuration.spec.paused) return std::nullopt;
  const auto delay = parse_duration(configuration.spec.retry_config->delay);
  return now + std::chrono::duration_cast<std::chrono::seconds>(delay.value_or(Nanoseconds(0)));
}

std::string retry_name(const api::BackupSession& session) {
  // A name that only looks like a repetition is taken as it is.
  const auto [number, end] =
      session.spec.retry_left ? repetition(session.metadata.name) : std::pair(0, session.metadata.name.size());
  const std::string suffix = fmt::format("{}{}", kSuffix, number + 1);
  return shorten_name(session.metadata.name.substr(0, end), kMaxName - suffix.size()) + suffix;
}

Json retry_of(const api::BackupSession& session, const api::BackupConfiguration& configuration) {
  api::BackupSession retry;
  retry.metadata.name = retry_name(session);
  retry.metadata.ns = session.metadata.ns;
  retry.metadata.labels = configuration.metadata.labels;
  api::set_configuration(retry, configuration.metadata.name);
  for (const auto& [key, value] : invoker_labels(configuration.metadata.name)) retry.metadata.labels[key] = value;
  retry.spec.retry_left = retries_left(session, configuration) - 1;
  Json json = api::encode(retry);
  json["metadata"]["ownerReferences"] =
      Json::array({owner_reference(api::kBackupConfigurations, configuration.metadata)});
  return json;
}

}  // namespace stash::controller
