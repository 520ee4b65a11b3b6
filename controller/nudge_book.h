#pragma once
#include <map>
#include <mutex>
#include <string>

#include "base/time.h"
#include "controller/workload_plan.h"

namespace stash::controller {

/// Which workloads were nudged how often. In memory only: after a restart the first nudge is free again. Thread-safe.
/// While the webhook cannot be reached, one workload after another asks for all; when one of them comes back injected,
/// the nudges that were in vain before are forgotten.
class NudgeBook {
 public:
  explicit NudgeBook(const Clock& clock) : clock_(clock) {}
  Nudges look(const std::string& workload) const;
  /// `blamed`: the API server refused it for their sake.
  void nudged(const std::string& workload, const std::string& change, std::string error,
              std::vector<std::string> blamed = {});
  /// How long the last of these, which its sidecar serves, has been gone; those that are not named are there again.
  /// max: none is gone.
  std::chrono::seconds gone_for(const std::string& workload, const std::vector<std::string>& configurations);
  /// Why it cannot be nudged.
  void say(const std::string& workload, std::string error);
  /// Injecting would change nothing any more.
  void at_rest(const std::string& workload);
  /// It was deleted. For a while its nudges count all the same: somebody may delete it and make it again and again.
  void gone(const std::string& workload);
  std::size_t size() const;

 private:
  struct Entry {
    int in_vain = 0, count = 0;
    std::chrono::steady_clock::time_point last;
    bool resting = false;
    std::string error, change;
    std::vector<std::string> blamed;
  };
  void rest(Entry& entry);
  void sweep();

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  /// By workload: its BackupConfigurations that are gone, and since when.
  std::map<std::string, std::map<std::string, std::chrono::steady_clock::time_point>> gone_;
  std::chrono::steady_clock::time_point last_{};  ///< nudge of any workload
  std::string last_nudged_;
  std::chrono::steady_clock::time_point swept_{};
  std::chrono::steady_clock::time_point answered_{};  ///< when a nudge was last seen to have worked
};

}  // namespace stash::controller
