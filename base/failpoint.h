#pragma once
/// Places where the fault bench may kill a program of its own build (cmake -DSTASH_FAILPOINTS=ON, preset faults); in
/// any other build the macro is nothing, not even its text (e2e/faults/test_failpoints.py looks).
///
/// STASH_FAILPOINT(std::string) passes the place of that name, of which only the first three words count: "before patch
/// BackupSession". $STASH_FAILPOINT="<name>:<n>" ends the process by SIGKILL when it passes there for the nth time;
/// $STASH_FAILPOINT_LOG names a file to which each passed name is appended. Any thread.
#ifdef STASH_FAILPOINTS
#include <string>

namespace stash {
void pass_failpoint(const std::string& name);
}  // namespace stash
#define STASH_FAILPOINT(name) ::stash::pass_failpoint(name)
#else
#define STASH_FAILPOINT(name) static_cast<void>(0)
#endif
