#include "inject/shared_configuration.h"

#include "inject/applied.h"
#include "inject/containers.h"

namespace stash::inject {
namespace {

// Somebody may write megabytes into his objects; what is kept of them is as if he had not.
constexpr std::size_t kLargest = 16u << 10;

std::size_t size_of(const RepositoryVolumes& volumes) {
  return volumes.secret.text.size() + (volumes.local && *volumes.local ? (*volumes.local)->text.size() : 0);
}

}  // namespace

SharedConfiguration::SharedConfiguration(api::BackupConfiguration configuration) {
  auto applied = inject::applied(configuration);
  auto wishes = wishes_of(configuration.spec.runtime_settings, configuration.spec.temp_dir);
  state_ = std::make_shared<State>(std::move(configuration), std::move(applied), std::move(wishes));
}

std::shared_ptr<const MadeContainer> SharedConfiguration::sidecar(ContainerInputs inputs) const {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->sidecar != nullptr && state_->sidecar->inputs == inputs) return state_->sidecar;
  }
  auto made = make_sidecar(std::move(inputs));
  auto kept = made->complete.text.size() <= kLargest ? made : nullptr;
  const std::lock_guard lock(state_->mutex);
  state_->sidecar.swap(kept);  // what was kept is freed without the lock, for it was made before
  return made;
}

std::shared_ptr<const RepositoryVolumes> SharedConfiguration::volumes(
    const std::shared_ptr<const api::Repository>& repository) const {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->volumes != nullptr && state_->repository.lock() == repository) return state_->volumes;
  }
  auto made = volumes_of(repository->spec.backend);
  const std::lock_guard lock(state_->mutex);
  state_->volumes = size_of(*made) <= kLargest ? made : nullptr;
  state_->repository = repository;
  return made;
}

}  // namespace stash::inject
