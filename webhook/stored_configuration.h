#pragma once
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "base/json.h"
#include "base/result.h"

namespace stash::webhook {

/// A BackupConfiguration as it waits for the review that needs it: what it is looked for by, and all else as text.
/// Decoded it takes three to four times as much, and a large cluster has ten thousand of them (docs/performance.md).
/// Immutable.
class StoredConfiguration {
 public:
  /// The error is that of decoding.
  static Result<StoredConfiguration> of(const Json& object);

  const std::optional<api::TargetRef>& target() const { return target_; }
  const std::string& repository() const { return repository_; }
  bool being_deleted() const { return being_deleted_; }
  std::size_t size() const {
    return text_.size();
  }  ///< bytes of text; decoded it is three to four times as much, or more

  /// As it came, without the conditions of its status and without kubectl's copy of it. An error would be a bug of
  /// ours.
  Result<api::BackupConfiguration> decoded() const;

 private:
  StoredConfiguration() = default;

  std::optional<api::TargetRef> target_;
  std::string repository_;
  bool being_deleted_ = false;
  std::string text_;
};

}  // namespace stash::webhook
