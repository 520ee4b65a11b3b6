#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

/// Questions about a workload with a pod template at spec.template. Total: whatever the JSON, nothing throws.
namespace stash::inject {

/// Does it have the skeleton that our patches rely on? Where it has not, nothing may be patched.
bool is_well_formed(const Json& workload);

/// Where the parts of a workload's pod template are, looked up once; what is missing, or of another type, is empty. Of
/// use as long as the workload.
struct PodTemplate {
  // Wherever one is asked for, its workload does as well.
  PodTemplate(const Json& of);  // NOLINT(google-explicit-constructor)

  const Json* workload;    ///< not null, like the others
  const Json* spec;        ///< spec.template.spec
  const Json* containers;  ///< lists
  const Json* init_containers;
  const Json* volumes;
  const Json* claims;  ///< spec.volumeClaimTemplates
};

inline const Json& pod_spec(const PodTemplate& pod) { return *pod.spec; }
inline const Json& containers_of(const PodTemplate& pod) { return *pod.containers; }
inline const Json& init_containers_of(const PodTemplate& pod) { return *pod.init_containers; }
inline const Json& volumes_of(const PodTemplate& pod) { return *pod.volumes; }

/// The controller that wrote a ReplicaSet's or ReplicationController's template, as "Deployment web"; "" for all
/// others, whose template is their own even when an operator made them.
/// https://kubernetes.io/docs/concepts/architecture/garbage-collection/
std::string template_owner(const Json& workload, std::string_view kind);

/// The element of `list` with that name; nullptr when there is none.
const Json* named(const Json& list, std::string_view name);

/// A container is ours (or of an older Stash) by its name and its first argument.
bool is_sidecar(const Json& container);
bool is_init_container(const Json& container);
const Json* sidecar_of(const PodTemplate& pod);
const Json* init_container_of(const PodTemplate& pod);

/// Does a container that is not ours have that name? Names are unique over containers and init containers.
bool name_is_taken(const PodTemplate& pod, std::string_view name);

/// The objects that a container of ours works for: the values of --backup-configuration, --restore-session or, of later
/// releases of Stash, --invoker-name.
std::vector<std::string> invokers_of(const Json& container);
/// The first of them; "" when it names none.
std::string invoker_of(const Json& container);

/// The pod has it as a block device, as far as the workload tells: the kubelet starts no pod that mounts one, and the
/// API server does not mind as long as no single container has it both ways.
bool is_block_device(const PodTemplate& pod, std::string_view volume);

/// Does the pod have that volume, be it from volumeClaimTemplates?
bool has_volume(const PodTemplate& pod, std::string_view volume);

/// Volumes that a container of the pod may mount, those from volumeClaimTemplates included.
std::vector<std::string> mountable_volumes(const PodTemplate& pod);

/// spec.os or the node selector says Windows, where nothing of ours can run.
bool is_windows(const PodTemplate& pod);

}  // namespace stash::inject
