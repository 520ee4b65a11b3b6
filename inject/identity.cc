#include "inject/identity.h"

#include <limits>

#include "inject/workload_view.h"

namespace stash::inject {
namespace {

constexpr std::int64_t kNobody = 65535;  // the image's own user

const Json& security_context_of(const Json& container_or_pod) {
  return object_at(container_or_pod, {"securityContext"});
}

constexpr std::int64_t kUnset = -1;

// Of the container, else of the pod, as the kubelet sees it.
std::int64_t effective_id(const Json& container, const Json& pod, std::string_view field) {
  for (const Json* context : {&security_context_of(container), &security_context_of(pod)}) {
    const std::int64_t id = int_at(*context, {field}, kUnset);
    if (id >= 0 && id <= std::numeric_limits<std::int32_t>::max()) return id;
  }
  return kUnset;
}

bool must_not_be_root(const Json& container, const Json& pod) {
  const Json* own = at(container, {"securityContext", "runAsNonRoot"});
  if (own != nullptr && own->is_boolean()) return own->get<bool>();
  return bool_at(pod, {"securityContext", "runAsNonRoot"});
}

const Json& owner_of_data(const Json& workload, const std::vector<api::VolumeMount>& mounts) {
  static const Json nobody_mounts_it = Json::object();
  if (mounts.empty()) return nobody_mounts_it;
  for (const Json& container : containers_of(workload)) {
    if (!is_sidecar(container) && named(array_at(container, {"volumeMounts"}), mounts.front().name) != nullptr) {
      return container;
    }
  }
  return nobody_mounts_it;
}

const Json& locked_down() {
  static const Json context = {{"allowPrivilegeEscalation", false},
                               {"readOnlyRootFilesystem", true},
                               {"seccompProfile", {{"type", "RuntimeDefault"}}},
                               {"capabilities", {{"drop", Json::array({"ALL"})}}}};
  return context;
}

/// Who must not be root by wish, and wishes no user, is whom it would be where Pod Security forbids root: 65535 cannot
/// write where the application's user can.
PodSecurity level_by(const Json& wishes, PodSecurity level) {
  const bool only_not_root = bool_at(wishes, {"runAsNonRoot"}) && at(wishes, {"runAsUser"}) == nullptr;
  return only_not_root ? PodSecurity::restricted : level;
}

Json as_reader(const Json& workload, const std::vector<api::VolumeMount>& mounts, PodSecurity level) {
  const Json& pod = pod_spec(workload);
  const Json& container = owner_of_data(workload, mounts);
  const std::int64_t wanted_user = effective_id(container, pod, "runAsUser");
  const std::int64_t user = level == PodSecurity::restricted && wanted_user == 0 ? kUnset : wanted_user;
  const std::int64_t group = effective_id(container, pod, "runAsGroup");

  Json context = locked_down();
  if (group != kUnset) context["runAsGroup"] = group;
  if (user > 0) {
    context["runAsUser"] = user;
    context["runAsNonRoot"] = true;
  } else if (user == kUnset && (level == PodSecurity::restricted || must_not_be_root(container, pod))) {
    context["runAsUser"] = kNobody;
    if (group == kUnset) context["runAsGroup"] = kNobody;
    context["runAsNonRoot"] = true;
  } else {
    context["runAsUser"] = 0;
    context["runAsNonRoot"] = false;
    context["capabilities"]["add"] = Json::array({"DAC_OVERRIDE"});
  }
  return context;
}

Json as_restorer(const Json& workload, const std::vector<api::VolumeMount>& mounts, PodSecurity level) {
  if (level == PodSecurity::restricted) return as_reader(workload, mounts, level);
  Json context = locked_down();
  context["runAsUser"] = 0;
  context["runAsGroup"] = 0;
  context["runAsNonRoot"] = false;
  context["capabilities"]["add"] = Json::array({"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"});
  return context;
}

/// Field by field.
Json overlay(Json security_context, const Json& wishes) {
  security_context.merge_patch(wishes);
  // Who asks for a user of their own has said whether it is root; our guess must not contradict it.
  const Json* user = at(wishes, {"runAsUser"});
  if (user != nullptr && at(wishes, {"runAsNonRoot"}) == nullptr) security_context["runAsNonRoot"] = *user != 0;
  return security_context;
}

}  // namespace

Json sidecar_security_context(const Json& workload, const std::vector<api::VolumeMount>& mounts, PodSecurity level,
                              const Json& wishes) {
  return overlay(as_reader(workload, mounts, level_by(wishes, level)), wishes);
}

Json init_container_security_context(const Json& workload, const std::vector<api::VolumeMount>& mounts,
                                     PodSecurity level, const Json& wishes) {
  return overlay(as_restorer(workload, mounts, level_by(wishes, level)), wishes);
}

}  // namespace stash::inject
