#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/shared_types.h"
#include "base/json.h"
#include "base/result.h"

/// What a workload asks for by its annotations.
namespace stash::controller {

struct BlueprintRequest {
  std::string blueprint;  ///< its name
  std::vector<std::string> paths;
  std::vector<api::VolumeMount> mounts;
  std::string schedule;  ///< instead of the blueprint's; "" for that one
  friend bool operator==(const BlueprintRequest&, const BlueprintRequest&) = default;
};

/// The BackupBlueprint that it names; "" when it asks for none.
std::string blueprint_of(const Json& workload);

/// target-paths "/a,/b", volume-mounts "vol:/a,vol2:/b:subPath" and, if it has one, schedule "*/15 * * * *"; blanks
/// around the commas do not matter. Error invalid: which annotation is missing or wrong, and how it has to be: several
/// blueprints, one that names no volume of the pod, a path that no mount covers. The workload names a blueprint.
Result<BlueprintRequest> blueprint_request(const Json& workload);

}  // namespace stash::controller
