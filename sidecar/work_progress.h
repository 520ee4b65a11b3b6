#pragma once
#include <string>

#include "api/backup_session.h"
#include "sidecar/restic_output.h"

namespace stash::sidecar {

/// How far the work on one host has come: paths of a backup or rules of a restore, one after another. What is known of
/// those that come later is nothing, so the totals grow and no time remains to be told before the last one.
class WorkProgress {
 public:
  explicit WorkProgress(std::size_t parts = 1) : parts_(parts) {}

  void set_parts(std::size_t parts) { parts_ = parts; }
  /// What is done now; a part or anything else.
  void step(std::string name) { step_ = std::move(name); }
  void note(const ResticStatus& status) { current_ = status; }
  /// The part has ended, with so much done; it counts as a part whatever became of it.
  void end_part(std::uint64_t files, std::uint64_t bytes);
  /// The same with all that was known of it.
  void end_part();

  api::Progress now() const;
  /// For the host's result: numbers only.
  api::Progress last() const;

 private:
  std::size_t parts_, ended_ = 0;
  std::uint64_t files_ = 0, bytes_ = 0;  ///< of ended parts
  std::string step_;
  std::optional<ResticStatus> current_;
};

}  // namespace stash::sidecar
