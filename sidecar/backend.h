#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/repository.h"
#include "base/result.h"
#include "sidecar/restic_version.h"

/// How spec.backend of a Repository and its storage Secret become restic's repository string, environment and flags.
/// Pure. https://restic.readthedocs.io/en/stable/030_preparing_a_new_repo.html
namespace stash::sidecar {

using Arguments = std::vector<std::string>;
using Environment = std::vector<std::pair<std::string, std::string>>;
/// The storage Secret as it is mounted: file name -> bytes, untrimmed.
using StorageSecret = std::map<std::string, std::string>;

/// All that restic must be told about one backend.
struct BackendAccess {
  std::string repository;            ///< RESTIC_REPOSITORY; may hold user info, so it is never an argument
  std::string location;              ///< the same without user info: for messages
  Environment env;                   ///< the credentials, RESTIC_PASSWORD among them
  Arguments flags;                   ///< --cacert, --option; no secret in them
  std::string credentials;           ///< where the server's credentials come from, to end "correct ...": for messages
  std::vector<std::string> remarks;  ///< what is odd about the Secret but not refused, without its values
  friend bool operator==(const BackendAccess&, const BackendAccess&) = default;
};

/// `local_location` is where a local repository lies (local_locations of restic_command.h); ignored for the others.
/// Values of the Secret are handed over byte for byte. Credentials of a server are optional where restic can do
/// without: s3 and gcs take the pod's role, rest may be open.
/// Errors invalid, naming field or key: a fault of the backend (api/backend_check.h), a missing key without which
/// restic cannot work at all, a value with a NUL.
Result<BackendAccess> backend_access(const api::Backend& backend, const std::string& local_location,
                                     const StorageSecret& secret, const std::string& secret_directory,
                                     const ResticVersion& version);

/// Variables of our own environment that restic needs for this kind of backend, beyond what all need: the identity that
/// a cloud gives to a pod. None redirects restic to another server (STORAGE_EMULATOR_HOST would), or runs a program.
std::span<const std::string_view> inherited_variables(std::string_view backend_kind);

/// Texts that must appear in no message, longest first: values of the Secret that are credentials, trimmed and
/// untrimmed and percent-encoded, the private key inside a service account's JSON, and the user info of rest.url.
/// Names of users, projects and regions are no secrets, and hiding them would spoil the messages.
std::vector<std::string> secret_values(const StorageSecret& secret, const api::Backend& backend);

/// Every byte but letters, digits and -._~ as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace stash::sidecar
