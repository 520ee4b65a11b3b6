#pragma once
#include <string>

#include "controller/job_pod.h"
#include "controller/limits.h"
#include "inject/server_program.h"

namespace stash::controller {

struct Options : inject::ServerOptions {
  Limits limits;
  JobResources job_resources;
  std::string lease = "stash-controller";
  std::string cert_secret, webhook_service, webhook_configuration, validating_configuration;
  bool dry_run = false;
};

/// Reads the command line. Returns false when the program should end with `exit_code`, after help or an error was
/// printed. What depends on the cluster (an empty `ns`) is completed by the caller.
bool parse_options(int argc, char** argv, Options& options, int& exit_code);

}  // namespace stash::controller
