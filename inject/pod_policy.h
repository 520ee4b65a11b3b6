#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/shared_types.h"
#include "inject/decision.h"
#include "inject/operations.h"
#include "inject/workload_view.h"

/// What would make the API server or the kubelet refuse the user's pod because of us.
namespace stash::inject {

/// Labels of a namespace: https://kubernetes.io/docs/concepts/security/pod-security-admission/
enum class PodSecurity { privileged, baseline, restricted };
PodSecurity pod_security_of(const Json& namespace_labels);

/// A reason and a message; the object is known to the caller.
struct Obstacle {
  Reason reason;
  std::string message;
};

/// Does the namespace's level forbid one of these volumes, or this container?
/// https://kubernetes.io/docs/concepts/security/pod-security-standards/
std::optional<Obstacle> pod_security_obstacle(PodSecurity level, const std::string& ns, const Json& container,
                                              const std::vector<const Json*>& volumes);

/// Do the target's mounts name volumes that the pod has, at places that are free, the local backend's (if the
/// Repository has one) among them?
std::optional<Obstacle> mount_obstacle(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts,
                                       const std::optional<api::LocalBackend>& local);

/// "/a//b/" -> "/a/b"
std::string tidy(std::string_view path);
/// Does one of them lie at or below the other?
bool overlap(std::string_view path, std::string_view other);

/// All volumeMounts of a container of ours that is there already name volumes that the pod (still) has.
bool has_its_volumes(const PodTemplate& pod, const Json& container);

/// Objects carry at most 256 KiB of annotations, and etcd takes at most 1.5 MiB.
std::optional<Obstacle> size_obstacle(const Json& workload);
/// May it have a size_obstacle with these operations? `part_of` as in World. Quick, and never wrong with false.
bool may_exceed_limits(const Json& workload, std::size_t part_of, const Operations& operations);

}  // namespace stash::inject
