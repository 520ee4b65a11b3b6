#include "sidecar/run_backup.h"

#include <malloc.h>

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "base/backoff.h"
#include "base/log.h"
#include "sidecar/backup_session_run.h"

namespace stash::sidecar {

namespace {

class Sidecar {
 public:
  Sidecar(Context& context, std::string configuration)
      : context_(context),
        name_(std::move(configuration)),
        selector_(fmt::format("{}={}", api::names::kBackupConfigurationLabel, api::configuration_label(name_))) {
    memory_.last_check = context_.clock.now();
  }

  void run() {
    while (!context_.stop()) {
      const auto version = work_through_list();
      // All that the work needed goes back to the kernel: a sidecar is at rest nearly all its life.
      ::malloc_trim(0);
      const auto seen = version ? wait_for_work(*version) : Result<void>(std::unexpected(version.error()));
      if (seen) {
        backoff_.reset();
        last_problem_.clear();
      } else {
        recover(seen.error());
      }
    }
  }

 private:
  /// Works until no listed session waits for this pod. The resourceVersion to watch from.
  Result<std::string> work_through_list() {
    while (true) {
      TRY(Json list, context_.api.list(api::kBackupSessions, context_.pod.ns, {.label_selector = selector_}));
      std::vector<const Json*> sessions;
      for (const Json& item : array_at(list, {"items"})) sessions.push_back(&item);
      TRY(const bool worked, work_on(sessions));
      if (!worked) return string_at(list, {"metadata", "resourceVersion"});
      if (context_.stop()) return fail(ErrorCode::cancelled, "stopped");
      backoff_.reset();
    }
  }

  /// False when none of them needs this pod now.
  Result<bool> work_on(const std::vector<const Json*>& sessions) {
    if (!anything_for_us(sessions)) return false;
    auto object = context_.api.get(api::kBackupConfigurations, {context_.pod.ns, name_});
    if (!object && object.error().code == ErrorCode::not_found) {
      say_once(fmt::format("the BackupConfiguration {}/{} does not exist; nothing to do until it does", context_.pod.ns,
                           name_));
      return false;
    }
    TRY(const Json found, std::move(object));
    auto configuration = api::decode<api::BackupConfiguration>(found);
    if (!configuration) {
      say_once(configuration.error().message);
      return false;
    }
    const std::string kind = configuration->spec.target ? configuration->spec.target->ref.kind : "";
    TRY(host_, host_of(kind, context_.pod));
    const auto next = next_session(sessions, name_, *host_, context_.pod);
    if (!next) return false;
    const auto session = std::ranges::find_if(
        sessions, [&next](const Json* candidate) { return string_at(*candidate, {"metadata", "uid"}) == next->uid; });
    TRY_VOID(run_backup_session(context_, memory_, *configuration, **session, *next, *host_));
    return true;
  }

  bool anything_for_us(const std::vector<const Json*>& sessions) const {
    // Before the first session the host is not known; any session is reason enough to find out.
    if (!host_)
      return std::ranges::any_of(sessions, [](const Json* session) {
        return !api::is_final_phase(string_at(*session, {"status", "phase"})) &&
               !array_at(*session, {"status", "stats"}).empty();
      });
    return next_session(sessions, name_, *host_, context_.pod).has_value();
  }

  /// One watch after the other, until one shows a session that may be for us.
  Result<void> wait_for_work(std::string version) {
    const EndsOnStop ends_on_stop(context_);
    bool found = false;
    while (!found && !context_.stop()) {
      TRY(version, context_.api.watch(api::kBackupSessions, context_.pod.ns,
                                      {.label_selector = selector_, .resource_version = version},
                                      [this, &found](const kube::WatchEvent& event) {
                                        if (context_.stop()) return false;
                                        const bool news = event.type == kube::WatchType::added ||
                                                          event.type == kube::WatchType::modified;
                                        found = news && anything_for_us({&event.object});
                                        return !found;
                                      }));
    }
    return {};
  }

  void recover(const Error& problem) {
    if (context_.stop()) return;
    switch (problem.code) {
      case ErrorCode::expired:
        return;  // list again at once
      case ErrorCode::conflict:
        break;  // another pod was faster, which is nobody's problem
      case ErrorCode::denied:
        say_once(problem.message + "; trying again until the controller has granted the sidecar's rights");
        break;
      default:
        say_once(problem.message + "; trying again");
    }
    auto pause = backoff_.next();
    if (problem.retry_after) pause = std::max<std::chrono::milliseconds>(pause, *problem.retry_after);
    context_.pause(pause);
  }

  void say_once(const std::string& problem) {
    if (problem == last_problem_) return;
    log_warning("{}", problem);
    last_problem_ = problem;
  }

  Context& context_;
  std::string name_, selector_;
  std::optional<std::string> host_;
  BackupMemory memory_;
  Backoff backoff_;
  std::string last_problem_;
};

}  // namespace

void run_backup(Context& context, const std::string& configuration) {
  log_info("waiting for sessions of BackupConfiguration {}/{}", context.pod.ns, configuration);
  Sidecar(context, configuration).run();
  log_info("stopped");
}

}  // namespace stash::sidecar
