#pragma once
#include <string>
#include <vector>

#include "api/shared_types.h"
#include "inject/pod_policy.h"
#include "inject/runtime_settings.h"
#include "inject/settings.h"

/// Our containers as the contract (10.3, 10.4) describes them, all but the image.
namespace stash::inject {

/// Where the container finds what belongs to one Repository.
struct RepositoryPlace {
  std::string repository;                  ///< its name
  std::string storage_secret;              ///< the Secret's name
  std::string secret_volume, secret_path;  ///< the Secret's keys as files
  std::string local_volume, local_path;    ///< "" for a backend that is on no volume
  std::string local_sub_path;
  bool moved = false;  ///< local_path is not the mountPath that the Repository asks for
};

struct ContainerInputs {
  const Json& workload;
  const Settings& settings;
  PodSecurity level;
  const ContainerSettings& runtime;
  const api::TempDir& temp_dir;
  const std::string &tmp_volume, &podinfo_volume;
  const std::vector<api::VolumeMount>& mounts;       ///< of the target's volumes
  const std::vector<RepositoryPlace>& repositories;  ///< not empty; the first is the contract's
};

/// One sidecar for all BackupConfigurations of the workload.
Json sidecar_container(const std::vector<std::string>& configurations, const ContainerInputs& inputs);
/// Kubernetes allows an init container no probes and lifecycle hooks: those of runtimeSettings are left out.
Json init_container(const std::string& session, const ContainerInputs& inputs);

}  // namespace stash::inject
