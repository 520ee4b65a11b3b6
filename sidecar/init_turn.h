#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "sidecar/context.h"

namespace stash::sidecar {

/// The right to make the restic repository of a Repository: `restic init` takes no lock, and two that overlap leave one
/// that neither can read. A claim in the Repository's status, written under its resourceVersion, so one pod has it at a
/// time; with a sign of life every 30 s. A claim without one for three minutes is that of a dead pod.
class InitTurn {
 public:
  /// `repository` as last read. References outlive this; `go_on` as everywhere.
  InitTurn(Context& context, const Json& repository, GoOn go_on);
  ~InitTurn();  ///< gives it back
  InitTurn(const InitTurn&) = delete;
  InitTurn& operator=(const InitTurn&) = delete;

  /// Blocks until this pod has it. Look again whether the repository is there then: others may have been before. Error
  /// cancelled: `go_on` said no; others as of kube::Api.
  Result<void> take();
  /// To be called often while it is held.
  void beat();

 private:
  Result<void> write_claim();
  void give_back();

  Context& context_;
  GoOn go_on_;
  api::ObjectRef ref_;
  const std::string uid_;
  std::string version_;
  Json claim_;  ///< as last read; null for none
  bool held_ = false;
  std::chrono::steady_clock::time_point last_beat_;
};

}  // namespace stash::sidecar
