#pragma once
#include <string>

#include "api/workload_kind.h"
#include "controller/plan.h"
#include "inject/settings.h"

/// The Repository and the BackupConfiguration of a workload that asks for them by annotation
/// (docs/decisions/0040-what-a-blueprint-made.md).
namespace stash::controller {

/// "deployment-web": of both objects.
std::string blueprint_object_name(const api::WorkloadRef& workload);

/// Was it made from a BackupBlueprint? Who takes the label away makes the object his own.
bool is_from_blueprint(const Json& object);

/// All that the decision about one workload may look at. Objects are null when there is none.
struct BlueprintWorld {
  api::WorkloadRef ref;
  Json workload;
  std::string not_opted_in;        ///< why the namespace has no injection, "" when it has
  Json blueprint;                  ///< the one that it names
  Json repository, configuration;  ///< of that name, whoever made them
  bool backup_running = false;     ///< a session of that configuration has begun and not ended
  std::string refused;             ///< an earlier try in this pass: what the API server refused, and its sentence
  std::string told;                ///< what was complained about last; it is not repeated
};

struct BlueprintPlan {
  Plan plan;
  std::string blueprint;  ///< that the workload names, "" for none
  std::string reason;     ///< one word for what is wrong, "" for nothing
  std::string complaint;  ///< with place and remedy
};

/// Pure and total. Only what carries our label and, of BackupConfigurations, this workload as its controller is changed
/// or deleted. A mistake takes no backup away: while something is wrong, what was made before stays as it is. The place
/// of a Repository with backups in it stays, whatever its blueprint says now.
BlueprintPlan plan_blueprint(const BlueprintWorld& world, const inject::Settings& settings);

}  // namespace stash::controller
