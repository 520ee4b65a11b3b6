#include "sidecar/run_backup.h"

#include <malloc.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "api/codec.h"
#include "api/names.h"
#include "base/backoff.h"
#include "base/log.h"
#include "sidecar/backup_session_run.h"
#include "sidecar/host_objects.h"
#include "sidecar/left_frozen.h"
#include "sidecar/session_queue.h"
#include "sidecar/upkeep_run.h"

namespace stash::sidecar {

namespace {

// A waiting session is given up after ten minutes; a BackupConfiguration that was mended is seen well before that.
constexpr std::chrono::seconds kLookAgain{60};

/// Where sessions are known from.
enum class Source { list, watch };

/// One BackupConfiguration that this container works for.
struct Served {
  std::string name;
  std::optional<std::string> host;  ///< known once it has been read
  std::string last_problem;

  void say_once(const std::string& problem) {
    if (problem == last_problem) return;
    log_warning("{}", problem);
    last_problem = problem;
  }
};

std::string selector_for(const std::vector<Served>& served) {
  if (served.size() == 1) {
    return fmt::format("{}={}", api::names::kBackupConfigurationLabel, api::configuration_label(served.front().name));
  }
  std::vector<std::string> values;
  values.reserve(served.size());
  for (const Served& one : served) values.push_back(api::configuration_label(one.name));
  return fmt::format("{} in ({})", api::names::kBackupConfigurationLabel, fmt::join(values, ","));
}

class Sidecar {
 public:
  Sidecar(Context& context, const std::vector<std::string>& configurations) : context_(context) {
    for (const std::string& name : configurations) {
      if (std::ranges::find(served_, name, &Served::name) == served_.end()) served_.push_back({name, {}, {}});
    }
    selector_ = selector_for(served_);
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
    // Five hundred sidecars that list again what each of them was just shown are too many: the watch goes on from
    // there.
    if (const std::optional<Json> shown = std::exchange(shown_, std::nullopt)) {
      const bool others_wait = look_again_;
      if (const auto pause = stagger(*shown, context_.pod.uid); pause.count() > 0) context_.pause(pause);
      TRY_VOID(take_turn({&*shown}, Source::watch));
      if (!others_wait && !look_again_) return string_at(*shown, {"metadata", "resourceVersion"});
    }
    while (true) {
      TRY(Json list, context_.api.list(api::kBackupSessions, context_.pod.ns, {.label_selector = selector_}));
      std::vector<const Json*> sessions;
      for (const Json& item : array_at(list, {"items"})) sessions.push_back(&item);
      forget_all_but(sessions);
      ended_.clear();
      TRY(const bool worked, take_turn(sessions, Source::list));
      if (!worked) return string_at(list, {"metadata", "resourceVersion"});
    }
  }

  /// work_on; who is being stopped meanwhile begins nothing more (error cancelled).
  Result<bool> take_turn(const std::vector<const Json*>& sessions, Source source) {
    TRY(const bool worked, work_on(sessions, source));
    if (!worked) return false;
    if (context_.stop()) return fail(ErrorCode::cancelled, "stopped");
    backoff_.reset();
    return true;
  }

  /// Works on one of them; the list is old then. False when none of them needs this pod now. What is wrong with one
  /// configuration or session is an error only if no other could be worked on.
  Result<bool> work_on(const std::vector<const Json*>& sessions, Source source) {
    std::map<std::string, api::BackupConfiguration> configurations;
    std::vector<NextSession> waiting;
    std::optional<Error> problem;
    look_again_ = false;
    for (Served& served : served_) {
      if (!anything_for(served, sessions)) continue;
      auto configuration = read(served);
      if (!configuration) {
        if (is_outage(configuration.error().code)) return std::unexpected(configuration.error());
        problem = configuration.error();
      } else if (*configuration) {
        std::ranges::move(waiting_sessions(sessions, served.name, *served.host, context_.pod),
                          std::back_inserter(waiting));
        const auto unseen = [&](const std::string& uid) {
          return source == Source::watch && !memory_.begun.contains(uid);
        };
        const auto added = beside_.add_waiting(sessions, served.name, *served.host, unseen, waiting);
        if (!added && is_outage(added.error().code)) return std::unexpected(added.error());
        if (!added) problem = added.error();
        configurations.emplace(served.name, **std::move(configuration));
      } else {
        look_again_ = true;
      }
    }
    if (source == Source::list && !problem) thaw_what_was_left(waiting);
    // What is still ours was not given back, as that did not get through.
    std::erase_if(waiting,
                  [this](const NextSession& next) { return !next.resume && memory_.wanted_back.contains(next.uid); });
    for (const NextSession& next : in_turn(std::move(waiting), memory_.begun)) {
      const auto worked = work_on(next, sessions, configurations.at(next.configuration));
      if (worked) {
        if (*worked) {
          beside_.note_done(next);
          if (!next.beside) ended_.insert(next.uid);
        } else {
          look_again_ = true;
        }
        return true;
      }
      // The session has no such host, as of a node that is new.
      if (next.beside && worked.error().code == ErrorCode::not_found) continue;
      if (is_outage(worked.error().code) || context_.stop()) return std::unexpected(worked.error());
      problem = worked.error();
    }
    if (problem) return std::unexpected(*problem);
    return false;
  }

