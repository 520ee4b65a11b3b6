#pragma once
#include <chrono>
#include <string>

#include "inject/server_program.h"

namespace stash::webhook {

struct Options : inject::ServerOptions {
  std::string listen = ":8443", cert_secret;
  std::chrono::seconds shutdown_delay{5};
};

/// Reads the command line. Returns false when the program should end with `exit_code`, after help or an error was
/// printed. What depends on the cluster (an empty `ns`) is completed by the caller.
bool parse_options(int argc, char** argv, Options& options, int& exit_code);

}  // namespace stash::webhook
