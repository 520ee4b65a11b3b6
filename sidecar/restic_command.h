#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "api/repository.h"
#include "api/shared_types.h"
#include "base/result.h"
#include "sidecar/backend.h"
#include "sidecar/restic_version.h"

/// How restic is called: argument lists and environment, nothing is run here.
/// https://restic.readthedocs.io/en/stable/manual_rest.html
namespace stash::sidecar {

struct ResticSettings {
  std::string program = "restic";
  std::string temp_directory = "/tmp/restic-tmp";
  std::string cache_directory = "/tmp/restic-cache";
  std::string home = "/tmp";
  bool cache = true;
  std::uint64_t cache_cap = 2ULL << 30;  ///< bytes; see cache_cap.h
  std::string secret_directory;          ///< where files named by --cacert lie
  std::string user;                      ///< whom restic shall name in its locks; "" for whomever it finds
  std::string nice_adjustment;           ///< NICE_ADJUSTMENT of the container's environment, "" for none
  std::string io_class, io_class_data;   ///< IONICE_CLASS, IONICE_CLASS_DATA
};

/// What all calls for one repository share.
struct ResticCall {
  Arguments program;                 ///< [ionice ...] [nice ...] restic, and the flags that every step takes
  Environment env;                   ///< the whole environment; the only place where secrets are
  std::string location;              ///< RESTIC_REPOSITORY without user info: for messages
  std::string storage_secret;        ///< the Secret's name: for messages
  std::string credentials;           ///< where the server's credentials come from: for messages
  std::vector<std::string> remarks;  ///< what is odd about the Secret but not refused
  friend bool operator==(const ResticCall&, const ResticCall&) = default;
};

/// Where a local repository may lie, the usual place first: Stash v0.9.0-rc.0 put it below subPath a second time, and
/// such a repository is used where it is.
std::vector<std::string> local_locations(const api::LocalBackend& backend);

/// `location` of a local backend is one of local_locations; ignored for the others. `inherited` is our own environment;
/// only an allow-list of it reaches restic, so that no variable of the pod can run a command or name another
/// repository. Errors invalid: those of backend_access; NICE_ADJUSTMENT and the like that are no numbers.
Result<ResticCall> restic_call(const api::Backend& backend, const std::string& location, const StorageSecret& secret,
                               const ResticSettings& settings, const Environment& inherited,
                               const ResticVersion& version);

// Arguments of one step, to be appended to ResticCall::program.
Arguments cat_config_arguments();
/// Files and bytes that a restore of `snapshot` makes.
Arguments restore_size_arguments(const std::string& snapshot);
Arguments init_arguments();
Arguments unlock_arguments();
/// The ids of all locks, and what one of them says. Neither needs a lock.
Arguments list_locks_arguments();
Arguments lock_arguments(const std::string& id);
/// A directory of a snapshot as a tar archive on standard output.
Arguments dump_arguments(const std::string& snapshot, const std::string& path, const ResticVersion& version);
/// What is at that path of a snapshot, and directly below it.
Arguments ls_arguments(const std::string& snapshot, const std::string& path);
struct BackupRequest {
  std::string host, path, tag;
  std::vector<std::string> exclude;
};
Arguments backup_arguments(const BackupRequest& request, const ResticVersion& version);
/// The same run without writing: which files would be read, and which cannot be.
Arguments dry_run_arguments(const BackupRequest& request);
/// All snapshots that carry `tag` (when not empty) of `host` with exactly `path`; empty filters are left out.
Arguments snapshots_arguments(const std::string& host, const std::string& path, const std::string& tag);
Arguments snapshot_arguments(const std::string& id);
/// Adds a tag to one snapshot. restic writes it anew for that: it has another id afterwards.
Arguments tag_arguments(const std::string& snapshot, std::string_view tag, const ResticVersion& version);
Arguments check_arguments(const ResticVersion& version);
/// Of the snapshots of `hosts` only, unless it is empty.
Arguments forget_arguments(const api::RetentionPolicy& policy, const std::vector<std::string>& hosts,
                           const ResticVersion& version);
Arguments ls_arguments(const std::string& snapshot);
/// Tells of all that the snapshot holds, with its number of links, which `ls` does not know.
Arguments find_all_arguments(const std::string& snapshot);
/// Removes exactly these snapshots.
Arguments remove_arguments(const std::vector<std::string>& ids, const ResticVersion& version);
/// Removes all data that no snapshot uses, also where that means to write the rest anew.
Arguments prune_arguments(const ResticVersion& version);
Arguments stats_arguments(const ResticVersion& version);
Arguments restore_arguments(const std::string& snapshot, const std::vector<std::string>& include,
                            const std::vector<std::string>& exclude, const ResticVersion& version);

/// A path as a restic pattern that matches only itself: * ? [ ] \ are escaped.
std::string literal_pattern(const std::string& path);

/// Lexically cleaned absolute path, as restic stores it: no doubled or trailing slashes, no "." and "..".
/// Error invalid for a relative or empty path and for one with a NUL.
Result<std::string> clean_path(const std::string& path);

}  // namespace stash::sidecar
