#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "api/repository.h"
#include "api/shared_types.h"

namespace stash::api {

/// What a workload gets that asks for it by annotation: a Repository and a BackupConfiguration. Texts may hold
/// variables such as ${TARGET_NAME}.
struct BackupBlueprintSpec {
  Backend backend;
  bool wipe_out = false;
  std::string schedule;
  RetentionPolicy retention_policy;
  RuntimeSettings runtime_settings;
  TempDir temp_dir;
  std::optional<int> backup_history_limit;
  std::string time_out;  ///< Go duration text, "" for none
  std::optional<RetryConfig> retry_config;
  friend bool operator==(const BackupBlueprintSpec&, const BackupBlueprintSpec&) = default;
};

struct BackupBlueprintStatus {
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;
  friend bool operator==(const BackupBlueprintStatus&, const BackupBlueprintStatus&) = default;
};

/// Cluster-scoped.
struct BackupBlueprint {
  ObjectMeta metadata;
  BackupBlueprintSpec spec;
  BackupBlueprintStatus status;
  friend bool operator==(const BackupBlueprint&, const BackupBlueprint&) = default;
};

}  // namespace stash::api
