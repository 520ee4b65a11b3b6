#include "inject/runtime_settings.h"

#include <algorithm>

#include "api/names.h"
#include "api/quantity.h"
#include "inject/shape.h"

namespace stash::inject {
namespace {

constexpr std::int64_t kLargest32 = std::numeric_limits<std::int32_t>::max();

bool has(const Json& object, const char* key) { return object.find(key) != object.end(); }

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> allowed) {
  return std::ranges::find(allowed, value) != allowed.end();
}

std::string exactly_one_source(const Json& value) { return value.size() == 1 ? "" : "needs exactly one source"; }

std::string needs_name(const Json& value) { return has(value, "name") ? "" : "needs a name"; }

std::string needs_name_and_key(const Json& value) {
  return has(value, "name") && has(value, "key") ? "" : "needs a name and a key";
}

// --- environment: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables

std::string variable_name_objection(const Json& value) {
  const std::string& name = value.get_ref<const std::string&>();
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_mark = [](char c) { return c == '_' || c == '-' || c == '.'; };
  const auto fits = [&](char c) { return is_letter(c) || is_mark(c) || (c >= '0' && c <= '9'); };
  const bool dots = name == "." || name.starts_with("..");
  const bool starts_well = !name.empty() && (is_letter(name.front()) || is_mark(name.front()));
  return starts_well && !dots && std::ranges::all_of(name, fits) ? "" : "not the name of a variable";
}

bool is_qualified_name(std::string_view name) {
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto is_part = [&](std::string_view part, std::size_t longest, std::string_view marks) {
    return !part.empty() && part.size() <= longest && is_alnum(part.front()) && is_alnum(part.back()) &&
           std::ranges::all_of(part, [&](char c) { return is_alnum(c) || marks.find(c) != std::string_view::npos; });
  };
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return is_part(name, 63, "-_.");
  std::string_view prefix = name.substr(0, slash);
  if (prefix.size() > 253 || !is_part(name.substr(slash + 1), 63, "-_.")) return false;
  while (true) {
    const std::string_view label = prefix.substr(0, prefix.find('.'));
    const bool lower = std::ranges::none_of(label, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!lower || !is_part(label, 253, "-")) return false;
    if (label.size() == prefix.size()) return true;
    prefix.remove_prefix(label.size() + 1);
  }
}

/// metadata.labels['key'] and metadata.annotations['key'].
bool is_entry_of_metadata(std::string_view path) {
  for (const std::string_view map : {"metadata.labels['", "metadata.annotations['"}) {
    if (path.starts_with(map) && path.ends_with("']") && path.size() > map.size() + 2)
      return is_qualified_name(path.substr(map.size(), path.size() - map.size() - 2));
  }
  return false;
}

std::string field_path_objection(const Json& value) {
  const std::string& path = value.get_ref<const std::string&>();
  if (is_one_of(path,
                {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
                 "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"})) {
    return "";
  }
  return is_entry_of_metadata(path) ? "" : "not a field that a variable can show";
}

std::string api_version_objection(const Json& value) { return value == "v1" ? "" : "must be v1"; }

std::string resource_objection(const Json& value) {
  const bool known =
      is_one_of(value.get_ref<const std::string&>(), {"limits.cpu", "limits.memory", "limits.ephemeral-storage",
                                                      "requests.cpu", "requests.memory", "requests.ephemeral-storage"});
  return known ? "" : "must be limits or requests of cpu, memory or ephemeral-storage, such as limits.cpu";
}

/// The pod would be created and its container not, should the other one ever be renamed.
std::string own_container_objection(const Json& value) {
  const bool own = value == api::names::kSidecar || value == api::names::kInitContainer;
  return own ? "" : "can only be Stash's own container, which is meant when it is left out";
}

std::string resource_field_objection(const Json& value) {
  if (!has(value, "resource")) return "needs a resource";
  const std::string divisor = string_at(value, {"divisor"});
  if (divisor.empty() || divisor == "0" || divisor == "1") return "";
  if (string_at(value, {"resource"}).ends_with(".cpu")) return divisor == "1m" ? "" : "the divisor of cpu is 1 or 1m";
  const bool known = is_one_of(divisor, {"1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"});
  return known ? "" : "the divisor is 1 or one unit, such as 1Mi";
}

std::string needs_field_path(const Json& value) { return has(value, "fieldPath") ? "" : "needs a fieldPath"; }

std::string variable_objection(const Json& value) {
  if (!has(value, "name")) return "needs a name";
  // By these the sidecar says who it is when it claims a host.
  if (is_one_of(string_at(value, {"name"}), {"POD_NAME", "POD_UID", "POD_NAMESPACE", "NODE_NAME"})) {
    return "is set by Stash itself; leave it out";
  }
  return has(value, "value") && has(value, "valueFrom") ? "has both value and valueFrom" : "";
}

std::string env_from_objection(const Json& value) {
  return has(value, "configMapRef") != has(value, "secretRef") ? "" : "needs exactly one source";
}

Shape key_selector() {
  return object({{"name", text()}, {"key", text()}, {"optional", boolean()}}, needs_name_and_key);
}

Shape env_shape() {
  const Shape field = object({{"apiVersion", text(api_version_objection)}, {"fieldPath", text(field_path_objection)}},
                             needs_field_path);
  const Shape amount = object({{"containerName", text(own_container_objection)},
                               {"resource", text(resource_objection)},
                               {"divisor", quantity()}},
                              resource_field_objection);
  return list_of(object({{"name", text(variable_name_objection)},
                         {"value", text()},
                         {"valueFrom", object({{"fieldRef", field},
                                               {"resourceFieldRef", amount},
                                               {"secretKeyRef", key_selector()},
                                               {"configMapKeyRef", key_selector()}},
                                              exactly_one_source)}},
                        variable_objection));
}

Shape env_from_shape() {
  const Shape source = object({{"name", text()}, {"optional", boolean()}}, needs_name);
  return list_of(object({{"prefix", text(variable_name_objection)}, {"configMapRef", source}, {"secretRef", source}},
                        env_from_objection));
}

// --- probes and lifecycle hooks

std::string exactly_one_action(const Json& value) {
  int actions = 0;
  for (const char* action : {"exec", "httpGet", "tcpSocket", "grpc"}) actions += has(value, action) ? 1 : 0;
  return actions == 1 ? "" : "needs exactly one action";
}

std::string needs_command(const Json& value) { return has(value, "command") ? "" : "needs a command"; }
std::string not_empty(const Json& value) { return value.empty() ? "must not be empty" : ""; }
std::string needs_port(const Json& value) { return has(value, "port") ? "" : "needs a port"; }
std::string scheme_objection(const Json& value) {
  return value == "HTTP" || value == "HTTPS" ? "" : "must be HTTP or HTTPS";
}
std::string header_objection(const Json& value) {
  const std::string& name = value.get_ref<const std::string&>();
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && std::ranges::all_of(name, fits) ? "" : "not the name of a header";
}

std::vector<Member> actions() {
  const Shape header = object({{"name", text(header_objection)}, {"value", text()}}, needs_name);
  return {{"exec", object({{"command", list_of(text(), not_empty)}}, needs_command)},
          {"httpGet", object({{"path", text()},
                              {"port", port()},
                              {"host", text()},
                              {"scheme", text(scheme_objection)},
                              {"httpHeaders", list_of(header)}},
                             needs_port)},
          {"tcpSocket", object({{"port", port()}, {"host", text()}}, needs_port)}};
}

Shape probe(std::int64_t most_successes, bool has_grace_period) {
  std::vector<Member> members = actions();
  members.push_back({"grpc", object({{"port", integer(1, 65535)}, {"service", text()}}, needs_port)});
  for (const char* name : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"}) {
    members.push_back({name, integer(0, kLargest32), true});
  }
  members.push_back({"successThreshold", integer(0, most_successes), true});
  if (has_grace_period) members.push_back({"terminationGracePeriodSeconds", integer(1, kLargest32)});
  return object(std::move(members), exactly_one_action);
}

Shape lifecycle() {
  const Shape action = object(actions(), exactly_one_action);
  return object({{"postStart", action}, {"preStop", action}});
}

// --- resources

/// Names of requests that are above their limits.
std::vector<std::string> above_their_limits(const Json& resources) {
  std::vector<std::string> found;
  for (const auto& [name, request] : object_at(resources, {"requests"}).items()) {
    const std::string limit = string_at(resources, {"limits", name});
    if (limit.empty()) continue;
    const long double most = api::parse_quantity(limit).value_or(0);
    if (api::parse_quantity(request.get_ref<const std::string&>()).value_or(0) > most) found.push_back(name);
  }
  return found;
}

std::string requests_within_limits(const Json& value) {
  const auto above = above_their_limits(value);
  return above.empty() ? "" : "the request for " + above.front() + " is above its limit";
}

Shape resources(Objection objection) {
  const Shape amounts = object({{"cpu", quantity()}, {"memory", quantity()}, {"ephemeral-storage", quantity()}});
  return object({{"limits", amounts}, {"requests", amounts}}, objection);
}

Json stated_parts(const Json& resources) {
  Json stated = Json::object();
  for (const char* part : {"limits", "requests"}) {
    const Json& amounts = object_at(resources, {part});
    if (!amounts.empty()) stated[part] = amounts;
  }
  return stated;
}

// --- security context

std::string profile_objection(const Json& value) {
  const std::string type = string_at(value, {"type"});
  if (!is_one_of(type, {"RuntimeDefault", "Unconfined", "Localhost"})) {
    return "type must be RuntimeDefault, Unconfined or Localhost";
  }
  const std::string file = string_at(value, {"localhostProfile"});
  if ((type == "Localhost") == file.empty()) return "localhostProfile goes with type Localhost, and only with it";
  return file.starts_with('/') || file.contains("..") ? "localhostProfile must be a path below the profile root" : "";
}

// What Pod Security "baseline" lets everybody add; more than that is never injected.
std::string capability_objection(const Json& value) {
  const bool harmless = is_one_of(value.get_ref<const std::string&>(),
                                  {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
                                   "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"});
  return harmless ? "" : "not a capability that Stash injects; allowed are those of Pod Security \"baseline\"";
}

std::string never_privileged(const Json& value) {
  if (value.value("privileged", false)) return "privileged containers are never injected";
  const auto user = value.find("runAsUser");
  const bool as_root = user != value.end() && *user == 0;
  return as_root && value.value("runAsNonRoot", false) ? "runAsUser 0 contradicts runAsNonRoot" : "";
}

Shape security_context() {
  const Shape profile = object({{"type", text()}, {"localhostProfile", text()}}, profile_objection);
  return object({{"runAsUser", integer(0, kLargest32)},
                 {"runAsGroup", integer(0, kLargest32)},
                 {"runAsNonRoot", boolean()},
                 {"readOnlyRootFilesystem", boolean()},
                 {"allowPrivilegeEscalation", boolean()},
                 {"privileged", boolean()},
                 {"capabilities", object({{"add", list_of(text(capability_objection))}, {"drop", list_of(text())}})},
                 {"seccompProfile", profile},
                 {"appArmorProfile", profile},
                 {"seLinuxOptions", object({{"user", text()}, {"role", text()}, {"type", text()}, {"level", text()}})}},
                never_privileged);
}

// --- placement of pods that are not the workload's

/// What is not a field at all the API server answers with an error of its own, as if trying again could help.
const Shape& placement_shape() {
  static const Shape shape = object(
      {{"nodeSelector", map_of(text())},
       {"tolerations", list_of(object({{"key", text()},
                                       {"operator", text()},
                                       {"value", text()},
                                       {"effect", text()},
                                       {"tolerationSeconds", integer(std::numeric_limits<std::int64_t>::min(),
                                                                     std::numeric_limits<std::int64_t>::max())}}))},
       {"priorityClassName", text()}});
  return shape;
}

const Shape& container_shape() {
  static const Shape shape = object({{"resources", resources(requests_within_limits)},
                                     {"livenessProbe", probe(1, true)},
                                     {"readinessProbe", probe(kLargest32, false)},
                                     {"lifecycle", lifecycle()},
                                     {"securityContext", security_context()},
                                     {"nice", object({{"adjustment", integer(-20, 19)}})},
                                     {"ionice", object({{"class", integer(0, 3)}, {"classData", integer(0, 7)}})},
                                     {"env", env_shape()},
                                     {"envFrom", env_from_shape()}});
  return shape;
}

void add_number(Json& env, const char* name, const Json* value) {
  if (value != nullptr) env.push_back({{"name", name}, {"value", dump_json(*value)}});
}

Json priority_env(const Json& container) {
  Json env = Json::array();
  add_number(env, "NICE_ADJUSTMENT", at(container, {"nice", "adjustment"}));
  add_number(env, "IONICE_CLASS", at(container, {"ionice", "class"}));
  add_number(env, "IONICE_CLASS_DATA", at(container, {"ionice", "classData"}));
  return env;
}

}  // namespace

