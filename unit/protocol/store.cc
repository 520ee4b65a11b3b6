#include "unit/protocol/store.h"

#include <fmt/format.h>

#include <utility>

namespace stash::test {

void Store::put(Json next) {
  Json& version = next["metadata"]["resourceVersion"];
  version = std::to_string(std::stoi(version.get<std::string>()) + 1);
  earlier.push_back(std::exchange(now, std::make_shared<const Json>(std::move(next))));
  if (earlier.size() > 4) earlier.pop_front();
}

std::shared_ptr<const Json> Store::old_copy(Dice& dice) const {
  const auto back = static_cast<std::size_t>(dice.pick(static_cast<int>(earlier.size()) + 1));
  return back == 0 ? now : earlier[earlier.size() - back];
}

bool Store::json_patch(const Json& operations, const std::string& uid) {
  Json next;
  try {
    next = session().patch(operations);
  } catch (const Json::exception&) {
    return false;  // a test that fails, or a place that is not there
  }
  if (string_at(session(), {"status", "phase"}) == "Succeeded" || string_at(session(), {"status", "phase"}) == "Failed")
    throw Broken{"a pod has written into a session that was final: " + dump_json(operations)};
  const Json &before = array_at(session(), {"status", "stats"}), &after = array_at(next, {"status", "stats"});
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    const std::string phase = string_at(before[i], {"phase"}), holder = string_at(before[i], {"claim", "podUID"});
    if (phase == "Running" && holder != uid)
      throw Broken{fmt::format("{} has written into the host that {} holds", uid, holder)};
    if (phase == "Succeeded" || phase == "Failed") throw Broken{uid + " has written into a host that had ended"};
  }
  put(std::move(next));
  return true;
}

}  // namespace stash::test
