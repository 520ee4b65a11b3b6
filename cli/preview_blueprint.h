#pragma once
#include <string>
#include <vector>

#include "cli/preview.h"

namespace stash::cli {

/// What the operator would make for a workload that asks for a BackupBlueprint by annotation.
struct BlueprintPreview {
  std::vector<Json> objects;  ///< the Repository and the BackupConfiguration, where they are not there like this
  std::string why;            ///< which blueprint they are from; "" when there are none
  std::string complaint;      ///< what is wrong, with the remedy; "" when nothing is
  bool refused = false;       ///< for which there is no backup
};

/// The operator's own plan (controller/blueprint_plan.h), from the blueprint and the objects of that name in `world`.
/// Empty when the workload asks for none. `namespace_labels` are those of the workload's namespace.
BlueprintPreview preview_blueprint(const PreviewWorld& world, const Json& namespace_labels,
                                   const inject::Settings& settings);

}  // namespace stash::cli
