#include "sidecar/incomplete_retention.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
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

}  // namespace

IncompleteRetention spare_complete(const std::vector<Snapshot>& all) {
  std::map<Group, Members> groups;
  for (const Snapshot& snapshot : all) {
    Group group{snapshot.host, snapshot.paths};
    std::ranges::sort(group.second);
    Members& members = groups[group];
    (is_incomplete(snapshot) ? members.incomplete : members.complete).push_back(snapshot);
  }
  IncompleteRetention retention;
  for (const auto& [group, members] : groups) {
    const Snapshot* complete = newest(members.complete);
    if (complete == nullptr) continue;
    bool some_are_newer = false;
    for (const Snapshot& snapshot : members.incomplete) {
      const bool is_newer = time_of(snapshot) > time_of(*complete);
      some_are_newer |= is_newer;
      if (!is_newer) retention.outdated.push_back(snapshot.id);
    }
    if (!some_are_newer) continue;
    const std::string tag = session_tag_of(*complete);
    if (tag.empty()) {
      retention.unprotected = fmt::format("{}: {}", group.first, fmt::join(group.second, ", "));
    } else {
      retention.keep_tags.push_back(tag);
    }
  }
  return retention;
}

}  // namespace stash::sidecar
