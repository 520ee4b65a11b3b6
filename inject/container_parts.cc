#include "inject/container_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "inject/identity.h"

namespace stash::inject {
namespace {

namespace names = api::names;

Json mount(const std::string& volume, std::string_view path, const std::string& sub_path) {
  Json entry = {{"name", volume}, {"mountPath", path}};
  if (!sub_path.empty()) entry["subPath"] = sub_path;
  return entry;
}

Json from_field(const char* name, const char* path) {
  return {{"name", name}, {"valueFrom", {{"fieldRef", {{"fieldPath", path}}}}}};
}

/// The tail of the arguments, from --secret-dir on.
void add_common_arguments(Json& args, const Settings& settings, const api::TempDir& temp_dir) {
  args.push_back(fmt::format("--secret-dir={}", names::kSecretPath));
  args.push_back(fmt::format("--enable-cache={}", !temp_dir.disable_caching));
  args.push_back("--max-connections=0");  // a local backend has no connections
  args.push_back(fmt::format("--metrics-enabled={}", !settings.pushgateway_url.empty()));
  if (!settings.pushgateway_url.empty()) args.push_back("--pushgateway-url=" + settings.pushgateway_url);
}

Json environment(const ContainerSettings& runtime) {
  Json env = Json::array({from_field("NODE_NAME", "spec.nodeName"), from_field("POD_NAME", "metadata.name"),
                          from_field("POD_UID", "metadata.uid"), from_field("POD_NAMESPACE", "metadata.namespace")});
  for (const Json& variable : runtime.env) {
    const auto existing = std::ranges::find_if(
        env, [&](const Json& entry) { return string_at(entry, {"name"}) == string_at(variable, {"name"}); });
    if (existing == env.end()) {
      env.push_back(variable);
    } else {
      *existing = variable;
    }
  }
  return env;
}

Json volume_mounts(const VolumeChoice& volumes, const std::vector<api::VolumeMount>& target,
                   const api::Repository& repository) {
  Json mounts = Json::array({mount(volumes.podinfo, names::kPodinfoPath, ""),
                             mount(volumes.secret, names::kSecretPath, ""), mount(volumes.tmp, names::kTmpPath, "")});
  for (const api::VolumeMount& wanted : target)
    mounts.push_back(mount(wanted.name, wanted.mount_path, wanted.sub_path));
  const auto& local = repository.spec.backend.local;
  if (local) mounts.push_back(mount(volumes.local, local->mount_path, local->sub_path));
  return mounts;
}

}  // namespace

Json common_container(ContainerIdentity identity, const api::TempDir& temp_dir,
                      const std::vector<api::VolumeMount>& target, const api::Repository& repository,
                      const ContainerInputs& inputs) {
  Json args = std::move(identity.args);
  add_common_arguments(args, inputs.settings, temp_dir);

  Json container = Json::object();
  container["name"] = identity.name;
  container["args"] = std::move(args);
  container["env"] = environment(inputs.runtime);
  container["volumeMounts"] = volume_mounts(inputs.volumes, target, repository);
  container["securityContext"] = overlay(std::move(identity.security_context), inputs.runtime.security_context);
  if (!inputs.runtime.env_from.empty()) container["envFrom"] = inputs.runtime.env_from;
  if (!inputs.runtime.resources.empty()) container["resources"] = inputs.runtime.resources;
  return container;
}

}  // namespace stash::inject
