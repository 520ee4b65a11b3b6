#pragma once
#include <string>

#include "base/log.h"
#include "controller/limits.h"
#include "inject/settings.h"

namespace stash::controller {

struct Options {
  inject::Settings settings;
  Limits limits;
  std::string ns, kubeconfig;
  std::string health_address = ":8081";
  std::string lease = "stash-controller";
  std::string cert_secret, webhook_service, webhook_configuration, validating_configuration;
  bool dry_run = false;
  LogLevel log_level = LogLevel::info;
};

/// Reads the command line. Returns false when the program should end with `exit_code`, after help or an error was
/// printed. What depends on the cluster (an empty `ns`) is completed by the caller.
bool parse_options(int argc, char** argv, Options& options, int& exit_code);

}  // namespace stash::controller
