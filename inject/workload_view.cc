#include "inject/workload_view.h"

#include <algorithm>

#include "api/names.h"

namespace stash::inject {
namespace {

namespace names = api::names;

bool is_absent_or_object(const Json& workload, std::initializer_list<std::string_view> path) {
  const Json* value = at(workload, path);
  return value == nullptr || value->is_null() || value->is_object();
}

bool is_absent_or_list(const Json& spec, std::string_view key) {
  const Json* list = at(spec, {key});
  if (list == nullptr || list->is_null()) return true;
  return list->is_array() && std::ranges::all_of(*list, [](const Json& entry) { return entry.is_object(); });
}

std::string_view first_argument(const Json& container) {
  const Json& args = array_at(container, {"args"});
  return args.empty() ? "" : text_at(args.front(), {});
}

const Json* find_where(const Json& list, bool (*wanted)(const Json&)) {
  const auto found = std::ranges::find_if(list, wanted);
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

bool is_well_formed(const Json& workload) {
  const Json* spec = at(workload, {"spec", "template", "spec"});
  if (spec == nullptr || !spec->is_object()) return false;
  const Json* containers = at(*spec, {"containers"});
  if (containers == nullptr || !containers->is_array()) return false;
  for (const std::string_view list : {"containers", "initContainers", "volumes", "imagePullSecrets"}) {
    if (!is_absent_or_list(*spec, list)) return false;
  }
  return is_absent_or_object(workload, {"metadata"}) && is_absent_or_object(workload, {"metadata", "annotations"}) &&
         is_absent_or_object(workload, {"spec", "template", "metadata"}) &&
         is_absent_or_object(workload, {"spec", "template", "metadata", "annotations"});
}

PodTemplate::PodTemplate(const Json& of) : workload(&of) {
  const Json& workload_spec = object_at(of, {"spec"});
  spec = &object_at(workload_spec, {"template", "spec"});
  containers = &array_at(*spec, {"containers"});
  init_containers = &array_at(*spec, {"initContainers"});
  volumes = &array_at(*spec, {"volumes"});
  claims = &array_at(workload_spec, {"volumeClaimTemplates"});
}

const Json* named(const Json& list, std::string_view name) {
  for (const Json& entry : list) {
    if (text_at(entry, {"name"}) == name) return &entry;
  }
  return nullptr;
}

bool is_sidecar(const Json& container) {
  return text_at(container, {"name"}) == names::kSidecar && first_argument(container) == "run-backup";
}
bool is_init_container(const Json& container) {
  return text_at(container, {"name"}) == names::kInitContainer && first_argument(container) == "restore";
}
const Json* sidecar_of(const PodTemplate& pod) { return find_where(containers_of(pod), is_sidecar); }
const Json* init_container_of(const PodTemplate& pod) { return find_where(init_containers_of(pod), is_init_container); }

bool name_is_taken(const PodTemplate& pod, std::string_view name) {
  const auto taken_by = [name](const Json& container, bool ours) {
    return text_at(container, {"name"}) == name && !ours;
  };
  return std::ranges::any_of(containers_of(pod), [&](const Json& c) { return taken_by(c, is_sidecar(c)); }) ||
         std::ranges::any_of(init_containers_of(pod), [&](const Json& c) { return taken_by(c, is_init_container(c)); });
}

std::vector<std::string> invokers_of(const Json& container) {
  std::vector<std::string> invokers;
  for (const Json& argument : array_at(container, {"args"})) {
    if (!argument.is_string()) continue;
    const std::string_view text = argument.get_ref<const std::string&>();
    for (const std::string_view flag : {"--backup-configuration=", "--restore-session=", "--invoker-name="}) {
      if (text.starts_with(flag)) invokers.emplace_back(text.substr(flag.size()));
    }
  }
  return invokers;
}

std::string invoker_of(const Json& container) {
  const std::vector<std::string> invokers = invokers_of(container);
  return invokers.empty() ? "" : invokers.front();
}

bool is_block_device(const PodTemplate& pod, std::string_view volume) {
  const auto has_device = [volume](const Json& container) {
    return named(array_at(container, {"volumeDevices"}), volume) != nullptr;
  };
  const auto claims_device = [volume](const Json& claim) {
    return text_at(claim, {"metadata", "name"}) == volume && text_at(claim, {"spec", "volumeMode"}) == "Block";
  };
  return std::ranges::any_of(containers_of(pod), has_device) ||
         std::ranges::any_of(init_containers_of(pod), has_device) || std::ranges::any_of(*pod.claims, claims_device);
}

bool has_volume(const PodTemplate& pod, std::string_view volume) {
  return named(volumes_of(pod), volume) != nullptr || std::ranges::any_of(*pod.claims, [volume](const Json& claim) {
           return text_at(claim, {"metadata", "name"}) == volume;
         });
}

std::vector<std::string> mountable_volumes(const PodTemplate& pod) {
  std::vector<std::string> found;
  for (const Json& volume : volumes_of(pod)) found.push_back(string_at(volume, {"name"}));
  for (const Json& claim : *pod.claims) {
    found.push_back(string_at(claim, {"metadata", "name"}));
  }
  std::erase_if(found, [&](const std::string& name) { return is_block_device(pod, name); });
  return found;
}

bool is_windows(const PodTemplate& pod) {
  const Json& spec = pod_spec(pod);
  return text_at(spec, {"os", "name"}) == "windows" || text_at(spec, {"nodeSelector", "kubernetes.io/os"}) == "windows";
}

std::string template_owner(const Json& workload, std::string_view kind) {
  if (kind != "ReplicaSet" && kind != "ReplicationController") return "";
  for (const Json& owner : array_at(workload, {"metadata", "ownerReferences"})) {
    const Json* controller = at(owner, {"controller"});
    if (controller == nullptr || *controller != true) continue;
    return string_at(owner, {"kind"}) + " " + string_at(owner, {"name"});
  }
  return "";
}

}  // namespace stash::inject
