#include "inject/backend_objection.h"

#include "api/backend_check.h"
#include "inject/host_path.h"
#include "inject/volumes.h"

namespace stash::inject {

std::optional<BackendObjection> backend_objection(const api::Backend& backend, const Settings& settings) {
  return backend_objection(backend, *volumes_of(backend), settings);
}

std::optional<BackendObjection> backend_objection(const api::Backend& backend, const RepositoryVolumes& volumes,
                                                  const Settings& settings) {
  if (const auto fault = api::backend_fault(backend)) return BackendObjection{Reason::malformed, to_string(*fault)};
  if (!backend.local) return std::nullopt;
  const Result<VolumeSource>& source = *volumes.local;
  if (!source) {
    const bool unsupported = source.error().code == ErrorCode::denied;
    return BackendObjection{unsupported ? Reason::backend_unsupported : Reason::malformed, source.error().message};
  }
  // Asked when the Repository was written, too; this is for those that are older than the administrator's list.
  std::string objection = host_path_objection(source->json, settings.allowed_host_paths);
  if (objection.empty()) return std::nullopt;
  return BackendObjection{Reason::host_path_not_allowed, std::move(objection)};
}

}  // namespace stash::inject
