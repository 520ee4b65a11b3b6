#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "base/http.h"

namespace stash::kube {

/// How to reach and authenticate at one API server. A value: copy it into each thread's Api.
struct Config {
  std::string server;  ///< "https://10.96.0.1:443", no trailing slash
  TlsTrust trust;
  std::string token;       ///< static bearer token, or
  std::string token_file;  ///< a file that is read again at least every 60 s (projected tokens rotate)
  std::string ns = "default";
  /// Told of each request of an Api once it is over, a watch when it ends: its verb ("get", "list", "watch", "create",
  /// "patch", "apply", "delete", "evict") and the HTTP status, or the name of the ErrorCode when there was no whole
  /// answer. Called on the threads of all that use a copy of this; must be quick.
  std::function<void(std::string_view verb, std::string_view code)> on_call;
};

/// From the pod: KUBERNETES_SERVICE_HOST/PORT and the service account directory (`directory` for tests and for the
/// sidecar, whose token is a projected volume). Error not_found when not in a pod.
/// https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
Result<Config> in_cluster_config(const std::string& directory = "/var/run/secrets/kubernetes.io/serviceaccount");

/// From a kubeconfig file: current context, certificate authority, client certificate or token, as file or data.
/// Exec plugins are refused by name. Error invalid with the path inside the file.
Result<Config> kubeconfig(const std::string& path);

/// `path` if not empty, else $KUBECONFIG if set, else the pod's.
Result<Config> load_config(const std::string& path);

}  // namespace stash::kube
