#include "sidecar/restore_attempts.h"

#include <fmt/format.h>

#include <string_view>

namespace stash::sidecar {

namespace {

constexpr std::string_view kWayOut =
    "it is not tried again, and the application waits: remove the cause, then delete this RestoreSession and create a "
    "new one; deleting it alone lets the application start with the data as it is now";

}  // namespace

std::string failed_attempt(int attempt, const std::string& problem) {
  const std::string text = fmt::format("attempt {} of {}: {}", attempt, kRestoreAttempts, problem);
  return attempt < kRestoreAttempts ? text : fmt::format("{}; {}", text, kWayOut);
}

std::string cut_off_attempt() {
  return failed_attempt(kRestoreAttempts,
                        "the pod or its Stash container ended in the middle of it (`kubectl describe pod` may say "
                        "why: too little memory, for one)");
}

}  // namespace stash::sidecar
