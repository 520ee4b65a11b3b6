#include "sidecar/host_status.h"

#include <algorithm>
#include <utility>

#include "api/backup_session_host.h"
#include "api/silence.h"
#include "base/backoff.h"
#include "base/log.h"

namespace stash::sidecar {

namespace {

constexpr std::chrono::seconds kBeat{30};
constexpr std::chrono::seconds kProgress{10};
constexpr std::chrono::seconds kAfterStop{20};
constexpr std::chrono::minutes kRefused{5};

Json identity_of(const api::Resource& resource, const Json& session) {
  return {{"apiVersion", resource.api_version()},
          {"kind", resource.kind},
          {"metadata",
           {{"name", string_at(session, {"metadata", "name"})},
            {"namespace", string_at(session, {"metadata", "namespace"})},
            {"uid", string_at(session, {"metadata", "uid"})}}}};
}

}  // namespace

HostPlace place_in(const api::Resource& resource, const Json& session) {
  return {resource, {string_at(session, {"metadata", "namespace"}), string_at(session, {"metadata", "name"})}};
}

HostPlace place_beside(const Json& session, std::string_view host) {
  return {api::kBackupSessionHosts, api::host_object_ref(session, host), ""};
}

HostStatus::HostStatus(Context& context, const api::Resource& resource, const Json& session, HostPlace place,
                       std::string host, HostEntry entry)
    : context_(context),
      place_(std::move(place)),
      session_(identity_of(resource, session)),
      uid_(string_at(session, {"metadata", "uid"})),
      host_(std::move(host)),
      entry_(std::move(entry)),
      last_beat_(context.clock.steady()),
      last_written_(last_beat_),
      // One write a second for the whole session: every write of a host meets those of the others in one object, or
      // wakes the controller.
      progress_pause_(std::clamp(std::chrono::seconds(int_at(session, {"status", "totalHosts"})), kProgress, kBeat)) {}

Result<Json> HostStatus::patch(const Json& operations) {
  return context_.api.json_patch(place_.resource, place_.ref, operations, place_.subresource);
}

bool HostStatus::is_of_session(const Json& object) const {
  const bool beside = place_.resource == api::kBackupSessionHosts;
  return (beside ? string_at(object, {"spec", "backupSession", "uid"}) : string_at(object, {"metadata", "uid"})) ==
         uid_;
}

api::Claim HostStatus::claim_now() const { return {context_.pod.name, context_.pod.uid, context_.clock.now()}; }

Result<void> HostStatus::claim(Counted counted) {
  const auto sent = context_.clock.steady();
  Json operations = claim_operations(entry_, host_, context_.pod, context_.clock.now(), counted);
  // A session that was made anew under this name waits for a claim with the same words. Later writes name our claim,
  // and the object of a host has its session's UID in its name.
  if (place_.resource != api::kBackupSessionHosts)
    operations.insert(operations.begin(), Json{{"op", "test"}, {"path", "/metadata/uid"}, {"value", uid_}});
  TRY(const Json claimed, patch(operations));
  if (counted == Counted::yes) ++entry_.attempts;
  entry_.told = entry_.progressed = false;
  entry_.stop.clear();
  // Who claims without having read it learns from the answer what the pod before knew.
  if (const auto entry = host_entry(claimed, host_)) {
    if (!entry->incomplete.empty()) entry_.incomplete = entry->incomplete;
    if (!entry->chosen.empty()) entry_.chosen = entry->chosen;
  }
  note_written(sent);
  return {};
}

Result<void> HostStatus::resume(Counted counted) {
  const auto sent = context_.clock.steady();
  TRY(const Json resumed, patch(resume_operations(entry_, host_, context_.pod, context_.clock.now(), counted)));
  if (counted == Counted::yes) ++entry_.restarts;
  if (is_ended_thaw(entry_.hook)) entry_.hook = {};
  note_written(sent);
  note_answer(resumed);
  return {};
}

bool HostStatus::look_again(const api::HostStats* written) {
  const auto session = context_.api.get(place_.resource, place_.ref);
  if (!session) {
    lost_ = session.error().code == ErrorCode::not_found;
    return !lost_;
  }
  const auto entry = host_entry(*session, host_);
  // The same name may by now be another session's.
  lost_ = !is_of_session(*session) || !entry || !still_ours(*session, host_, context_.pod);
  if (!lost_) entry_ = *entry;
  // The answer to an earlier try may have been lost on its way, not the write.
  if (lost_ && written != nullptr && entry && entry->pod_uid == context_.pod.uid && entry->phase == written->phase) {
    const Json& stats = array_at(*session, {"status", "stats"});
    written_before_ = string_at(stats[entry->index], {"error"}) == written->error;
  }
  return !lost_;
}

bool HostStatus::beat() {
  if (lost() || asked_to_stop()) return false;
  const bool news = (progress_ && progress_ != told_progress_) || !incomplete_.empty();
  if (context_.clock.steady() - last_beat_ < (news ? progress_pause_ : kBeat)) return true;
  return give_sign_of_life();
}

bool HostStatus::give_sign_of_life() {
  const auto sent = context_.clock.steady();
  last_beat_ = sent;
  const auto written =
      patch(heartbeat_operations(entry_, host_, context_.pod, context_.clock.now(), progress_, incomplete_));
  if (written) {
    note_written(sent);
    told_progress_ = progress_;
    if (!incomplete_.empty()) entry_.incomplete = std::exchange(incomplete_, {});
    entry_.progressed = progress_.has_value();
    note_answer(*written);
  } else if (written.error().code == ErrorCode::conflict || written.error().code == ErrorCode::not_found ||
             written.error().code == ErrorCode::invalid) {
    look_again(nullptr);
  } else {
    log_warning("sign of life: {}", written.error().message);
  }
  // Not before the write was tried: one who only stood still for as long may find the host still its own.
  if (!written && !lost_ && context_.clock.steady() - last_written_ >= api::kCutOff) {
    cut_off_ = true;
    log_warning("no sign of life has got through for {}: the work on host {} ends, as another pod may have it by now",
                format_duration(api::kCutOff), host_);
  }
  return !lost() && !asked_to_stop();
}

void HostStatus::note_answer(const Json& object) {
  const auto entry = host_entry(object, host_);
  lost_ = !is_of_session(object) || !entry || !still_ours(object, host_, context_.pod);
  if (!lost_) entry_.stop = entry->stop;
}

Result<void> HostStatus::write_result(const api::HostStats& result) {
  Backoff backoff;
  const auto begun = context_.clock.steady();
  std::optional<std::chrono::steady_clock::time_point> stopped;
  while (!lost_) {
    const auto written = patch(result_operations(entry_, context_.pod, result));
    if (written) return {};
    const ErrorCode code = written.error().code;
    if (code == ErrorCode::conflict || code == ErrorCode::not_found) {
      if (!look_again(&result)) break;
    } else if (!is_outage(code) && context_.clock.steady() - begun >= kRefused) {
      return std::unexpected(written.error());
    }
    if (context_.stop() && !stopped) stopped = context_.clock.steady();
    if (stopped && context_.clock.steady() - *stopped >= kAfterStop) return std::unexpected(written.error());
    log_warning("writing the result: {}; trying again", written.error().message);
    context_.pause(backoff.next());
  }
  if (written_before_) return {};
  return fail(ErrorCode::cancelled,
              fmt::format("{} {} is not ours any more", place_.resource.kind, to_string(place_.ref)));
}

std::unexpected<Error> HostStatus::not_worked_on() const {
  return fail(ErrorCode::cancelled,
              fmt::format("{} {} is not worked on any more", place_.resource.kind, to_string(place_.ref)));
}

Result<HostStatus::Answer> HostStatus::patch_patiently(std::string_view doing, const std::function<Json()>& operations,
                                                       const std::function<bool()>& go_on,
                                                       const std::function<bool()>& is_there) {
  Backoff backoff;
  while (!lost() && go_on()) {
    const auto sent = context_.clock.steady();
    auto written = patch(operations());
    if (written) return Answer{*std::move(written), sent};
    const ErrorCode code = written.error().code;
    if (code != ErrorCode::conflict && code != ErrorCode::not_found && !is_outage(code))
      return std::unexpected(written.error());
    if (!look_again(nullptr)) break;
    // The answer was lost, not the write.
    if (is_there && is_there()) return Answer{std::nullopt, sent};
    log_warning("{}: {}; trying again", doing, written.error().message);
    context_.pause(backoff.next());
  }
  return not_worked_on();
}

Result<std::string> HostStatus::request_hook(std::string_view action, const std::function<bool()>& go_on) {
  std::string requested = format_time(context_.clock.now());
  // It may have been run by now.
  const auto is_there = [&] { return entry_.hook.action == action && entry_.hook.requested == requested; };
  const auto operations = [&] { return hook_operations(entry_, host_, context_.pod, action, requested); };
  TRY(const Answer answer, patch_patiently(fmt::format("asking for the hook {}", action), operations, go_on, is_there));
  if (answer.object) entry_.hook = {std::string(action), "Requested", "", requested};
  return requested;
}

Result<std::optional<Json>> HostStatus::tell_backed_up(bool backed_up, const std::function<bool()>& go_on) {
  const auto operations = [&] { return told_operations(entry_, host_, context_.pod, context_.clock.now(), backed_up); };
  TRY(Answer answer, patch_patiently("telling how the snapshots came out", operations, go_on));
  note_written(answer.sent);
  const auto entry = host_entry(*answer.object, host_);
  lost_ = !is_of_session(*answer.object) || !entry || !still_ours(*answer.object, host_, context_.pod);
  if (lost_) return not_worked_on();
  entry_ = *entry;
  if (!entry_.told) return std::nullopt;
  return std::move(*answer.object);
}

Result<void> HostStatus::tell_chosen(const std::vector<api::SnapshotStats>& chosen,
                                     const std::function<bool()>& go_on) {
  const auto operations = [&] { return chosen_operations(entry_, host_, context_.pod, context_.clock.now(), chosen); };
  TRY(const Answer answer, patch_patiently("telling which snapshots are restored", operations, go_on));
  note_written(answer.sent);
  entry_.chosen = chosen;
  return {};
}

void HostStatus::tell_incomplete(std::vector<std::string> snapshots, const std::function<bool()>& go_on) {
  incomplete_ = std::move(snapshots);
  Backoff backoff;
  while (!lost() && give_sign_of_life() && !incomplete_.empty()) {
    context_.pause(backoff.next());
    if (!go_on() || incomplete_.empty()) return;
  }
}

void HostStatus::give_back(const std::vector<std::string>& incomplete) {
  if (lost()) return;
  const auto written = patch(give_back_operations(entry_, host_, context_.pod, incomplete));
  if (!written)
    log_warning("giving the host back: {}; the controller does it once this pod is gone", written.error().message);
}

}  // namespace stash::sidecar
