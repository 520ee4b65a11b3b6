#include "sidecar/other_hosts.h"

#include <algorithm>

namespace stash::sidecar {

namespace {

using State = OtherHost::State;

State state_of(const Json& entry, const Json* mark) {
  const std::string phase = string_at(entry, {"phase"});
  if (phase == "Succeeded") return State::backed_up;
  if (phase == "Failed") return State::failed;
  if (phase != "Running") return State::awaited;
  if (mark == nullptr || !mark->is_boolean()) return State::at_work;
  return mark->get<bool>() ? State::backed_up : State::failed;
}

}  // namespace

OtherHosts other_hosts(const Json& session, std::string_view host) {
  OtherHosts others;
  const Json& stats = array_at(session, {"status", "stats"});
  const auto listed = static_cast<std::int64_t>(stats.size());
  const auto expected = int_at(session, {"status", "totalHosts"}, listed);
  others.unnamed = static_cast<int>(std::clamp<std::int64_t>(expected - listed, 0, 1'000'000));
  for (const Json& entry : stats) {
    std::string name = string_at(entry, {"hostname"});
    if (name == host) continue;
    const Json* mark = at(entry, {"backedUp"});
    others.named.push_back({std::move(name), state_of(entry, mark), mark != nullptr});
  }
  return others;
}

bool is_only_host(const Json& session) {
  const Json& stats = array_at(session, {"status", "stats"});
  return stats.size() <= 1 && int_at(session, {"status", "totalHosts"}, 1) <= 1;
}

}  // namespace stash::sidecar
