#pragma once
#include <memory>
#include <string>

#include "api/backup_configuration.h"

namespace stash::inject {

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
  const std::string& applied() const { return state_->applied; }

 private:
  struct State {
    api::BackupConfiguration configuration;
    std::string applied;
  };
  std::shared_ptr<const State> state_;
};

}  // namespace stash::inject
