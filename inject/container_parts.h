#pragma once
#include "inject/containers.h"

/// What sidecar and init container have in common.
namespace stash::inject {

/// What is a container's own; the rest follows from the pod and from the inputs.
struct ContainerIdentity {
  std::string_view name;
  std::vector<std::string> args;  ///< before --secret-dir
  Json security_context;          ///< before runtimeSettings
};

/// The container but for probes and lifecycle hooks.
Json common_container(ContainerIdentity identity, const api::TempDir& temp_dir,
                      const std::vector<api::VolumeMount>& target, const api::Repository& repository,
                      const ContainerInputs& inputs);

}  // namespace stash::inject
