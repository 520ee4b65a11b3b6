#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "base/core_dumps.h"
#include "base/process.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace {

using namespace stash;       // NOLINT(google-build-using-namespace): the program's own
using namespace stash::cli;  // NOLINT(google-build-using-namespace)

std::vector<std::pair<std::string, std::string>> own_environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto end = text.find('=');
    if (end != std::string_view::npos) variables.emplace_back(text.substr(0, end), text.substr(end + 1));
  }
  return variables;
}

Kubectl kubectl_for(const Options& options) {
  return Kubectl({.program = "kubectl",
                  .kubeconfig = options.kubeconfig,
                  .context = options.context,
                  .ns = options.ns,
                  .env = own_environment()});
}

/// kubectl runs `kubectl_complete-stash WORDS...` and reads candidates, then a directive: 4 is "no file names",
/// with 0 the shell offers file names when there are no candidates.
constexpr std::string_view kCompletionScript =
    "#!/bin/sh\n"
    "# kubectl 1.26 and newer run this for `kubectl stash <TAB>` when it is in PATH and executable.\n"
    "exec kubectl stash __complete \"$@\"\n";

int complete(const CLI::App& app, const std::vector<std::string>& words) {
  const auto names = [&](const std::string& kind) {
    Kubectl kubectl = kubectl_for(place_of(words));
    std::vector<std::string> found;
    const auto ns = kind == "namespaces" ? Result<std::string>("") : kubectl.ns();
    const auto list = ns ? kubectl.list(kind, *ns) : Result<Json>(Json::array());
    if (!list) return found;
    for (const Json& object : *list) found.push_back(string_at(object, {"metadata", "name"}));
    return found;
  };
  const Completion found = completions(app, words, names);
  for (const std::string& candidate : found.candidates) print(candidate + "\n");
  print(found.files ? ":0\n" : ":4\n");
  return kSucceeded;
}

Result<int> run(const std::string& command, Kubectl& kubectl, const Options& options) {
  if (command == "status") return show_status(kubectl, options);
  if (command == "trigger") return trigger(kubectl, options);
  if (command == "pause") return set_paused(kubectl, options, true);
  if (command == "resume") return set_paused(kubectl, options, false);
  if (command == "snapshots") return list_snapshots(kubectl, options);
  if (command == "restore") return restore(kubectl, options);
  if (command == "download") return download(kubectl, options);
  if (command == "unlock") return unlock(kubectl, options);
  if (command == "preview") return show_preview(kubectl, options);
  if (command == "doctor") return run_doctor(kubectl, options);
  return show_migration(kubectl, options);
}

}  // namespace

int main(int argc, char** argv) {
  catch_stop_signals();
  forbid_core_dumps();
  std::signal(SIGPIPE, SIG_DFL);  // `kubectl stash status | head` just ends
  Options options;
  CLI::App app("kubectl stash: backups of workloads with Stash", "kubectl stash");
  app.set_version_flag("--version", std::string(version()), "Print the version of this plugin");
  add_commands(app, options);
  // Words to complete are not to be parsed: the last one is half a word.
  if (argc >= 2 && std::string_view(argv[1]) == "__complete") return complete(app, {argv + 2, argv + argc});
  if (argc < 2) {
    complain("which command?\n\n" + app.help());
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return app.exit(problem);  // --help
    complain(usage_error(app, problem, {argv + 1, argv + argc}));
    return kUsage;
  }
  const std::string command = app.get_subcommands().front()->get_name();
  if (command == "completion") {
    print(kCompletionScript);
    return kSucceeded;
  }
  Kubectl kubectl = kubectl_for(options);
  const auto code = run(command, kubectl, options);
  if (code) return *code;
  if (stop_requested()) return kFailed;
  if (const auto misused = misuse_of(code.error())) {
    complain(fmt::format("{}; see: kubectl stash {} --help", *misused, command));
    return kUsage;
  }
  complain(code.error().message);
  return kFailed;
}
