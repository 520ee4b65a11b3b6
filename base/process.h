#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stash {

struct ProcessSpec {
  std::vector<std::string> argv;                         ///< argv[0] is looked up in PATH; never a shell
  std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment of the child
  std::string working_directory;
  /// When set, the child can write at and below these paths and nowhere else, where that is possible (confinement.h).
  std::optional<std::vector<std::string>> writable{};
  std::chrono::milliseconds tick{1000};     ///< how often `on_tick` is asked
  std::chrono::milliseconds grace{20'000};  ///< between stop_signal and SIGKILL to the process group
  /// SIGTERM unless said. restic 0.14 removes its lock only on SIGINT; SIGTERM ends it at once and the lock stays.
  int stop_signal = 15;
  std::size_t max_line = 1u << 20;                      ///< a longer line is cut there, the rest dropped
  std::size_t max_stderr = 64u << 10;                   ///< how much of the end of standard error is kept
  std::function<void(std::string_view)> on_error_line;  ///< gets each line of standard error as it comes, when set
  std::string input;                                    ///< standard input; "" for none
  /// Descriptors of ours that the child gets as standard input and output instead; ours stay open. With `output_fd`
  /// there are no lines to hear.
  int input_fd = -1, output_fd = -1;
  /// When set, gets standard output in the pieces in which it comes, and `on_line` gets nothing.
  std::function<void(std::string_view)> on_output;
};

struct ProcessExit {
  int exit_code = 0;           ///< 128 + signal when it was ended by one
  bool stopped_by_us = false;  ///< on_tick asked for it
  bool confined = false;       ///< to `writable`
  std::string stderr_tail;
};

/// Runs a child in a process group of its own and blocks until it and all its pipes are done, on this one thread.
/// `on_line` gets each line of standard output without its end; `on_tick` is asked every `tick` whether to go on:
/// false sends stop_signal to the group, SIGKILL after `grace`. The child does not outlive us (PR_SET_PDEATHSIG), and
/// what is left of its group when it has exited gets SIGKILL; pipes that a grandchild keeps open are waited for at most
/// 2 s. Errors: not_found (no such program or directory), denied (not executable), invalid (no argv), unreachable
/// (fork, pipes). A non-zero exit is no error here.
Result<ProcessExit> run_process(const ProcessSpec& spec, const std::function<void(std::string_view)>& on_line,
                                const std::function<bool()>& on_tick);

/// SIGTERM and SIGINT set a flag that `stop_requested` reads, SIGHUP is ignored; call once, early in main.
void catch_stop_signals();
bool stop_requested();

}  // namespace stash
