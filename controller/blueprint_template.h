#pragma once
#include <string>

#include "controller/blueprint_variables.h"
#include "inject/settings.h"

/// What a BackupBlueprint says, for one workload.
namespace stash::controller {

struct FilledBlueprint {
  Json repository;     ///< spec of the Repository
  Json configuration;  ///< spec of the BackupConfiguration, without repository and target
  friend bool operator==(const FilledBlueprint&, const FilledBlueprint&) = default;
};

/// Pure. Fields of later releases within the parts that are copied come along. Error invalid: the field that is wrong,
/// and why. What is wrong for one workload may be right for another, where a variable is in it.
Result<FilledBlueprint> fill_in(const Json& blueprint, const Variables& variables, const inject::Settings& settings);

/// What to say of a blueprint that works and yet is probably not meant so; "" for nothing: its Repositories are one and
/// the same place, so the snapshots of all workloads mix and retention keeps them as if they were one.
std::string blueprint_remark(const Json& blueprint, const inject::Settings& settings);

}  // namespace stash::controller
