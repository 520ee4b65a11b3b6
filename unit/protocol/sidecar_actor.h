#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "controller/workload_facts.h"
#include "sidecar/claim.h"
#include "unit/protocol/store.h"

namespace stash::test {

/// A sidecar cut off from the API server for so long stops by itself, well before the controller counts it as stalled.
inline constexpr minutes kStopsAlone{10};

/// A pod with a sidecar: it claims, works, writes signs of life and a result with the operations of sidecar/claim.h,
/// as sidecar/host_status.cc does, and everything may happen to it.
class SidecarActor {
 public:
  SidecarActor(Scene& scene, sidecar::PodIdentity identity);

  /// As many seconds have gone by.
  void live(seconds time);

  void crash();      ///< its container; a new one follows in a moment
  void vanish();     ///< with its node: the processes are gone, and the object
  void terminate();  ///< SIGTERM: hands back what it has, if it can
  void pause(seconds time) { paused_ = std::max(paused_, time); }
  void cut_off(seconds time) { cut_ = std::max(cut_, time); }
  /// Its object is removed although nobody knows whether its processes live on. Kubernetes makes whoever does that
  /// before the sidecar has stopped alone vouch for it; who vouches wrongly has two writers, and is not counted.
  void remove_by_force();
  void heal() { paused_ = cut_ = seconds(0); }
  /// What the network has kept arrives at last.
  void deliver_late(bool all);

  /// It may write into the repository on behalf of `host`.
  bool writes(const std::string& host) const { return restic_ && host_ == host && !vouched_wrongly_; }
  bool is_cut_off() const { return cut_ > seconds(0); }
  bool has_object() const { return object_; }
  bool is_forgotten() const { return !object_ && !alive_ && late_.empty(); }
  seconds unreached() const;
  controller::PodFacts facts() const;
  const std::string& uid() const { return identity_.uid; }

 private:
  enum class Answer { done, refused, lost };
  Answer write(const Json& operations);
  const Json* read();  ///< nullptr: not reached
  void look_for_work();
  void work(seconds time);
  bool holds(const std::string& host) const;
  void begin(std::string host);
  void end_container();
  void let_go();
  void beat();
  void finish();
  void report();

  Scene& scene_;
  sidecar::PodIdentity identity_;
  bool object_ = true, alive_ = true, being_deleted_ = false, ended_ = false, vouched_wrongly_ = false;
  seconds paused_{0}, cut_{0}, restart_in_{0};
  std::optional<std::string> host_;
  bool restic_ = false;
  seconds work_left_{0};
  seconds lost_for_{0};                   ///< it has worked on what is not its own any more
  std::shared_ptr<const Json> copy_;      ///< of the session, as last read
  std::optional<api::HostStats> result_;  ///< not written yet
  std::chrono::steady_clock::time_point last_beat_{}, last_contact_{};
  std::vector<Json> late_;
};

}  // namespace stash::test
