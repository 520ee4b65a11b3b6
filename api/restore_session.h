#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/backup_session.h"
#include "api/shared_types.h"

namespace stash::api {

/// A restore of a host is begun this often; then a person has to decide.
inline constexpr int kRestoreAttempts = 5;

struct RestoreRule {
  std::vector<std::string> target_hosts;
  std::string source_host;
  std::vector<std::string> snapshots, paths, include, exclude;
  friend bool operator==(const RestoreRule&, const RestoreRule&) = default;
};

struct RestoreTarget {
  TargetRef ref;
  std::vector<VolumeMount> volume_mounts;
  bool has_jobs = false;  ///< replicas or volumeClaimTemplates are set: the job model, not ours
  friend bool operator==(const RestoreTarget&, const RestoreTarget&) = default;
};

struct RestoreSessionSpec {
  std::string driver, repository;
  std::optional<RestoreTarget> target;
  std::vector<RestoreRule> rules;  ///< target.rules when not empty, else rules
  RuntimeSettings runtime_settings;
  TempDir temp_dir;
  std::string time_out;
  std::optional<Hook> pre_restore, post_restore;
  friend bool operator==(const RestoreSessionSpec&, const RestoreSessionSpec&) = default;
};

struct RestoreSessionStatus {
  std::string phase;  ///< "", Pending, Running, Succeeded, Failed, Unknown, Invalid
  std::optional<int> total_hosts;
  std::string session_duration;
  std::vector<HostStats> stats;
  std::vector<Condition> conditions;
  std::optional<SessionProgress> progress{};
  std::string reason{};  ///< why it has not succeeded, in one word
  std::optional<Withdrawal> withdrawal{};
  friend bool operator==(const RestoreSessionStatus&, const RestoreSessionStatus&) = default;
};

struct RestoreSession {
  ObjectMeta metadata;
  RestoreSessionSpec spec;
  RestoreSessionStatus status;
  friend bool operator==(const RestoreSession&, const RestoreSession&) = default;
};

}  // namespace stash::api