Result<ContainerSettings> container_settings(const api::RuntimeSettings& settings) {
  if (settings.container.is_null()) return ContainerSettings{};
  TRY(const Json container, clean(settings.container, container_shape(), "spec.runtimeSettings.container"));
  ContainerSettings checked;
  checked.resources = stated_parts(object_at(container, {"resources"}));
  for (const char* hook : {"livenessProbe", "readinessProbe", "lifecycle"}) {
    const Json& value = object_at(container, {hook});
    if (!value.empty()) checked.hooks[hook] = value;
  }
  checked.security_context = object_at(container, {"securityContext"});
  checked.env = priority_env(container);
  for (Json variable : array_at(container, {"env"})) {
    // The same settings may be for either of our two containers, each of which shows its own without a name.
    if (at(variable, {"valueFrom", "resourceFieldRef", "containerName"}) != nullptr)
      variable["valueFrom"]["resourceFieldRef"].erase("containerName");
    checked.env.push_back(std::move(variable));
  }
  checked.env_from = array_at(container, {"envFrom"});
  return checked;
}

Result<Json> parse_resources(std::string_view json) {
  TRY(const Json value, parse_json(json));
  TRY(const Json cleaned, clean(value, resources(nullptr), "resources"));
  Json stated = stated_parts(cleaned);
  for (const std::string& name : above_their_limits(stated)) stated["limits"][name] = stated["requests"][name];
  return stated;
}

Json placement_in(const Json& pod) {
  Json placement = Json::object();
  for (const char* part : {"nodeSelector", "tolerations", "priorityClassName"}) {
    if (const Json* stated = at(pod, {part})) placement[part] = *stated;
  }
  return placement;
}

Result<Json> pod_placement(const api::RuntimeSettings& settings) {
  TRY(Json placement, clean(placement_in(settings.pod), placement_shape(), "spec.runtimeSettings.pod"));
  for (const char* part : {"nodeSelector", "tolerations"}) {
    if (has(placement, part) && placement[part].empty()) placement.erase(part);
  }
  return placement;
}

std::vector<std::string> pull_secrets_of(const api::RuntimeSettings& settings) {
  std::vector<std::string> found;
  for (const Json& secret : array_at(settings.pod, {"imagePullSecrets"})) {
    const std::string name = string_at(secret, {"name"});
    if (!name.empty()) found.push_back(name);
  }
  return found;
}

}  // namespace stash::inject
