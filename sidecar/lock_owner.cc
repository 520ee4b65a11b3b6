#include "sidecar/lock_owner.h"

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

}  // namespace stash::sidecar
