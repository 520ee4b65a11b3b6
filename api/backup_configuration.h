#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "api/shared_types.h"

namespace stash::api {

struct BackupTarget {
  TargetRef ref;
  std::vector<std::string> paths;  ///< read from paths, else from the older directories
  std::vector<VolumeMount> volume_mounts;
  std::vector<std::string> exclude;
  friend bool operator==(const BackupTarget&, const BackupTarget&) = default;
};

struct BackupConfigurationSpec {
  std::string schedule;
  std::string driver;      ///< "" means Restic
  std::string repository;  ///< repository.name
  std::optional<BackupTarget> target;
  RetentionPolicy retention_policy;
  bool paused = false;
  RuntimeSettings runtime_settings;
  TempDir temp_dir;
  std::optional<int> backup_history_limit;
  std::string time_out;  ///< Go duration text, "" for none
  std::optional<Hook> pre_backup, post_backup;
  std::optional<RetryConfig> retry_config;
  friend bool operator==(const BackupConfigurationSpec&, const BackupConfigurationSpec&) = default;
};

struct BackupConfigurationStatus {
  std::int64_t observed_generation = 0;
  std::string phase;  ///< Ready, NotReady, Invalid
  std::vector<Condition> conditions;
  std::optional<Withdrawal> withdrawal{};
  std::optional<TimePoint> generation_observed{};  ///< when observed_generation was first seen
  std::optional<TimePoint> last_success{};         ///< when the newest backup that succeeded ended
  friend bool operator==(const BackupConfigurationStatus&, const BackupConfigurationStatus&) = default;
};

struct BackupConfiguration {
  ObjectMeta metadata;
  BackupConfigurationSpec spec;
  BackupConfigurationStatus status;
  friend bool operator==(const BackupConfiguration&, const BackupConfiguration&) = default;
};

/// True when at least one rule keeps something; without one `forget` must not be run (contract Q31).
bool keeps_something(const RetentionPolicy& policy);

}  // namespace stash::api
