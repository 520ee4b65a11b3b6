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

const Json& owner_of_data(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts) {
  static const Json nobody_mounts_it = Json::object();
  if (mounts.empty()) return nobody_mounts_it;
  for (const Json& container : containers_of(pod)) {
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

Identity as_reader(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts, PodSecurity level) {
  const Json& spec = pod_spec(pod);
  const Json& container = owner_of_data(pod, mounts);
  const std::int64_t wanted_user = effective_id(container, spec, "runAsUser");
  const std::int64_t user = level == PodSecurity::restricted && wanted_user == 0 ? kUnset : wanted_user;
  const std::int64_t wanted_group = effective_id(container, spec, "runAsGroup");
  const auto group = wanted_group == kUnset ? std::nullopt : std::optional(wanted_group);
  if (user > 0) return {.user = user, .group = group};
  if (user == kUnset && (level == PodSecurity::restricted || must_not_be_root(container, spec))) {
    return {.user = kNobody, .group = group.value_or(kNobody)};
  }
  return {.user = 0, .group = group, .powers = Identity::Powers::read_all};
}

Identity as_restorer(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts, PodSecurity level) {
  if (level == PodSecurity::restricted) return as_reader(pod, mounts, level);
  return {.user = 0, .group = 0, .powers = Identity::Powers::restore_all};
}

Json as_context(const Identity& identity) {
  Json context = locked_down();
  context["runAsUser"] = identity.user;
  if (identity.group) context["runAsGroup"] = *identity.group;
  context["runAsNonRoot"] = identity.user != 0;
  Json& capabilities = context["capabilities"];
  if (identity.powers == Identity::Powers::read_all) capabilities["add"] = Json::array({"DAC_OVERRIDE"});
  if (identity.powers == Identity::Powers::restore_all) {
    capabilities["add"] = Json::array({"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"});
  }
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

Identity sidecar_identity(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts, PodSecurity level,
                          const Json& wishes) {
  return as_reader(pod, mounts, level_by(wishes, level));
}

Identity init_container_identity(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts, PodSecurity level,
                                 const Json& wishes) {
  return as_restorer(pod, mounts, level_by(wishes, level));
}

Json security_context(const Identity& identity, const Json& wishes) { return overlay(as_context(identity), wishes); }

}  // namespace stash::inject
