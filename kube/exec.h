#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "api/resource.h"
#include "kube/config.h"
#include "kube/exec_outcome.h"

namespace stash::kube {

struct ExecRequest {
  api::ObjectRef pod;
  std::string container;
  std::vector<std::string> command;           ///< no shell is put around it
  std::chrono::milliseconds timeout{30'000};  ///< from connecting to the end of the program
  friend bool operator==(const ExecRequest&, const ExecRequest&) = default;
};

/// Runs a program in a container by the API server's pods/exec, over a WebSocket of its own, and waits for its end.
/// Any thread; blocks until then. `cancelled` is asked at least five times a second. What the program writes is read
/// and, but for its end, thrown away. An exit code that is not 0 is no error here.
///
/// Errors: unreachable (nothing was run: no connection, TLS, 5xx), denied, not_found, throttled, invalid (as of
/// kube::Api, or the container or the program does not exist), timed_out (it may have run, and may go on running:
/// Kubernetes has no call that ends it), cancelled (the same).
/// https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
Result<ExecOutcome> run_in_container(const Config& config, const ExecRequest& request,
                                     const std::function<bool()>& cancelled);

}  // namespace stash::kube
