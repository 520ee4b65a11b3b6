#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/shared_types.h"
#include "inject/identity.h"
#include "inject/operations.h"
#include "inject/runtime_settings.h"

/// Our containers as the contract (10.3, 10.4) describes them.
namespace stash::inject {

/// Where the container finds what belongs to one Repository.
struct RepositoryPlace {
  std::string repository;                  ///< its name
  std::string storage_secret;              ///< the Secret's name
  std::string secret_volume, secret_path;  ///< the Secret's keys as files
  std::string local_volume, local_path;    ///< "" for a backend that is on no volume
  std::string local_sub_path;
  bool moved = false;  ///< local_path is not the mountPath that the Repository asks for
  friend bool operator==(const RepositoryPlace&, const RepositoryPlace&) = default;
};

/// All that a container is made of, and nothing else is: equal ones make equal containers (docs/decisions/0057).
struct ContainerInputs {
  std::vector<std::string> objects;  ///< names of the BackupConfigurations, or of the RestoreSession
  std::string image;
  Json resources = Json::object();  ///< those by default included
  std::string pushgateway_url;      ///< "": metrics are not pushed
  Identity identity;
  std::shared_ptr<const ContainerSettings> runtime;  ///< not null; equal when it is the same one
  api::TempDir temp_dir;
  std::string tmp_volume, podinfo_volume;
  std::vector<api::VolumeMount> mounts;       ///< of the target's volumes
  std::vector<RepositoryPlace> repositories;  ///< not empty; the first is the contract's
  friend bool operator==(const ContainerInputs&, const ContainerInputs&) = default;
};

/// A container of ours. Never changed, for it may be in many patches.
struct MadeContainer {
  ContainerInputs inputs;
  Json asked;          ///< as the objects ask for it: without the image and resources by default
  std::uint64_t hash;  ///< of what was asked for, to be gone on with by the volumes
  Value complete;      ///< with image and all resources
};

/// One sidecar for all BackupConfigurations of the workload.
std::shared_ptr<const MadeContainer> make_sidecar(ContainerInputs inputs);
/// Kubernetes allows an init container no probes and lifecycle hooks: those of runtimeSettings are left out.
std::shared_ptr<const MadeContainer> make_init_container(ContainerInputs inputs);

/// The container with another image and other resources than it was made for.
Json complete(Json asked, const std::string& image, const Json& resources);

}  // namespace stash::inject
