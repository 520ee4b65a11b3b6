#pragma once
#include "inject/containers.h"

/// What sidecar and init container have in common.
namespace stash::inject {

/// The tail of the arguments, from --secret-dir on.
void add_common_arguments(Json& args, const Settings& settings, const api::TempDir& temp_dir);
Json environment(const ContainerSettings& runtime);
Json volume_mounts(const VolumeChoice& volumes, const std::vector<api::VolumeMount>& target,
                   const api::Repository& repository);

}  // namespace stash::inject
