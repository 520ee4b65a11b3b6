#include "inject/containers.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "base/hash.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;

Json mount(const std::string& volume, std::string_view path, const std::string& sub_path) {
  Json entry = Json::object();
  entry["name"] = volume;
  entry["mountPath"] = path;
  if (!sub_path.empty()) entry["subPath"] = sub_path;
  return entry;
}

Json from_field(const char* name, const char* path) {
  return {{"name", name}, {"valueFrom", {{"fieldRef", {{"fieldPath", path}}}}}};
}

/// The tail of the arguments, from --secret-dir on.
void add_common_arguments(Json& args, const ContainerInputs& inputs) {
  const std::string& push = inputs.pushgateway_url;
  const std::string& secret_path = inputs.repositories.front().secret_path;
  args.push_back("--secret-dir=" + secret_path);
  args.push_back(inputs.temp_dir.disable_caching ? "--enable-cache=false" : "--enable-cache=true");
  args.push_back("--max-connections=0");  // the sidecar reads it from the Repository, so a change restarts no pod
  args.push_back(push.empty() ? "--metrics-enabled=false" : "--metrics-enabled=true");
  if (!push.empty()) args.push_back("--pushgateway-url=" + push);
  for (const RepositoryPlace& place : inputs.repositories) {
    if (place.secret_path != secret_path) {
      args.push_back(fmt::format("--repository-secret-dir={}={}", place.repository, place.secret_path));
    }
    if (place.moved) args.push_back(fmt::format("--local-mount={}={}", place.repository, place.local_path));
  }
}

Json environment(const ContainerSettings& runtime) {
  static const Json of_the_pod =
      Json::array({from_field("NODE_NAME", "spec.nodeName"), from_field("POD_NAME", "metadata.name"),
                   from_field("POD_UID", "metadata.uid"), from_field("POD_NAMESPACE", "metadata.namespace")});
  Json env = of_the_pod;
  for (const Json& variable : runtime.env) {
    const auto existing = std::ranges::find_if(
        env, [&](const Json& entry) { return text_at(entry, {"name"}) == text_at(variable, {"name"}); });
    if (existing == env.end()) {
      env.push_back(variable);
    } else {
      *existing = variable;
    }
  }
  return env;
}

Json volume_mounts(const ContainerInputs& inputs) {
  Json mounts = Json::array({mount(inputs.podinfo_volume, names::kPodinfoPath, "")});
  std::vector<std::string_view> mounted;
  for (const RepositoryPlace& place : inputs.repositories) {
    if (std::ranges::find(mounted, place.secret_volume) != mounted.end()) continue;
    mounts.push_back(mount(place.secret_volume, place.secret_path, ""));
    mounted.push_back(place.secret_volume);
  }
  mounts.push_back(mount(inputs.tmp_volume, names::kTmpPath, ""));
  for (const api::VolumeMount& wanted : inputs.mounts) {
    mounts.push_back(mount(wanted.name, wanted.mount_path, wanted.sub_path));
  }
  for (const RepositoryPlace& place : inputs.repositories) {
    if (!place.local_volume.empty())
      mounts.push_back(mount(place.local_volume, place.local_path, place.local_sub_path));
  }
  return mounts;
}

/// `args` begin with the program's verb; what follows from all other inputs is added.
Json container(std::string_view name, Json args, const ContainerInputs& inputs) {
  add_common_arguments(args, inputs);
  Json container = Json::object();
  container["name"] = name;
  container["args"] = std::move(args);
  container["env"] = environment(*inputs.runtime);
  container["volumeMounts"] = volume_mounts(inputs);
  container["securityContext"] = security_context(inputs.identity, inputs.runtime->security_context);
  if (!inputs.runtime->env_from.empty()) container["envFrom"] = inputs.runtime->env_from;
  if (!inputs.runtime->resources.empty()) container["resources"] = inputs.runtime->resources;
  return container;
}

/// As the API server will have it, so that it is known again. Until here they count: a wish for an empty list takes out
/// what is in ours by default.
void drop_empty_lists(Json& value) {
  if (auto* members = value.get_ptr<Json::object_t*>()) {
    for (auto& [key, member] : *members) drop_empty_lists(member);
    std::erase_if(*members, [](const auto& member) { return member.second.is_array() && member.second.empty(); });
  } else if (auto* elements = value.get_ptr<Json::array_t*>()) {
    for (Json& element : *elements) drop_empty_lists(element);
  }
}

std::shared_ptr<const MadeContainer> made(ContainerInputs inputs, Json container) {
  const std::uint64_t hash = fnv1a(dump_json(container), fnv1a(R"({"container":)"));
  drop_empty_lists(container);
  Json whole = complete(container, inputs.image, inputs.resources);
  std::string text = dump_json(whole);
  return std::make_shared<const MadeContainer>(
      MadeContainer{std::move(inputs), std::move(container), hash, {std::move(whole), std::move(text)}});
}

}  // namespace

std::shared_ptr<const MadeContainer> make_sidecar(ContainerInputs inputs) {
  Json args = {"run-backup"};
  for (const std::string& name : inputs.objects) args.push_back("--backup-configuration=" + name);
  Json sidecar = container(names::kSidecar, std::move(args), inputs);
  sidecar.update(inputs.runtime->hooks);
  return made(std::move(inputs), std::move(sidecar));
}

std::shared_ptr<const MadeContainer> make_init_container(ContainerInputs inputs) {
  Json args = {"restore", "--restore-session=" + inputs.objects.front()};
  Json init_container = container(names::kInitContainer, std::move(args), inputs);
  return made(std::move(inputs), std::move(init_container));
}

Json complete(Json asked, const std::string& image, const Json& resources) {
  asked["image"] = image;
  if (!resources.empty()) asked["resources"] = resources;
  return asked;
}

}  // namespace stash::inject
