#pragma once
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace stash::cli {

/// The command line, decoded. Members are used by the commands that have the flag.
struct Options {
  std::string kubeconfig, context, ns, output = "table";
  bool all_namespaces = false, all = false, wait = true, local = false, others_latest = false;
  std::vector<std::string> names, files, snapshots, paths;
  std::string time, target, name, host, destination = ".", dry_run_mode;
  double timeout_minutes = 60;
  std::string image = "localhost/stash:dev";
};

/// Exit codes of every command.
inline constexpr int kSucceeded = 0, kFailed = 1, kUsage = 2;

/// Adds all subcommands and their flags, with examples in their --help. `options` outlives `app`.
void add_commands(CLI::App& app, Options& options);

/// What is wrong with a command line of these words, and what to do.
std::string usage_error(const CLI::App& app, const CLI::ParseError& problem, const std::vector<std::string>& words);

struct Completion {
  std::vector<std::string> candidates;
  bool files = false;  ///< names of files, which the shell knows
  friend bool operator==(const Completion&, const Completion&) = default;
};

/// What may stand next on a command line of these words, the last of which is being written: subcommands, flags, values
/// of flags and, with `objects` to ask for names of a kind, objects.
Completion completions(const CLI::App& app, const std::vector<std::string>& words,
                       const std::function<std::vector<std::string>(const std::string& kind)>& objects);

/// Which cluster and namespace such words are about: kubeconfig, context and ns are set.
Options place_of(const std::vector<std::string>& words);

}  // namespace stash::cli
