#pragma once
#include <chrono>
#include <string>

#include "base/log.h"
#include "inject/settings.h"

namespace stash::webhook {

struct Options {
  inject::Settings settings;
  std::string ns, kubeconfig;
  std::string listen = ":8443", health_address = ":8081", cert_secret;
  std::chrono::seconds shutdown_delay{5};
  LogLevel log_level = LogLevel::info;
};

/// Reads the command line. Returns false when the program should end with `exit_code`, after help or an error was
/// printed. What depends on the cluster (an empty `ns`) is completed by the caller.
bool parse_options(int argc, char** argv, Options& options, int& exit_code);

}  // namespace stash::webhook
