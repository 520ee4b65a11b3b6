#include "sidecar/incomplete_retention.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "api/names.h"
#include "base/time.h"

namespace stash::sidecar {

namespace {

using Group = std::pair<std::string, std::vector<std::string>>;

struct Members {
  std::vector<Snapshot> complete, incomplete;
};

TimePoint time_of(const Snapshot& snapshot) { return parse_time(snapshot.time).value_or(TimePoint{}); }

std::string session_tag_of(const Snapshot& snapshot) {
  const auto found = std::ranges::find_if(
      snapshot.tags, [](const std::string& tag) { return tag.starts_with(api::names::kSessionTagPrefix); });
  return found == snapshot.tags.end() ? "" : *found;
}

/// As restic's --keep-tag.
bool is_kept(const Snapshot& snapshot, const std::vector<std::string>& kept_tags) {
  return std::ranges::any_of(kept_tags, [&snapshot](std::string_view wanted) {
    while (!wanted.empty()) {
      const auto comma = std::min(wanted.find(','), wanted.size());
      if (std::ranges::find(snapshot.tags, wanted.substr(0, comma)) == snapshot.tags.end()) return false;
      wanted.remove_prefix(std::min(comma + 1, wanted.size()));
    }
    return true;
  });
}

}  // namespace

IncompleteRetention spare_complete(const std::vector<Snapshot>& all, const std::vector<std::string>& kept_tags) {
  std::map<Group, Members> groups;
  for (const Snapshot& snapshot : all) {
    Group group{snapshot.host, snapshot.paths};
    std::ranges::sort(group.second);
    Members& members = groups[group];
    (is_incomplete(snapshot) ? members.incomplete : members.complete).push_back(snapshot);
  }
  IncompleteRetention retention;
  std::set<std::string> hosts, unprotected;
  for (const auto& [group, members] : groups) {
    hosts.insert(group.first);
    const Snapshot* complete = newest(members.complete);
    if (complete == nullptr) continue;
    bool some_are_newer = false;
    for (const Snapshot& snapshot : members.incomplete) {
      const bool is_newer = time_of(snapshot) > time_of(*complete);
      some_are_newer |= is_newer;
      if (!is_newer && !is_kept(snapshot, kept_tags)) retention.outdated.push_back(snapshot.id);
    }
    if (!some_are_newer) continue;
    const std::string tag = session_tag_of(*complete);
    if (tag.empty()) {
      unprotected.insert(group.first);
    } else {
      retention.keep_tags.push_back(tag);
    }
  }
  retention.unprotected.assign(unprotected.begin(), unprotected.end());
  if (!unprotected.empty()) std::ranges::set_difference(hosts, unprotected, std::back_inserter(retention.others));
  return retention;
}

}  // namespace stash::sidecar
