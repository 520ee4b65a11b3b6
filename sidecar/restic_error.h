#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stash::sidecar {

/// Why restic failed: one name per reaction of ours.
enum class ResticCause {
  no_repository,  ///< the only one that may lead to `init`: the backend says that there is none, or not even a bucket
  wrong_password,
  locked,      ///< wait, and heal if the lock is ours
  incomplete,  ///< exit 3: a snapshot exists, but not of everything
  damaged,     ///< the repository itself
  disk_full,
  permission_denied,
  no_snapshot,
  out_of_memory,
  interrupted,        ///< by us
  unreachable,        ///< the backend
  wrong_credentials,  ///< the backend knows us not, or gives too few rights
  untrusted,          ///< the backend's certificate
  no_backend,         ///< this restic was built without the backend, or is older than it
  unknown,
};
std::string_view to_string(ResticCause cause);  ///< stable, for logs and tests: "wrong_password"

struct ResticFailure {
  ResticCause cause = ResticCause::unknown;
  std::string sentence;  ///< what is wrong, and the remedy; without secrets; stable over retries
  friend bool operator==(const ResticFailure&, const ResticFailure&) = default;
};

/// The repository as users know it.
struct ResticSubject {
  std::string_view location;
  std::string_view storage_secret;  ///< its name; "" when not known
  std::string_view credentials;     ///< completes "correct ..."
};

/// In place of an exit code that says nothing.
inline constexpr int kNoExitCode = -1;

/// Explains a non-zero exit, in the words of restic 0.14 to 0.19 (exit codes 10, 11, 12 exist since 0.17) and of the
/// backends' servers. `secrets` are cut out of everything that is quoted.
ResticFailure explain(int exit_code, std::string_view standard_error, const ResticSubject& subject,
                      const std::vector<std::string>& secrets);

/// Why restic will try something again, when this line of standard error says so.
std::optional<ResticCause> cause_of_retry(std::string_view line);
/// True when trying again does not help: somebody must change something first.
bool is_beyond_retries(ResticCause cause);

/// Whether restic says that it will ask once more for a file that its backend does not have. Before 0.17 it asks ten
/// times, for most of a minute.
bool is_retry_of_what_is_gone(std::string_view line);

/// The lines of standard error that are no notice of a retry and not empty, each scrubbed.
std::vector<std::string> lines_to_log(std::string_view standard_error, const std::vector<std::string>& secrets);

/// Replaces secrets and the user info of URLs by "***", and control characters by blanks; at most 400 bytes.
std::string scrub(std::string_view text, const std::vector<std::string>& secrets);

}  // namespace stash::sidecar
