#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/resource.h"
#include "api/shared_types.h"

/// The kinds of workload that take a sidecar: the only place that lists them.
namespace stash::api {

/// How the data of a workload divides into hosts (contract 11.1).
enum class HostScheme {
  single,    ///< host-0, whatever the number of replicas: they share the data
  ordinals,  ///< host-<ordinal> per pod: each has volumes of its own
  nodes,     ///< the node's name per pod
};

struct WorkloadKind {
  Resource resource;
  HostScheme hosts = HostScheme::single;
  /// Its controller brings the pods in line with a changed template. Where not, only new pods follow it.
  /// https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#working-with-replicasets
  bool rolls_out = true;
  bool everywhere = true;  ///< false: only some clusters serve it (OpenShift)
};

/// In a fixed order; the elements live for ever.
std::span<const WorkloadKind> workload_kinds();

/// The version does not matter, and "extensions" is where the apps group began (contract Q8). nullptr: none of them.
const WorkloadKind* workload_kind(std::string_view group, std::string_view kind);
const WorkloadKind* workload_kind(const TargetRef& ref);

/// "apps" of "apps/v1", "" of "v1"; "apps" for "extensions".
std::string_view workload_group(std::string_view api_version);

/// "Deployment (apps), ...": for messages that say what can be a target.
const std::string& workload_kind_names();

/// One workload; as text "Deployment demo/web".
struct WorkloadRef {
  const WorkloadKind* kind = nullptr;  ///< not null
  ObjectRef ref;
};
std::string to_string(const WorkloadRef& workload);
/// The inverse of to_string; nullopt for anything else.
std::optional<WorkloadRef> workload_ref(std::string_view text);

}  // namespace stash::api
