#include "api/names.h"
#include "inject/container_parts.h"
#include "inject/identity.h"

namespace stash::inject {

Json init_container(const api::RestoreSession& session, const api::Repository& repository,
                    const ContainerInputs& inputs) {
  const std::vector<api::VolumeMount>& mounts = session.spec.target->volume_mounts;
  Json args = Json::array({"restore", "--restore-session=" + session.metadata.name});
  add_common_arguments(args, inputs.settings, session.spec.temp_dir);

  Json container = Json::object();
  container["name"] = api::names::kInitContainer;
  container["args"] = std::move(args);
  container["env"] = environment(inputs.runtime);
  container["volumeMounts"] = volume_mounts(inputs.volumes, mounts, repository);
  container["securityContext"] =
      overlay(init_container_security_context(inputs.workload, mounts, inputs.level), inputs.runtime.security_context);
  if (!inputs.runtime.env_from.empty()) container["envFrom"] = inputs.runtime.env_from;
  if (!inputs.runtime.resources.empty()) container["resources"] = inputs.runtime.resources;
  return container;
}

}  // namespace stash::inject
