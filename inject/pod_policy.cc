#include "inject/pod_policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "inject/volumes.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;

constexpr std::size_t kMostAnnotationBytes = std::size_t{256} << 10;
constexpr std::size_t kMostObjectBytes = 1'400'000;  // etcd's limit, less room for managedFields and status

constexpr std::string_view kRestrictedVolumes[] = {"configMap", "csi",    "downwardAPI", "emptyDir",
                                                   "ephemeral", "secret", "projected",   "persistentVolumeClaim"};

std::string source_of(const Json& volume) {
  for (const auto& [key, value] : volume.items()) {
    if (key != "name") return key;
  }
  return "";
}

std::string baseline_violation(const Json& container) {
  const Json& context = object_at(container, {"securityContext"});
  if (string_at(context, {"seccompProfile", "type"}) == "Unconfined") return "an unconfined seccompProfile";
  if (string_at(context, {"appArmorProfile", "type"}) == "Unconfined") return "an unconfined appArmorProfile";
  const Json& se_linux = object_at(context, {"seLinuxOptions"});
  constexpr std::string_view usual_types[] = {"", "container_t", "container_init_t", "container_kvm_t",
                                              "container_engine_t"};
  const bool usual_type = std::ranges::find(usual_types, string_at(se_linux, {"type"})) != std::end(usual_types);
  if (!usual_type || se_linux.contains("user") || se_linux.contains("role")) return "special seLinuxOptions";
  const Json* hooks[] = {&object_at(container, {"livenessProbe"}), &object_at(container, {"readinessProbe"}),
                         &object_at(container, {"lifecycle", "postStart"}),
                         &object_at(container, {"lifecycle", "preStop"})};
  for (const Json* hook : hooks) {
    if (at(*hook, {"httpGet", "host"}) != nullptr || at(*hook, {"tcpSocket", "host"}) != nullptr) {
      return "a probe or hook with a host";
    }
  }
  return "";
}

std::string restricted_violation(const Json& container) {
  const Json& context = object_at(container, {"securityContext"});
  if (!bool_at(context, {"runAsNonRoot"}) || int_at(context, {"runAsUser"}, 1) == 0) return "running as root";
  if (bool_at(context, {"allowPrivilegeEscalation"}, true)) return "allowPrivilegeEscalation";
  const Json& dropped = array_at(context, {"capabilities", "drop"});
  if (std::ranges::find(dropped, Json("ALL")) == dropped.end()) return "keeping capabilities";
  for (const Json& capability : array_at(context, {"capabilities", "add"})) {
    if (capability != "NET_BIND_SERVICE") return "adding capabilities";
  }
  return at(context, {"seccompProfile", "type"}) == nullptr ? "no seccompProfile" : "";
}

std::string volume_violation(PodSecurity level, const Json& volume) {
  const std::string source = source_of(volume);
  const bool restricted = level == PodSecurity::restricted;
  const bool allowed =
      restricted ? std::ranges::find(kRestrictedVolumes, source) != std::end(kRestrictedVolumes) : source != "hostPath";
  return allowed ? "" : fmt::format("a {} volume, which the Repository's local backend uses", source);
}

