#pragma once
#include <memory>

#include "api/shared_types.h"
#include "base/result.h"
#include "inject/runtime_settings.h"
#include "inject/volumes.h"

namespace stash::inject {

/// What a BackupConfiguration or RestoreSession asks of a container of ours, checked.
struct Wishes {
  std::shared_ptr<const ContainerSettings> settings;  ///< not null
  std::shared_ptr<const VolumeSource> tmp;            ///< not null
};

/// Error invalid names the field, as container_settings and tmp_source do.
Result<Wishes> wishes_of(const api::RuntimeSettings& settings, const api::TempDir& temp_dir);

}  // namespace stash::inject
