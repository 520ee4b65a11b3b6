#include "sidecar/upkeep.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace stash::sidecar {

namespace {

using State = OtherHost::State;

bool is_done(const OtherHost& other) { return other.state == State::backed_up || other.state == State::failed; }

/// A pod has come for it, and looks at the others after us.
bool comes_after_us(const OtherHost& other, const Upkeep& upkeep) {
  if (other.state == State::at_work) return true;
  if (other.state == State::awaited || upkeep.done.contains(other.name)) return false;
  // One that failed without telling could not have done the upkeep.
  return other.state == State::backed_up || other.told;
}

}  // namespace

void note_others(Upkeep& upkeep, const std::optional<OtherHosts>& others) {
  ++upkeep.looks;
  if (!others) {
    upkeep.turn = Upkeep::Turn::ours;
    upkeep.alone = true;
    return;
  }
  upkeep.others = *others;
  if (upkeep.looks == 1) {
    for (const OtherHost& other : others->named) {
      if (is_done(other)) upkeep.done.insert(other.name);
    }
  }
  const auto after_us = [&upkeep](const OtherHost& other) { return comes_after_us(other, upkeep); };
  if (std::ranges::any_of(others->named, after_us)) {
    upkeep.turn = Upkeep::Turn::others;
  } else if ((std::ranges::all_of(others->named, is_done) && others->unnamed == 0) || upkeep.looks >= kUpkeepLooks) {
    upkeep.turn = Upkeep::Turn::ours;
  }
}

bool any_backed_up(const Upkeep& upkeep, bool ours) {
  return ours ||
         std::ranges::find(upkeep.others.named, State::backed_up, &OtherHost::state) != upkeep.others.named.end();
}

std::optional<std::vector<std::string>> hosts_to_forget(const Upkeep& upkeep, const std::string& host, bool backed_up) {
  std::vector<std::string> hosts;
  if (backed_up) hosts.push_back(host);
  for (const OtherHost& other : upkeep.others.named) {
    if (other.state == State::backed_up) hosts.push_back(other.name);
  }
  if (hosts.size() == upkeep.others.named.size() + 1 && upkeep.others.unnamed == 0) return std::nullopt;
  std::ranges::sort(hosts);
  return hosts;
}

std::string hosts_left_alone(const Upkeep& upkeep, const std::string& host, bool backed_up) {
  std::vector<std::string> failed, missing;
  if (!backed_up) failed.push_back(host);
  for (const OtherHost& other : upkeep.others.named) {
    if (other.state == State::failed) failed.push_back(other.name);
    if (other.state == State::awaited) missing.push_back(other.name);
  }
  std::string text;
  if (!failed.empty()) text = fmt::format("the backup of {} failed", first_of(std::move(failed), ", "));
  const auto unnamed = static_cast<std::size_t>(std::max(0, upkeep.others.unnamed));
  if (!missing.empty() || unnamed > 0) {
    text +=
        fmt::format("{}no pod has taken {}", text.empty() ? "" : ", and ", first_of(std::move(missing), ", ", unnamed));
  }
  return text;
}

}  // namespace stash::sidecar
