#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cli/commands.h"
#include "cli/sidecar_call.h"
#include "cli/terminal.h"

namespace stash::cli {

namespace {

/// `tar` in a thread of its own, for kubectl writes what it reads.
class Unpacking {
 public:
  Unpacking(std::string directory, int read_end) {
    thread_ = std::jthread([this, directory = std::move(directory), read_end] {
      ProcessSpec spec;
      // Owners and modes of the backup are of no use to whoever looks at files here; paths never leave the directory.
      spec.argv = {"tar", "-x", "-f", "-", "-C", directory, "--no-same-owner"};
      for (const char* name : {"PATH", "HOME", "LANG"}) {
        if (const char* value = std::getenv(name)) spec.env.emplace_back(name, value);
      }
      spec.input_fd = read_end;
      ended_ = run_process(spec, [](std::string_view) {}, [] { return !stop_requested(); });
      ::close(read_end);
    });
  }
  /// "" when all was unpacked.
  std::string problem() {
    thread_.join();
    if (!ended_) return ended_.error().message;
    return ended_->exit_code == 0 ? "" : fmt::format("tar: {}", ended_->stderr_tail);
  }

 private:
  std::jthread thread_;
  Result<ProcessExit> ended_ = ProcessExit{};
};

Result<void> fetch(Kubectl& kubectl, const std::string& ns, const std::string& repository, const std::string& snapshot,
                   const std::string& path, const std::string& destination) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::unreachable, "no pipe to be had");
  Unpacking unpacking(destination, ends[0]);
  const auto sent =
      ask_sidecar_into(kubectl, ns, repository, "dump", {"--snapshot=" + snapshot, "--path=" + path}, ends[1]);
  ::close(ends[1]);
  const std::string problem = unpacking.problem();
  if (!sent) return std::unexpected(sent.error());
  if (!problem.empty()) return fail(ErrorCode::invalid, problem);
  return {};
}

}  // namespace

Result<int> download(Kubectl& kubectl, const Options& options) {
  const std::string &repository = options.names.front(), &wanted = options.snapshots.front();
  TRY(const std::string ns, kubectl.ns());
  TRY(const auto snapshots, ask_for_snapshots(kubectl, ns, repository));
  TRY(const auto found, find_snapshot(wanted, snapshots));
  if (!found) {
    return fail(ErrorCode::not_found,
                fmt::format("Repository {}/{} has no snapshot {}; kubectl stash snapshots {} -n {} lists all", ns,
                            repository, wanted, repository, ns));
  }
  std::error_code problem;
  std::filesystem::create_directories(options.destination, problem);
  if (problem) return fail(ErrorCode::invalid, fmt::format("creating {}: {}", options.destination, problem.message()));
  for (const std::string& path : options.paths.empty() ? found->paths : options.paths) {
    TRY_VOID(with_context(fetch(kubectl, ns, repository, found->id, path, options.destination), path));
    print(fmt::format("{} of snapshot {} ({}, host {}) is in {}\n", path, found->id, format_time(found->time),
                      found->host, options.destination));
  }
  return kSucceeded;
}

}  // namespace stash::cli
