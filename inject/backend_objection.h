#pragma once
#include <optional>
#include <string>

#include "api/repository.h"
#include "inject/decision.h"
#include "inject/settings.h"
#include "inject/volumes.h"

namespace stash::inject {

struct BackendObjection {
  Reason reason;
  std::string message;
};
/// Why no sidecar can ever use this backend as it is written; nullopt when one can. The Secret and the claim that it
/// names are another matter.
std::optional<BackendObjection> backend_objection(const api::Backend& backend, const Settings& settings);
/// The same, when its volumes are known.
std::optional<BackendObjection> backend_objection(const api::Backend& backend, const RepositoryVolumes& volumes,
                                                  const Settings& settings);

}  // namespace stash::inject