bool is_at_or_below(std::string_view path, std::string_view parent) {
  if (parent == "/") return true;
  return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

// Mounting over these would hide the programs that the container runs, or the kernel's file systems.
constexpr std::string_view kNotReplaceable[] = {"/",    "/bin",       "/sbin",          "/lib",     "/lib64",
                                                "/usr", "/usr/bin",   "/usr/sbin",      "/usr/lib", "/usr/lib64",
                                                "/etc", "/usr/local", "/usr/local/bin", "/stash"};

std::string path_objection(const std::string& path) {
  if (!path.starts_with('/') || path.contains(':') || (path + "/").contains("/../")) {
    return "is not an absolute path that can be mounted";
  }
  const std::string place = tidy(path);
  const bool essential = std::ranges::find(kNotReplaceable, place) != std::end(kNotReplaceable) ||
                         is_at_or_below(place, "/proc") || is_at_or_below(place, "/sys") ||
                         is_at_or_below(place, "/dev");
  if (essential) return "would hide files that the container needs";
  const bool ours = place == names::kTmpPath || is_at_or_below(place, names::kPodinfoPath);
  return ours ? "is where Stash mounts a volume of its own" : "";
}

bool is_bad_sub_path(const std::string& path) {
  return path.starts_with('/') || ("/" + path + "/").contains("/../") || path.contains(':');
}

std::optional<Obstacle> volume_obstacle(const PodTemplate& pod, const api::VolumeMount& mount) {
  if (is_reserved(mount.name)) {
    return Obstacle{Reason::volume_name_taken,
                    fmt::format("spec.target.volumeMounts names volume {}, a name that Stash uses itself; rename the "
                                "volume in the workload",
                                mount.name)};
  }
  if (is_block_device(pod, mount.name)) {
    return Obstacle{Reason::volume_is_device,
                    fmt::format("spec.target.volumeMounts names volume {}, which is a block device; Stash backs up "
                                "files, so name volumes with a file system only",
                                mount.name)};
  }
  if (mount.name.empty() || !has_volume(pod, mount.name)) {
    return Obstacle{Reason::volume_missing,
                    fmt::format("spec.target.volumeMounts names volume \"{}\", which the pod template does not have; "
                                "correct the name or add the volume",
                                mount.name)};
  }
  if (is_bad_sub_path(mount.sub_path)) {
    return Obstacle{Reason::malformed, fmt::format("spec.target.volumeMounts: subPath \"{}\" is not a path inside "
                                                   "volume {}",
                                                   mount.sub_path, mount.name)};
  }
  return std::nullopt;
}

std::optional<Obstacle> place_obstacle(const api::VolumeMount& mount, const std::optional<api::LocalBackend>& local) {
  if (const std::string objection = path_objection(mount.mount_path); !objection.empty()) {
    return Obstacle{Reason::mount_path_taken,
                    fmt::format("spec.target.volumeMounts: \"{}\" {}; mount volume {} elsewhere", mount.mount_path,
                                objection, mount.name)};
  }
  if (!local) return std::nullopt;
  const std::string place = tidy(mount.mount_path);
  const std::string repository = tidy(local->mount_path);
  if (overlap(place, repository)) {
    return Obstacle{Reason::mount_path_taken,
                    fmt::format("{} and the Repository's mountPath {} lie one in the other, so that the backup would "
                                "contain itself; choose another mountPath",
                                mount.mount_path, local->mount_path)};
  }
  return std::nullopt;
}

/// Is the place that the Repository asks for one where nothing is in its way?
std::optional<Obstacle> repository_obstacle(const api::LocalBackend& local) {
  if (const std::string objection = path_objection(local.mount_path); !objection.empty()) {
    return Obstacle{Reason::mount_path_taken,
                    fmt::format("the Repository's spec.backend.local.mountPath \"{}\" {}; choose another",
                                local.mount_path, objection)};
  }
  if (is_bad_sub_path(local.sub_path)) {
    return Obstacle{Reason::malformed, fmt::format("the Repository's spec.backend.local.subPath \"{}\" is not a path "
                                                   "inside its volume",
                                                   local.sub_path)};
  }
  return std::nullopt;
}

std::size_t bytes_of(const Json& annotations) {
  std::size_t total = 0;
  for (const auto& [key, value] : annotations.get_ref<const Json::object_t&>())
    total += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  return total;
}

/// Of the workload or of its template, whichever has more.
std::size_t annotation_bytes(const Json& workload) {
  return std::max(bytes_of(object_at(workload, {"metadata", "annotations"})),
                  bytes_of(object_at(workload, {"spec", "template", "metadata", "annotations"})));
}

constexpr std::size_t kEscaped = 6;  // \u0000
constexpr std::size_t kScalar = 32;  // the longest number, and a comma

/// No less than the object's text takes, without writing it.
std::size_t most_bytes(const Json& value) {
  if (const auto* text = value.get_ptr<const std::string*>()) return kEscaped * text->size() + kScalar;
  std::size_t total = kScalar;
  if (const auto* members = value.get_ptr<const Json::object_t*>()) {
    for (const auto& [key, member] : *members) total += kEscaped * key.size() + kScalar + most_bytes(member);
  } else if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
    for (const Json& element : *elements) total += most_bytes(element);
  }
  return total;
}