  /// Of a session in our hands the work goes on, and its postBackup follows.
  void thaw_what_was_left(const std::vector<NextSession>& waiting) {
    const auto frozen_for = left_frozen_for(context_);
    if (!frozen_for) return;
    const bool goes_on = std::ranges::any_of(waiting, [&frozen_for](const NextSession& next) {
      return next.uid == *frozen_for && next.resume && !next.upkeep;
    });
    if (!goes_on) thaw_left_frozen(context_);
  }

  /// True: the work has its result, and was not given back or taken away.
  Result<bool> work_on(const NextSession& next, const std::vector<const Json*>& sessions,
                       const api::BackupConfiguration& configuration) {
    const auto session = std::ranges::find_if(
        sessions, [&next](const Json* candidate) { return string_at(*candidate, {"metadata", "uid"}) == next.uid; });
    const auto served = std::ranges::find(served_, next.configuration, &Served::name);
    const auto run = next.upkeep ? run_session_upkeep : run_backup_session;
    return run(context_, memory_, configuration, **session, next, *served->host);
  }

  void forget_all_but(const std::vector<const Json*>& sessions) {
    std::set<std::string> listed;
    for (const Json* session : sessions) listed.insert(string_at(*session, {"metadata", "uid"}));
    const auto gone = [&listed](const std::string& uid) { return !listed.contains(uid); };
    std::erase_if(memory_.begun, gone);
    std::erase_if(memory_.upkeep_begun, gone);
    std::erase_if(memory_.wanted_back, gone);
    beside_.forget_all_but(listed);
  }

  void forget(const std::string& uid) {
    memory_.begun.erase(uid);
    memory_.upkeep_begun.erase(uid);
    ended_.erase(uid);
    beside_.forget(uid);
  }

  /// Nothing when it cannot be worked with until somebody makes or mends it.
  Result<std::optional<api::BackupConfiguration>> read(Served& served) {
    auto object = context_.api.get(api::kBackupConfigurations, {context_.pod.ns, served.name});
    if (!object && object.error().code == ErrorCode::not_found) {
      served.say_once(fmt::format("the BackupConfiguration {}/{} does not exist; nothing to do until it does",
                                  context_.pod.ns, served.name));
      return std::nullopt;
    }
    TRY(const Json found, std::move(object));
    auto configuration = api::decode<api::BackupConfiguration>(found);
    if (!configuration) {
      served.say_once(configuration.error().message);
      return std::nullopt;
    }
    const std::string kind = configuration->spec.target ? configuration->spec.target->ref.kind : "";
    TRY(served.host, with_context(host_of(kind, context_.pod), "BackupConfiguration " + served.name));
    served.last_problem.clear();
    return *std::move(configuration);
  }

  bool anything_for(const Served& served, const std::vector<const Json*>& sessions) const {
    std::vector<const Json*> beside;
    std::ranges::copy_if(sessions, std::back_inserter(beside),
                         [&](const Json* session) { return beside_.may_wait(*session, served.host); });
    if (!beside.empty() && !sessions_of(beside, served.name).empty()) return true;
    if (served.host) return !waiting_sessions(sessions, served.name, *served.host, context_.pod).empty();
    // Before the first session the host is not known; any session is reason enough to find out.
    return std::ranges::any_of(sessions_of(sessions, served.name),
                               [](const Json* session) { return !array_at(*session, {"status", "stats"}).empty(); });
  }

  /// One watch after the other, until one shows a session that may be for us, or for a while when one waits already.
  Result<void> wait_for_work(std::string version) {
    const EndsOnStop ends_on_stop(context_);
    bool found = false;
    kube::WatchOptions options{.label_selector = selector_};
    if (look_again_) options.timeout = kLookAgain;
    while (!found && !context_.stop()) {
      options.resource_version = version;
      TRY(version, context_.api.watch(api::kBackupSessions, context_.pod.ns, options,
                                      [this, &found](const kube::WatchEvent& event) {
                                        if (context_.stop()) return false;
                                        if (event.type == kube::WatchType::deleted)
                                          forget(string_at(event.object, {"metadata", "uid"}));
                                        found = is_for_us(event);
                                        if (found) shown_ = event.object;
                                        return !found;
                                      }));
      if (look_again_) break;
    }
    return {};
  }

  bool is_for_us(const kube::WatchEvent& event) const {
    if (event.type != kube::WatchType::added && event.type != kube::WatchType::modified) return false;
    if (ended_.contains(string_at(event.object, {"metadata", "uid"}))) return false;
    return std::ranges::any_of(served_,
                               [this, &event](const Served& served) { return anything_for(served, {&event.object}); });
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
    // Whether its session goes on nobody can say now. Nothing is read meanwhile, and whoever resumes freezes anew.
    if (problem.code != ErrorCode::conflict) thaw_left_frozen(context_);
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
  std::vector<Served> served_;
  std::string selector_;
  BackupMemory memory_;
  std::optional<Json> shown_;  ///< by the watch: a session that waits for this pod
  /// UIDs of sessions that have had our result since the last list. The watch goes on from before it and shows them as
  /// they were meanwhile, with our claim, which is no work any more.
  std::set<std::string> ended_;
  HostObjects beside_{context_};
  /// A session waits whose BackupConfiguration is missing or unreadable, or whose host may have no result yet.
  bool look_again_ = false;
  Backoff backoff_;
  std::string last_problem_;
};

}  // namespace

void run_backup(Context& context, const std::vector<std::string>& configurations) {
  log_info("waiting for sessions of BackupConfiguration {} in namespace {}", fmt::join(configurations, ", "),
           context.pod.ns);
  Sidecar(context, configurations).run();
  log_info("stopped");
}

}  // namespace stash::sidecar
