#pragma once
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "api/repository.h"
#include "api/restore_session.h"
#include "inject/pod_policy.h"
#include "inject/runtime_settings.h"
#include "inject/settings.h"

/// Our containers as the contract (10.3, 10.4) describes them, all but the image.
namespace stash::inject {

/// Which names the volumes have in this pod; "" for one that the container does not mount.
struct VolumeChoice {
  std::string tmp, podinfo, secret, local;
};

struct ContainerInputs {
  const Json& workload;
  const Settings& settings;
  const ContainerSettings& runtime;
  const VolumeChoice& volumes;
  PodSecurity level;
};

Json sidecar_container(const api::BackupConfiguration& configuration, const api::Repository& repository,
                       const ContainerInputs& inputs);
/// Kubernetes allows an init container no probes and lifecycle hooks: those of runtimeSettings are left out.
Json init_container(const api::RestoreSession& session, const api::Repository& repository,
                    const ContainerInputs& inputs);

}  // namespace stash::inject
