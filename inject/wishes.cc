#include "inject/wishes.h"

namespace stash::inject {

Result<Wishes> wishes_of(const api::RuntimeSettings& settings, const api::TempDir& temp_dir) {
  TRY(ContainerSettings container, container_settings(settings));
  TRY(Json tmp, tmp_source(temp_dir));
  return Wishes{.settings = std::make_shared<const ContainerSettings>(std::move(container)),
                .tmp = std::make_shared<const VolumeSource>(volume_source(std::move(tmp), tmp_volume_names()))};
}

}  // namespace stash::inject
