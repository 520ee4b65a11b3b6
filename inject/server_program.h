#pragma once
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "inject/settings.h"

namespace CLI {
class App;
}

/// jemalloc, where it is linked, looks for this name (docs/decisions/0042). Each program says what suits it, in
/// main.cc.
extern "C" const char* malloc_conf;

/// What stash-webhook and stash-controller have in common. They decide with the same settings, and must: where they
/// differ, the controller sees an injection missing that the webhook will never make.
namespace stash::inject {

struct ServerOptions {
  Settings settings;
  std::string ns, kubeconfig;
  std::string health_address = ":8081";
  LogLevel log_level = LogLevel::info;
};

/// Adds the flags of both programs. `app` must not outlive `options`.
void add_server_options(CLI::App& app, ServerOptions& options);

/// Reads the command line. Returns false when the program should end with `exit_code`, after help or an error was
/// printed.
bool parse_command_line(CLI::App& app, int argc, char** argv, int& exit_code);

/// Fills in what depends on the cluster: an empty namespace, and the namespaces that are never injected: the cluster's
/// own plus ours, for nobody must meddle with what he needs to run himself.
void complete(ServerOptions& options, const std::string& cluster_namespace);

/// Signals and core dumps, before anything else. Once, from main.
void prepare_process();

/// The whole of main: prepares, parses, runs, and logs the error that ended it.
template <class Options>
int run_server_program(int argc, char** argv, bool (*parse)(int, char**, Options&, int&),
                       Result<void> (*run)(Options)) {
  prepare_process();
  Options options;
  int exit_code = 0;
  if (!parse(argc, argv, options, exit_code)) return exit_code;
  set_log_level(options.log_level);
  const auto result = run(std::move(options));
  if (result) return 0;
  log_error("{}", result.error().message);
  return 1;
}

}  // namespace stash::inject
