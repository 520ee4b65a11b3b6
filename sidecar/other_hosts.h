#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace stash::sidecar {

/// A host of the session beside ours, as the session's status says.
struct OtherHost {
  enum class State {
    awaited,    ///< no pod has taken it
    at_work,    ///< a pod takes its snapshots
    backed_up,  ///< its snapshots are there, whether or not its pod is done
    failed,
  };
  std::string name;
  State state = State::awaited;
  bool told = false;  ///< its pod has told how the snapshots came out; not when the controller failed it
  friend bool operator==(const OtherHost&, const OtherHost&) = default;
};

struct OtherHosts {
  std::vector<OtherHost> named;
  int unnamed = 0;  ///< expected, and not listed yet
  friend bool operator==(const OtherHosts&, const OtherHosts&) = default;
};

/// Of all hosts but `host`.
OtherHosts other_hosts(const Json& session, std::string_view host);

/// The session has no host but one.
bool is_only_host(const Json& session);

}  // namespace stash::sidecar
