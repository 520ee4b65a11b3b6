#pragma once
#include <map>
#include <optional>
#include <string>

#include "controller/plan.h"
#include "inject/settings.h"

/// What is said about a BackupBlueprint itself.
namespace stash::controller {

struct BlueprintStatusWorld {
  Json blueprint;
  /// How many of the workloads that name it fare how: reason, "" for well. nullopt while not all were looked at.
  std::optional<std::map<std::string, int>> workloads;
  TimePoint now{};
};

/// Pure and total: the conditions Ready, FieldsHonoured and Applied, and an event when Ready becomes False. Workloads
/// are counted and not named: who may read blueprints may not know of them.
Plan plan_blueprint_status(const BlueprintStatusWorld& world, const inject::Settings& settings);

}  // namespace stash::controller
