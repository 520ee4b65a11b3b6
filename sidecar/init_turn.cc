#include "sidecar/init_turn.h"

#include "base/backoff.h"
#include "base/log.h"

namespace stash::sidecar {

namespace {

constexpr std::chrono::seconds kBeat{30};
constexpr std::chrono::minutes kDead{3};
constexpr std::chrono::seconds kLook{2};
constexpr int kTriesToGiveBack = 5;

constexpr std::string_view kClaim = "initialisation";

std::string owner_of(const Json& claim) { return string_at(claim, {"podUID"}); }

}  // namespace

InitTurn::InitTurn(Context& context, const Json& repository, GoOn go_on)
    : context_(context),
      go_on_(std::move(go_on)),
      ref_{string_at(repository, {"metadata", "namespace"}), string_at(repository, {"metadata", "name"})},
      uid_(string_at(repository, {"metadata", "uid"})),
      version_(string_at(repository, {"metadata", "resourceVersion"})),
      claim_(object_at(repository, {"status", kClaim})),
      last_beat_(context.clock.steady()) {}

InitTurn::~InitTurn() {
  if (held_) give_back();
}

Result<void> InitTurn::take() {
  std::optional<Json> seen;  // somebody else's claim, and since when it has not changed
  auto seen_since = context_.clock.steady();
  Backoff backoff;
  while (true) {
    const std::string owner = owner_of(claim_);
    if (seen != claim_) {
      if (!seen && !owner.empty() && owner != context_.pod.uid) {
        log_info("pod {} is making the repository of {}; waiting", string_at(claim_, {"podName"}), ref_.name);
      }
      seen = claim_;
      seen_since = context_.clock.steady();
    }
    const bool dead = context_.clock.steady() - seen_since >= kDead;
    if (owner.empty() || owner == context_.pod.uid || dead) {
      const auto written = write_claim();
      if (written) {
        held_ = true;
        return {};
      }
      const ErrorCode code = written.error().code;
      if (code != ErrorCode::conflict && !is_outage(code)) return written;
      // Written or not, the Repository says what came of it.
      if (code != ErrorCode::conflict) context_.pause(backoff.next());
    } else {
      context_.pause(kLook);
    }
    if (!go_on_()) return fail(ErrorCode::cancelled, "stopped while another pod makes the repository");
    TRY(const Json repository, read_patiently(context_, api::kRepositories, ref_, go_on_));
    if (string_at(repository, {"metadata", "uid"}) != uid_)
      return fail(ErrorCode::invalid, fmt::format("the Repository {} was made anew meanwhile", ref_.name));
    version_ = string_at(repository, {"metadata", "resourceVersion"});
    claim_ = object_at(repository, {"status", kClaim});
  }
}

Result<void> InitTurn::write_claim() {
  const Json claim = {{"podName", context_.pod.name},
                      {"podUID", context_.pod.uid},
                      {"heartbeatTime", format_time(context_.clock.now())}};
  const Json patch = {{"metadata", {{"resourceVersion", version_}}}, {"status", {{kClaim, claim}}}};
  TRY(const Json written, context_.api.merge_patch(api::kRepositories, ref_, patch, "status"));
  version_ = string_at(written, {"metadata", "resourceVersion"});
  last_beat_ = context_.clock.steady();
  return {};
}

void InitTurn::beat() {
  if (!held_ || context_.clock.steady() - last_beat_ < kBeat) return;
  last_beat_ = context_.clock.steady();
  const std::string path = fmt::format("/status/{}", kClaim);
  const Json operations = {
      {{"op", "test"}, {"path", path + "/podUID"}, {"value", context_.pod.uid}},
      {{"op", "replace"}, {"path", path + "/heartbeatTime"}, {"value", format_time(context_.clock.now())}}};
  const auto written = context_.api.json_patch(api::kRepositories, ref_, operations, "status");
  if (!written) log_warning("{}", written.error().message);
}

void InitTurn::give_back() {
  const std::string path = fmt::format("/status/{}", kClaim);
  const Json operations = {{{"op", "test"}, {"path", path + "/podUID"}, {"value", context_.pod.uid}},
                           {{"op", "remove"}, {"path", path}}};
  Backoff backoff;
  for (int tries = 1;; ++tries) {
    const auto written = context_.api.json_patch(api::kRepositories, ref_, operations, "status");
    if (written) return;
    if (!is_outage(written.error().code) || tries == kTriesToGiveBack || context_.stop()) {
      return log_warning("{}; others wait {} for it", written.error().message, format_duration(kDead));
    }
    context_.pause(backoff.next());
  }
}

}  // namespace stash::sidecar