std::size_t most_bytes(const Value& value) { return value.text.empty() ? most_bytes(value.json) : value.text.size(); }

}  // namespace

std::string tidy(std::string_view path) {
  std::string result;
  result.reserve(path.size());
  for (const char c : path) {
    if (c != '/' || result.empty() || result.back() != '/') result += c;
  }
  if (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

bool overlap(std::string_view path, std::string_view other) {
  const std::string one = tidy(path);
  const std::string two = tidy(other);
  return is_at_or_below(one, two) || is_at_or_below(two, one);
}

PodSecurity pod_security_of(const Json& namespace_labels) {
  const std::string level = string_at(namespace_labels, {"pod-security.kubernetes.io/enforce"});
  if (level == "restricted") return PodSecurity::restricted;
  return level == "baseline" ? PodSecurity::baseline : PodSecurity::privileged;
}

std::optional<Obstacle> pod_security_obstacle(PodSecurity level, const std::string& ns, const Json& container,
                                              const std::vector<const Json*>& volumes) {
  if (level == PodSecurity::privileged) return std::nullopt;
  std::string violation = baseline_violation(container);
  if (violation.empty() && level == PodSecurity::restricted) violation = restricted_violation(container);
  for (const Json* volume : volumes) {
    if (violation.empty()) violation = volume_violation(level, *volume);
  }
  if (violation.empty()) return std::nullopt;
  return Obstacle{
      Reason::pod_security,
      fmt::format("namespace {} enforces Pod Security \"{}\", which forbids {}; use a persistentVolumeClaim "
                  "as backend, change runtimeSettings, or lower the level",
                  ns, level == PodSecurity::restricted ? "restricted" : "baseline", violation)};
}

std::optional<Obstacle> mount_obstacle(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts,
                                       const std::optional<api::LocalBackend>& local) {
  if (local) {
    if (auto obstacle = repository_obstacle(*local)) return obstacle;
  }
  std::vector<std::string> taken;
  for (const api::VolumeMount& mount : mounts) {
    if (auto obstacle = volume_obstacle(pod, mount)) return obstacle;
    if (auto obstacle = place_obstacle(mount, local)) return obstacle;
    std::string place = tidy(mount.mount_path);
    if (std::ranges::find(taken, place) != taken.end()) {
      return Obstacle{
          Reason::mount_path_taken,
          fmt::format("spec.target.volumeMounts mounts two volumes at {}; mount one elsewhere", mount.mount_path)};
    }
    taken.push_back(std::move(place));
  }
  return std::nullopt;
}

bool has_its_volumes(const PodTemplate& pod, const Json& container) {
  return std::ranges::all_of(array_at(container, {"volumeMounts"}), [&](const Json& mount) {
    const std::string_view volume = text_at(mount, {"name"});
    return has_volume(pod, volume) && !is_block_device(pod, volume);
  });
}

bool may_exceed_limits(const Json& workload, std::size_t part_of, const Operations& operations) {
  std::size_t added = 0;
  for (const Operation& operation : operations) {
    added += kEscaped * operation.path.size() + kScalar + (operation.value ? most_bytes(*operation.value) : 0);
  }
  // A text has no fewer bytes than the values of the annotations in it.
  const std::size_t annotations = part_of > 0 ? part_of : annotation_bytes(workload);
  const std::size_t all = part_of > 0 ? kEscaped * part_of : most_bytes(workload);
  return annotations + added > kMostAnnotationBytes || all + added > kMostObjectBytes;
}

std::optional<Obstacle> size_obstacle(const Json& workload) {
  if (annotation_bytes(workload) > kMostAnnotationBytes) {
    return Obstacle{Reason::too_large, "its annotations would exceed the API server's limit of 256 KiB; shorten them"};
  }
  if (dump_json(workload).size() > kMostObjectBytes) {
    return Obstacle{Reason::too_large, "it would come near etcd's limit of 1.5 MiB; make it smaller"};
  }
  return std::nullopt;
}

}  // namespace stash::inject
