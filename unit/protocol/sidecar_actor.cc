#include "unit/protocol/sidecar_actor.h"

#include <fmt/format.h>

#include <algorithm>

namespace stash::test {

using namespace sidecar;

SidecarActor::SidecarActor(Scene& scene, PodIdentity identity)
    : scene_(scene), identity_(std::move(identity)), copy_(scene.store.now), last_contact_(scene.clock.steady()) {}

seconds SidecarActor::unreached() const {
  return std::chrono::duration_cast<seconds>(scene_.clock.steady() - last_contact_);
}

controller::PodFacts SidecarActor::facts() const {
  return {.name = identity_.name,
          .uid = identity_.uid,
          .phase = ended_ ? "Failed" : "Running",
          .runs_container = true,
          .owner_uid = "uid-workload",
          .being_deleted = being_deleted_};
}

SidecarActor::Answer SidecarActor::write(const Json& operations) {
  if (is_cut_off() || scene_.dice.chance(12)) {
    // Never sent, or on its way for long: then it is applied when nobody thinks of it any more.
    if (scene_.dice.chance(3)) late_.push_back(operations);
    return Answer::lost;
  }
  const bool done = scene_.store.json_patch(operations, identity_.uid);
  if (scene_.dice.chance(15)) return Answer::lost;
  last_contact_ = scene_.clock.steady();
  if (done) copy_ = scene_.store.now;
  return done ? Answer::done : Answer::refused;
}

const Json* SidecarActor::read() {
  if (is_cut_off() || scene_.dice.chance(15)) return nullptr;
  last_contact_ = scene_.clock.steady();
  copy_ = scene_.store.now;
  return copy_.get();
}

void SidecarActor::live(seconds time) {
  cut_ = std::max(seconds(0), cut_ - time);
  if (!alive_) return;
  if (being_deleted_ && !is_cut_off()) return end_container();
  paused_ = std::max(seconds(0), paused_ - time);
  restart_in_ = std::max(seconds(0), restart_in_ - time);
  if (paused_ > seconds(0) || restart_in_ > seconds(0)) return;
  // Before anything else: a process that stood still, or is cut off, finds out first.
  if (host_ && unreached() >= kStopsAlone) {
    ++scene_.counts.stopped_alone;
    return let_go();
  }
  if (!host_) return look_for_work();
  work(time);
  lost_for_ = restic_ && !is_cut_off() && !holds(*host_) ? lost_for_ + time : seconds(0);
  // Signs of life get lost, but not ten of them one after the other.
  if (lost_for_ >= minutes(5))
    throw Broken{fmt::format("{} goes on with {}, which it has lost", identity_.uid, *host_)};
}

bool SidecarActor::holds(const std::string& host) const {
  for (const Json& entry : array_at(scene_.store.session(), {"status", "stats"})) {
    if (string_at(entry, {"hostname"}) == host)
      return string_at(entry, {"phase"}) == "Running" && string_at(entry, {"claim", "podUID"}) == identity_.uid;
  }
  return false;
}

void SidecarActor::work(seconds time) {
  if (scene_.clock.steady() - last_beat_ >= seconds(30)) beat();
  if (!host_) return;
  work_left_ -= time;
  if (restic_ && work_left_ <= seconds(0)) finish();
  if (result_) report();
}

void SidecarActor::look_for_work() {
  if (is_cut_off()) return;
  last_contact_ = scene_.clock.steady();
  // The watch may be behind; what is written on such a copy the guards must refuse.
  copy_ = scene_.dice.chance(3) ? scene_.store.old_copy(scene_.dice) : scene_.store.now;
  if (sidecar::is_over(*copy_)) return;
  std::optional<std::string> free;
  for (const Json& json : array_at(*copy_, {"status", "stats"})) {
    const std::string host = string_at(json, {"hostname"});
    const HostEntry entry = *host_entry(*copy_, host);
    // What an earlier container of this pod began, or a claim whose answer was lost.
    if (is_held_by(entry, identity_)) return begin(host);
    if (is_pending(entry) && (!free || scene_.dice.chance(2))) free = host;
  }
  if (!free || scene_.dice.chance(3)) return;
  if (write(claim_operations(*host_entry(*copy_, *free), *free, identity_, scene_.clock.now())) == Answer::done)
    begin(*free);
}

void SidecarActor::begin(std::string host) {
  host_ = std::move(host);
  restic_ = true;
  work_left_ = scene_.dice.up_to(minutes(scene_.dice.chance(4) ? 40 : 8));
  last_beat_ = scene_.clock.steady();
}

void SidecarActor::let_go() {
  restic_ = false;
  host_.reset();
  result_.reset();
}

void SidecarActor::beat() {
  last_beat_ = scene_.clock.steady();
  const Answer answer = write(heartbeat_operations(*host_entry(*copy_, *host_), *host_, identity_, scene_.clock.now()));
  if (answer == Answer::refused && read() == nullptr) return;
  if (answer != Answer::lost && !sidecar::still_ours(*copy_, *host_, identity_)) let_go();
}

void SidecarActor::finish() {
  restic_ = false;
  api::HostStats result{.hostname = *host_, .phase = "Failed", .error = "restic: exit code 1"};
  result.claim = api::Claim{identity_.name, identity_.uid, scene_.clock.now()};
  if (!scene_.dice.chance(8)) {
    const std::string id = fmt::format("snapshot-{}", scene_.repository.size());
    scene_.repository.push_back({id, string_at(*copy_, {"metadata", "uid"}), *host_});
    result.phase = "Succeeded";
    result.error = "";
    result.snapshots = {{.name = id, .path = "/data"}};
  }
  result_ = std::move(result);
}

void SidecarActor::report() {
  const Answer answer = write(result_operations(*host_entry(*copy_, *host_), identity_, *result_));
  if (answer == Answer::done) return let_go();
  if (answer == Answer::refused && read() != nullptr && !sidecar::still_ours(*copy_, *host_, identity_)) let_go();
}

void SidecarActor::crash() {
  if (!alive_) return;
  let_go();
  restart_in_ = scene_.dice.up_to(seconds(90));
}

void SidecarActor::vanish() {
  let_go();
  alive_ = false;
  ended_ = true;
  object_ = object_ && scene_.dice.chance(2);
}

void SidecarActor::terminate() {
  being_deleted_ = true;
  // Nobody who is cut off is told to stop.
  if (alive_ && !is_cut_off()) end_container();
}

void SidecarActor::end_container() {
  restic_ = false;
  if (host_ && paused_ == seconds(0)) write(give_back_operations(*host_entry(*copy_, *host_), *host_, identity_));
  let_go();
  alive_ = object_ = false;
}

void SidecarActor::remove_by_force() {
  if (restic_ && (paused_ > seconds(0) || unreached() < kStopsAlone)) vouched_wrongly_ = true;
  object_ = false;
  being_deleted_ = true;
}

void SidecarActor::deliver_late(bool all) {
  for (auto write = late_.begin(); write != late_.end();) {
    if (!all && scene_.dice.chance(2)) {
      ++write;
      continue;
    }
    const bool applied = scene_.store.json_patch(*write, identity_.uid);
    ++(applied ? scene_.counts.late_applied : scene_.counts.late_refused);
    write = late_.erase(write);
  }
}

}  // namespace stash::test
