#pragma once
#include <string>
#include <vector>

#include "inject/resources.h"

namespace stash::inject {

/// What the administrator decided, the same for all workloads; from the programs' flags.
struct Settings {
  std::string image;            ///< of sidecar, init container and CronJob pods
  std::string pushgateway_url;  ///< "http://stash-operator.stash.svc:56789"; "" turns metrics off
  std::vector<std::string> image_pull_secrets;
  DefaultResources resources;                    ///< of containers whose BackupConfiguration names none
  bool opt_in = true;                            ///< false: every namespace but those labelled injection=disabled
  std::vector<std::string> excluded_namespaces;  ///< never injected: kube-system, our own
  std::vector<std::string> allowed_host_paths;   ///< where on a node a Repository may be, and below; none by default
  bool exec_hooks = true;        ///< false: the controller may run nothing in containers, so exec hooks are refused
  std::string operator_account;  ///< user name of the controller, which makes Repositories from BackupBlueprints
  bool upgrade_at_once = false;  ///< the controller restarts workloads for a new image; else it waits (ADR 0041)
};

/// Does a namespace with these labels want injection? Mirrors the webhook's namespaceSelector.
bool namespace_wants_injection(const Settings& settings, const std::string& ns, const Json& namespace_labels);

}  // namespace stash::inject
