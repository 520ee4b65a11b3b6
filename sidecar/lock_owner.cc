#include "sidecar/lock_owner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace stash::sidecar {

namespace {

constexpr std::size_t kShortestId = 8;

/// What lies between `begin` and `end`, and moves `text` behind it. nullopt when one of them is missing.
std::optional<std::string> take(std::string_view& text, std::string_view begin, std::string_view end) {
  const auto from = text.find(begin);
  if (from == std::string_view::npos) return std::nullopt;
  const auto rest = text.substr(from + begin.size());
  const auto length = rest.find(end);
  if (length == std::string_view::npos) return std::nullopt;
  text = rest.substr(length);
  return std::string(rest.substr(0, length));
}

}  // namespace

std::optional<LockOwner> parse_lock_owner(std::string_view standard_error) {
  const auto last = standard_error.rfind("repository is already locked");
  if (last == std::string_view::npos) return std::nullopt;
  std::string_view text = standard_error.substr(last);
  const auto pid = take(text, " by PID ", " on ");
  const auto host = take(text, " on ", " by ");
  const auto user = take(text, " by ", " (UID ");
  constexpr std::string_view kId = "storage ID ";
  const auto id = text.find(kId);
  if (!pid || !host || !user || id == std::string_view::npos) return std::nullopt;

  LockOwner owner{0, *host, *user, ""};
  const auto [end, error] = std::from_chars(pid->data(), pid->data() + pid->size(), owner.pid);
  if (error != std::errc{} || end != pid->data() + pid->size()) return std::nullopt;
  const auto digits = text.substr(id + kId.size());
  const auto* const behind =
      std::ranges::find_if_not(digits, [](unsigned char c) { return std::isdigit(c) != 0 || (c >= 'a' && c <= 'f'); });
  owner.lock = std::string(digits.begin(), behind);
  if (owner.lock.size() < kShortestId) return std::nullopt;
  return owner;
}

void add_lost_pods(DeadOwners& dead, const Json& session) {
  for (const Json& pod : array_at(session, {"status", "lostPods"})) {
    if (std::string uid = string_at(pod, {"podUID"}); !uid.empty()) dead.users.insert(std::move(uid));
    if (std::string name = string_at(pod, {"podName"}); !name.empty()) dead.hosts.insert(std::move(name));
  }
}

bool is_dead(const LockOwner& owner, const DeadOwners& dead) {
  return dead.users.contains(owner.user) || dead.hosts.contains(owner.host);
}

std::optional<std::string> clock_doubt(std::optional<Nanoseconds> skew) {
  // restic's half hour less the five minutes between two signs of life is far more than this.
  constexpr std::chrono::minutes kAgreement{2};
  if (!skew)
    return "the age of locks cannot be told: the API server has told no time to compare this node's clock with";
  if (std::chrono::abs(*skew) <= kAgreement) return std::nullopt;
  return fmt::format(
      "the age of locks cannot be told: this node's clock is {} s {} the API server's; set the node's clock",
      std::chrono::round<std::chrono::seconds>(std::chrono::abs(*skew)).count(),
      *skew > Nanoseconds{0} ? "ahead of" : "behind");
}

Nanoseconds skew_since(TimePoint server_time, TimePoint now) {
  // restic's half hour less the five minutes between two signs of life is 25.
  constexpr std::chrono::minutes kHarmless{20};
  const Nanoseconds difference = now - server_time;
  return difference >= Nanoseconds{0} && difference < kHarmless ? Nanoseconds{0} : difference;
}

Result<RepositoryLock> parse_lock(std::string_view id, std::string_view output) {
  const auto json = parse_json(output);
  if (!json || !json->is_object()) return fail(ErrorCode::invalid, fmt::format("the lock {} cannot be read", id));
  RepositoryLock lock;
  lock.owner = {static_cast<int>(int_at(*json, {"pid"})), string_at(*json, {"hostname"}),
                string_at(*json, {"username"}), std::string(id)};
  TRY(lock.time, with_context(parse_time(string_at(*json, {"time"})), fmt::format("the lock {}", id)));
  lock.exclusive = bool_at(*json, {"exclusive"});
  return lock;
}

std::string why_left(const RepositoryLock& lock, std::string_view host_name, bool name_is_unique, TimePoint now) {
  // https://restic.readthedocs.io/en/stable/manual_rest.html: refreshed every 5 minutes, stale after 30.
  constexpr std::chrono::minutes kStale{30}, kRefreshed{5};
  const auto old = now - lock.time;
  if (!name_is_unique) {
    return fmt::format(
        "nothing is removed from a pod that is called {}: another pod of that name may hold a lock that "
        "lives. Run `restic unlock` where the host name is nobody else's, or wait",
        host_name);
  }
  if (lock.owner.host == host_name) return "its restic runs in this pod now";
  if (old < kRefreshed) return "it is fresh: a restic of that host works now";
  if (old < kStale) {
    return fmt::format("its owner may be gone; if so, restic removes it from {} on", format_time(lock.time + kStale));
  }
  return "it is old, yet restic did not remove it: is the repository writable?";
}

}  // namespace stash::sidecar
