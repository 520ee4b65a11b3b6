#pragma once
#include <string>
#include <vector>

#include "cli/preview.h"

namespace stash::cli {

/// What the operator would make for a workload that asks for a BackupBlueprint by annotation.
struct BlueprintPreview {
  std::vector<Json> objects;  ///< the Repository and the BackupConfiguration
  std::string why;            ///< which blueprint they are from; "" when there are none
  std::string complaint;      ///< why there are none, with the remedy; "" when nothing is wrong
};

/// The operator's own plan (controller/blueprint_plan.h), from the blueprint and the objects of that name in `world`.
/// Empty when the workload asks for none.
BlueprintPreview preview_blueprint(const PreviewWorld& world, const inject::Settings& settings);

}  // namespace stash::cli
