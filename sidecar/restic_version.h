#pragma once
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace stash::sidecar {

/// What `restic version` says. Features are asked for by name, so that a version number is compared in one place only.
struct ResticVersion {
  int major = 0, minor = 0, patch = 0;
  friend auto operator<=>(const ResticVersion&, const ResticVersion&) = default;

  bool retries_locks() const { return *this >= ResticVersion{0, 16, 0}; }           ///< --retry-lock
  bool restores_sparse() const { return *this >= ResticVersion{0, 15, 0}; }         ///< restore --sparse
  bool has_exit_codes() const { return *this >= ResticVersion{0, 17, 0}; }          ///< 10, 11; 12 from 0.17.1
  bool takes_rest_credentials() const { return *this >= ResticVersion{0, 17, 0}; }  ///< RESTIC_REST_USERNAME
  bool tells_restore_progress() const { return *this >= ResticVersion{0, 17, 0}; }  ///< restore --json, errors too
  bool replaces_entries() const { return *this >= ResticVersion{0, 17, 0}; }        ///< restores over what is there
  bool has_azure_identities() const { return *this >= ResticVersion{0, 16, 0}; }    ///< azure without a key
  bool is_supported() const { return *this >= ResticVersion{0, 14, 0}; }
};

/// From "restic 0.14.0 compiled with go1.19.8 on linux/amd64" (any line of it); nullopt for anything else.
std::optional<ResticVersion> parse_restic_version(std::string_view output);
std::string to_string(const ResticVersion& version);

}  // namespace stash::sidecar
