#include "unit/protocol/session_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time.h"

namespace stash::test {

using namespace controller;

namespace {

constexpr seconds kTick{20};

}  // namespace

SessionModel::SessionModel(unsigned seed) : scene_(seed), world_(a_session_world()) {
  Dice& dice = scene_.dice;
  // More hosts than a Deployment has, and any pod may take any of them: more interleavings than there are in a cluster.
  const int hosts = 1 + dice.pick(3);
  limit_ = dice.chance(2) ? minutes(20) : minutes(60);
  world_.configuration->spec.time_out = format_duration(limit_);
  world_.limits.look_again = seconds(40);  // it costs the most
  Json session = world_.session;
  session["status"] = {{"phase", "Pending"}, {"totalHosts", hosts}, {"stats", Json::array()}};
  for (int i = 0; i < hosts; ++i)
    session["status"]["stats"].push_back({{"hostname", fmt::format("host-{}", i)}, {"phase", "Pending"}});
  scene_.store.now = std::make_shared<const Json>(std::move(session));
  scene_.clock.set_wall(format_time(kCreated));
  start_controller();
  for (int i = 0; i <= hosts; ++i) bear();
}

const Counts& SessionModel::run() {
  for (int step = 0; step < 60; ++step) {
    break_something();
    pass(scene_.dice.up_to(seconds(90)));
  }
  // Nothing breaks any more, and nobody comes to help: time alone must end it.
  for (SidecarActor& pod : pods_) pod.heal();
  controller_down_ = seconds(0);
  for (int minute = 0; minute < 180 && !ended(); ++minute) pass(minutes(1));
  if (!ended()) throw Broken{"it has never ended"};
  for (SidecarActor& pod : pods_) pod.deliver_late(true);
  start_controller();
  pass(minutes(16));
  if (phase_of(last_) == "Succeeded") ++scene_.counts.succeeded;
  return scene_.counts;
}

void SessionModel::bear() {
  const std::string name = fmt::format("web-{}", ++born_);
  pods_.emplace_back(scene_, sidecar::PodIdentity{name, "uid-" + name, "demo", "node-1"});
}

void SessionModel::start_controller() {
  controller_ = std::make_unique<Controller>(scene_.clock);
  look_in_ = seconds(0);
  controller_up_ = seconds(0);
}

void SessionModel::break_something() {
  Dice& dice = scene_.dice;
  std::erase_if(pods_, [](const SidecarActor& pod) { return pod.is_forgotten(); });
  if (std::ranges::count_if(pods_, &SidecarActor::has_object) < 4 && dice.chance(2)) bear();
  if (pods_.empty()) return;
  SidecarActor& pod = *std::next(pods_.begin(), dice.pick(static_cast<int>(pods_.size())));
  switch (dice.pick(22)) {
    case 0:
    case 1:
      return pod.crash();
    case 2:
      return pod.vanish();
    case 3:
      return pod.terminate();
    case 4:
      return pod.pause(dice.up_to(minutes(20)));
    case 5:
    case 6:
      return pod.cut_off(dice.up_to(minutes(30)));
    case 7:
    case 8:
      return pod.heal();
    case 9:
      return remove_by_force(pod);
    case 10:
    case 11:
    case 12:
      return pod.deliver_late(false);
    case 13:
      controller_.reset();
      controller_down_ = dice.up_to(dice.chance(4) ? minutes(15) : minutes(1));
      return;
    case 14:
      scene_.clock.set_wall(
          format_time(scene_.clock.now() + (dice.chance(2) ? seconds(hours(1)) : seconds(hours(-1)))));
      return;
    default:
      return;  // so that some things come to an end
  }
}

/// Whoever does that mostly waits until the sidecar has stopped alone.
void SessionModel::remove_by_force(SidecarActor& other) {
  const auto silent = std::ranges::find_if(
      pods_, [](const SidecarActor& pod) { return pod.has_object() && pod.unreached() >= kStopsAlone; });
  if (silent != pods_.end()) return silent->remove_by_force();
  if (scene_.dice.chance(8)) other.remove_by_force();
}

void SessionModel::pass(seconds time) {
  while (time > seconds(0)) {
    const seconds tick = std::min(time, kTick);
    time -= tick;
    scene_.clock.advance(tick);
    scene_.age += tick;
    for (SidecarActor& pod : pods_) pod.live(tick);
    check();
    if (!controller_) {
      controller_down_ -= tick;
      if (controller_down_ <= seconds(0)) start_controller();
    } else {
      controller_up_ += tick;
    }
    if (!controller_) continue;
    if (look_in_) *look_in_ -= tick;
    // An event of the session may take its time.
    const bool woken = seen_version_ != string_at(scene_.store.session(), {"metadata", "resourceVersion"});
    if ((look_in_ && *look_in_ <= seconds(0)) || (woken && !scene_.dice.chance(3))) look();
    check_deadline();
  }
}

void SessionModel::look() {
  Dice& dice = scene_.dice;
  if (!controller_->clock_error)
    controller_->clock_error = std::chrono::duration_cast<seconds>(scene_.clock.now() - true_time());
  SessionWorld& world = world_;
  world.session = look_closely_ || !dice.chance(6) ? scene_.store.session() : *scene_.store.old_copy(dice);
  seen_version_ = string_at(world.session, {"metadata", "resourceVersion"});
  world.now = controller_->sessions.now("s", string_at(world.session, {"metadata", "uid"}));
  world.stepped = std::chrono::round<seconds>(scene_.clock.now() - world.now);
  world.silent_for = controller_->heartbeats.silent_for("s", array_at(world.session, {"status", "stats"}));
  world.watched_for = std::chrono::duration_cast<seconds>(scene_.clock.steady() - controller_->began);
  world.target.pods = std::vector<PodFacts>();
  for (const SidecarActor& pod : pods_) {
    if (pod.has_object()) world.target.pods->push_back(pod.facts());
  }
  const Plan plan = plan_session(world);
  if (!look_closely_ && dice.chance(12)) {
    // Between the look and the write.
    for (SidecarActor& pod : pods_) pod.live(seconds(1));
  }
  const bool answered = look_closely_ || !dice.chance(12);
  const bool written = (!answered && dice.chance(2)) || carry_out(plan);
  look_closely_ = !answered || !written;
  look_in_ = look_closely_ ? std::optional(seconds(5)) : plan.look_again_in;
  check();
}

bool SessionModel::carry_out(const Plan& plan) {
  for (const Write& write : plan.writes) {
    if (write.resource != api::kBackupSessions) continue;
    Json next = scene_.store.session();
    if (string_at(write.body, {"metadata", "resourceVersion"}) != string_at(next, {"metadata", "resourceVersion"}))
      return false;
    const Tally before = tally(array_at(next, {"status", "stats"}));
    next.merge_patch(write.body);
    if (tally(array_at(next, {"status", "stats"})).pending > before.pending) ++scene_.counts.given_back;
    scene_.store.put(std::move(next));
  }
  return true;
}

void SessionModel::check() {
  const Json& session = scene_.store.session();
  for (const Json& host : array_at(session, {"status", "stats"})) {
    const std::string name = string_at(host, {"hostname"});
    const auto writers = std::ranges::count_if(pods_, [&](const SidecarActor& pod) { return pod.writes(name); });
    if (writers > 1) throw Broken{fmt::format("{} has {} writers", name, writers)};
  }
  if (!ended()) return;
  if (last_.is_null()) {
    last_ = session;
    check_snapshots();
    // By nobody's clock but that of the process that ended it.
    const seconds early = limit_ - scene_.age - controller_->clock_error.value_or(seconds(0));
    if (condition_of(session, "DeadlineExceeded").starts_with("True") && early > seconds(0))
      throw Broken{fmt::format("its deadline came {} early", format_duration(early))};
  }
  if (session != last_) throw Broken{"it was final and has changed"};
}

/// A minute after it, or after a controller is there again, or, after an hour was put back in between, an hour later.
void SessionModel::check_deadline() {
  if (ended() || controller_up_ < minutes(1) || !controller_->clock_error) return;
  if (scene_.age + *controller_->clock_error > limit_ + minutes(1)) throw Broken{"it goes on after its deadline"};
}

void SessionModel::check_snapshots() const {
  if (phase_of(last_) != "Succeeded") return;
  for (const Json& host : last_["status"]["stats"]) {
    const std::string name = string_at(host, {"hostname"});
    const Json& told = array_at(host, {"snapshots"});
    const auto is_told = [&](const Snapshot& snapshot) {
      return snapshot.host == name && snapshot.session_uid == string_at(last_, {"metadata", "uid"}) &&
             told.size() == 1 && string_at(told[0], {"name"}) == snapshot.id;
    };
    if (string_at(host, {"phase"}) != "Succeeded" || std::ranges::count_if(scene_.repository, is_told) != 1)
      throw Broken{fmt::format("it has succeeded without a snapshot of {}", name)};
  }
}

}  // namespace stash::test
