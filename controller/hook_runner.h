#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "base/time.h"
#include "controller/hook_requests.h"
#include "kube/api.h"
#include "kube/exec.h"

namespace stash::controller {

/// Runs exec hooks, each on a thread of its own, so that no worker waits for a program of a user. What waits for a free
/// place is Queued in the session's status; nothing is queued here. All functions are thread-safe, and none but
/// shut_down() blocks.
class HookRunner {
 public:
  /// As kube::run_in_container, which it is but in tests.
  using Exec =
      std::function<Result<kube::ExecOutcome>(const kube::ExecRequest&, const std::function<bool()>& cancelled)>;
  /// That a session should be looked at again: something of it has ended.
  using Wake = std::function<void(const api::ObjectRef& session)>;
  struct Places {
    std::size_t most;
    std::size_t most_of_a_namespace;  ///< so that nobody's programs keep those of others from being run
  };
  struct Limits {
    Places pre_backup{64, 32};
    Places post_backup{128, 64};  ///< of their own: no application stays frozen because others are being frozen
  };

  HookRunner(kube::Config config, Exec exec, Wake wake, const Clock& clock, Limits limits);
  HookRunner(kube::Config config, Exec exec, Wake wake, const Clock& clock);
  ~HookRunner();
  HookRunner(const HookRunner&) = delete;
  HookRunner& operator=(const HookRunner&) = delete;

  bool is_in_hand(const HookRequest& request) const;
  /// The request is Running because this process took it, and the answer to that was lost: nothing has been run.
  bool is_taken_unbegun(const HookRequest& request) const;

  HookRoom room(const std::string& ns) const;
  /// The session is woken when a place may have become free.
  void wake_for_room(const api::ObjectRef& session);

  /// Takes the request by compare-and-swap, runs its program and writes what came of it; or writes the refusal. Does
  /// nothing while another hook of that host is in hand, which a postBackup makes stop, or when there is no room: the
  /// session is woken when it can be tried again.
  void start(HookStep step);

  /// Says that the session `uid` (the one of that name now; "" for none) is there and `open`, or is over. What this
  /// process has frozen for one that is over, and nobody has thawed, is thawed now, over outages as long as the pod is
  /// there: nobody is left who could ask, as when a session is deleted in the middle.
  void settle(const api::ObjectRef& session, const std::string& uid, bool open);

  /// Cancels everything and waits, at most about a second. Nothing is written or begun after it.
  void shut_down();

 private:
  using Host = std::pair<std::string, std::string>;  ///< UID of the session, hostname
  struct Job {
    HookStep step;
    bool unasked = false;  ///< no session is to be asked or told
    std::atomic<bool> replaced = false, done = false;
    std::jthread thread;
  };

  struct Take {
    HookRequest request;
    bool begun = false;  ///< we were told that it is ours
  };

  std::size_t free_places(std::string_view action, const std::string& ns) const;
  void reap();
  void stop_waiting(Job& job);  ///< for a preBackup; a thaw is never stopped
  void begin(const Host& host, HookStep step, bool unasked);
  void work(Job& job);
  void serve(kube::Api& api, Job& job);
  void thaw(kube::Api& api, Job& job);
  /// Another session has had its preBackup in that pod since, and the same program will thaw it.
  bool is_frozen_anew(const Job& job) const;
  bool take(kube::Api& api, HookStep& step);
  /// What its error is to say, "" for success. Errors: cancelled when it was stopped, and nothing is to be written;
  /// others when it could not be run, or how it ended is not known.
  Result<std::string> run(Job& job);
  void report(kube::Api& api, HookRequest request, const std::string& error);
  /// False: shutting down, or the job is not wanted any more.
  bool pause(std::chrono::milliseconds time, const Job* job = nullptr);

  const kube::Config config_;
  const Exec exec_;
  const Wake wake_;
  const Clock& clock_;
  const Limits limits_;
  const std::string name_;  ///< of this process, in what it takes; another one never has it
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Host, Job> jobs_;
  std::map<Host, HookStep> frozen_;  ///< by a preBackup, without a postBackup since: what thaws
  std::map<Host, Take> takes_;       ///< the last one tried of each host of an open session
  std::set<api::ObjectRef> turned_away_;
  std::atomic<bool> stop_ = false;
};

}  // namespace stash::controller
