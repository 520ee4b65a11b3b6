#pragma once
#include <list>
#include <memory>
#include <optional>

#include "controller/heartbeat_book.h"
#include "controller/session_clock.h"
#include "unit/controller/worlds.h"
#include "unit/protocol/sidecar_actor.h"

namespace stash::test {

/// One session in a cluster in which everything breaks: controllers that look at old copies, lose answers, die and come
/// back; pods and their sidecars; clocks that are put forward and back. Throws Broken when a promise is.
class SessionModel {
 public:
  explicit SessionModel(unsigned seed);
  const Counts& run();

 private:
  /// One process: what it remembers goes with it.
  struct Controller {
    explicit Controller(const Clock& clock) : sessions(clock), heartbeats(clock), began(clock.steady()) {}
    controller::SessionClock sessions;
    controller::HeartbeatBook heartbeats;
    std::chrono::steady_clock::time_point began;
    std::optional<seconds> clock_error;  ///< of the wall clock when it first looked, which is what it goes by
  };

  void break_something();
  void remove_by_force(SidecarActor& other);
  void pass(seconds time);
  void bear();
  void start_controller();
  void look();
  bool carry_out(const controller::Plan& plan);
  void check();
  void check_deadline();
  void check_snapshots() const;
  bool ended() const { return api::is_final_phase(phase_of(scene_.store.session())); }
  TimePoint true_time() const { return kCreated + scene_.age; }

  Scene scene_;
  controller::SessionWorld world_;  ///< of the last look
  std::list<SidecarActor> pods_;
  int born_ = 0;
  std::unique_ptr<Controller> controller_;
  seconds controller_down_{0}, controller_up_{0};
  std::optional<seconds> look_in_;
  std::string seen_version_;
  bool look_closely_ = false;  ///< at the present, after a refusal
  seconds limit_{0};
  Json last_;  ///< the session as it became final
};

}  // namespace stash::test
