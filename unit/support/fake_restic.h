#pragma once
#include <map>
#include <string>
#include <vector>

#include "sidecar/restic.h"
#include "unit/support/temporary_directory.h"

namespace stash::test {

/// What restic prints and how it ends, once. `before` is a line of shell run first.
struct ResticAnswer {
  int exit_code = 0;
  std::string output, standard_error;
  std::string before;
};

/// An executable that plays restic: for each subcommand it gives the scripted answers in order, and exit code 99 when
/// there is none left. `version` says 0.14.0 as often as it is asked, and the list of
/// incomplete snapshots is empty unless it is scripted, as "incomplete". It notes arguments and environment of each
/// call.
class FakeRestic {
 public:
  FakeRestic();

  FakeRestic& version(const std::string& line);
  FakeRestic& on(const std::string& subcommand, ResticAnswer answer);
  /// Runs until it is stopped; SIGINT ends it with 130, as restic does.
  FakeRestic& hang(const std::string& subcommand);

  /// Secret, temporary directories and this executable; waits of milliseconds.
  sidecar::ResticPlace place() const;
  void write_secret(const std::string& key, const std::string& value);

  struct Call {
    std::string subcommand;
    std::vector<std::string> arguments;  ///< all of them, with the flags before the subcommand
    std::map<std::string, std::string> environment;
  };
  /// So far, without those of `version`.
  std::vector<Call> calls() const;
  std::vector<std::string> subcommands() const;

 private:
  TemporaryDirectory directory_;
  std::map<std::string, int> answers_;
};

// Recorded from restic 0.14.0.
std::string summary_line(const std::string& snapshot = "c4aff7e4", int files = 6);
inline constexpr const char* kWrongPassword = "Fatal: wrong password or no key found\n";
inline constexpr const char* kNoRepository =
    "Fatal: unable to open config file: stat /safe/data/config: no such file or directory\n"
    "Is there a repository at the following location?\n/safe/data\n";
inline constexpr const char* kLocked =
    "unable to create lock in backend: repository is already locked by PID 29513 on vm by root (UID 0, GID 0)\n"
    "lock was created at 2026-11-23 12:53:03 (1.218916369s ago)\nstorage ID 40b9a799\n"
    "the `unlock` command can be used to remove stale locks\n";
inline constexpr const char* kUnreadable =
    "{\"message_type\":\"error\",\"error\":{\"Op\":\"open\",\"Path\":\"/src/"
    "a\",\"Err\":13},\"during\":\"archival\",\"item\":\"/src/a\"}\n"
    "{\"message_type\":\"error\",\"error\":{},\"during\":\"scan\",\"item\":\"/src/noaccess\"}\n"
    "{\"message_type\":\"error\",\"error\":{},\"during\":\"archival\",\"item\":\"/src/noaccess\"}\n"
    "Warning: at least one source file could not be read\n";

}  // namespace stash::test
