#include "controller/news.h"

#include <utility>

#include "controller/hosts.h"

namespace stash::controller {
namespace {

/// With labels, owners and finalizers.
bool has_same_metadata(const Json& before, const Json& after) {
  const Json& was = object_at(before, {"metadata"});
  const Json& is = object_at(after, {"metadata"});
  if (was.size() != is.size()) return false;
  for (const auto& [key, value] : is.items()) {
    const auto old = was.find(key);
    if (old == was.end() || (key != "resourceVersion" && *old != value)) return false;
  }
  return true;
}

bool has_same_value(const Json& before, const Json& after, std::initializer_list<std::string_view> path) {
  const Json *was = at(before, path), *is = at(after, path);
  return was == nullptr || is == nullptr ? was == is : *was == *is;
}

/// A result, what is asked of the controller, or what came of that; of each host that has any of these.
std::vector<std::pair<std::string, Json>> told_by_hosts(const Json& session) {
  std::vector<std::pair<std::string, Json>> told;
  for (const Json& host : array_at(session, {"status", "stats"})) {
    std::string phase = string_at(host, {"phase"});
    if (phase != kHostSucceeded && phase != kHostFailed) phase.clear();
    const Json& hook = object_at(host, {"hook"});
    if (!phase.empty() || !hook.empty()) told.emplace_back(std::move(phase), hook);
  }
  return told;
}

}  // namespace

bool same_but_for_status(const Json& before, const Json& after) {
  const auto same = [&](std::initializer_list<std::string_view> path) {
    return string_at(before, path) == string_at(after, path);
  };
  return int_at(before, {"metadata", "generation"}) == int_at(after, {"metadata", "generation"}) &&
         same({"metadata", "uid"}) && same({"metadata", "deletionTimestamp"}) &&
         object_at(before, {"metadata", "annotations"}) == object_at(after, {"metadata", "annotations"});
}

bool have_hosts_told(const Json& before, const Json& after) { return told_by_hosts(before) != told_by_hosts(after); }

bool is_news_of_session(const Json& before, const Json& after) {
  return !same_but_for_status(before, after) || have_hosts_told(before, after);
}

bool is_news_of_repository(const Json& before, const Json& after) {
  // Of one that goes, whoever deletes it waits.
  return at(after, {"metadata", "deletionTimestamp"}) != nullptr || !has_same_metadata(before, after) ||
         !has_same_value(before, after, {"status", "conditions"});
}

bool is_news_of_configuration(const Json& before, const Json& after) {
  return !has_same_metadata(before, after) || !has_same_value(before, after, {"status", "withdrawal"});
}

std::vector<std::string> working_pods(const Json& object) {
  std::vector<std::string> pods;
  for (const Json& host : array_at(object, {"status", "stats"})) {
    std::string pod = string_at(host, {"claim", "podUID"});
    if (!pod.empty() && string_at(host, {"phase"}) == kHostRunning) pods.push_back(std::move(pod));
  }
  return pods;
}

}  // namespace stash::controller
