#pragma once
#include <memory>
#include <mutex>

#include "api/backup_configuration.h"
#include "inject/wishes.h"

namespace stash::inject {

struct ContainerInputs;
struct MadeContainer;

/// A BackupConfiguration that nobody changes any more, so that those who look at it share it, and share what is made of
/// it only once. Copies are cheap. Thread-safe.
class SharedConfiguration {
 public:
  // Wherever one is asked for, one that stands alone does as well.
  SharedConfiguration(api::BackupConfiguration configuration);  // NOLINT(google-explicit-constructor)
  operator const api::BackupConfiguration&() const { return state_->configuration; }  // NOLINT

  const api::BackupConfiguration& operator*() const { return state_->configuration; }
  const api::BackupConfiguration* operator->() const { return &state_->configuration; }
  /// What the annotation says that was applied (applied.h).
  const std::shared_ptr<const Value>& applied() const { return state_->applied; }
  const Result<Wishes>& wishes() const { return state_->wishes; }
  /// As make_sidecar (containers.h). The last one is kept, unless it is large: the next review of its workload takes
  /// the same.
  std::shared_ptr<const MadeContainer> sidecar(ContainerInputs inputs) const;
  /// As volumes_of (volumes.h), likewise. `repository` is not null.
  std::shared_ptr<const RepositoryVolumes> volumes(const std::shared_ptr<const api::Repository>& repository) const;

 private:
  struct State {
    api::BackupConfiguration configuration;
    std::shared_ptr<const Value> applied;
    Result<Wishes> wishes;
    std::mutex mutex;
    // Guarded by mutex.
    std::shared_ptr<const MadeContainer> sidecar = nullptr;
    std::weak_ptr<const api::Repository> repository = {};  ///< whose volumes these are
    std::shared_ptr<const RepositoryVolumes> volumes = nullptr;
  };
  std::shared_ptr<State> state_;
};

}  // namespace stash::inject
