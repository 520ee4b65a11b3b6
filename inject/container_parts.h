#pragma once
#include "inject/containers.h"

/// What sidecar and init container have in common.
namespace stash::inject {

/// What is a container's own; the rest follows from the inputs.
struct ContainerIdentity {
  std::string_view name;
  Json args;  ///< before --secret-dir
  Json security_context;
};

/// The container but for probes and lifecycle hooks.
Json common_container(ContainerIdentity identity, const ContainerInputs& inputs);

}  // namespace stash::inject
