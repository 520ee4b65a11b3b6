#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/time.h"
#include "controller/blueprint_plan.h"

namespace stash::controller {

/// Events go after an hour, so what is still wrong is told again a little before that.
inline constexpr std::chrono::minutes kTellAgain{50};

/// How each workload that asks for a BackupBlueprint fares. In memory only: after a restart each is looked at again,
/// and what is wrong with it told once more. Thread-safe. Keys are those of the queue.
class BlueprintBook {
 public:
  explicit BlueprintBook(const Clock& clock) : clock_(clock) {}

  /// What was complained about lately, "" for nothing.
  std::string told(const std::string& workload) const;
  /// Writes down a look. The names of the blueprints for which it changes something.
  std::vector<std::string> looked(const std::string& workload, const BlueprintPlan& plan);
  /// The workload is gone.
  std::vector<std::string> forget(const std::string& workload) { return looked(workload, {}); }
  /// The reason of the last look at it, "" when all was well; nullopt: it was not looked at for this blueprint yet.
  std::optional<std::string> reason(const std::string& workload, const std::string& blueprint) const;

 private:
  struct Entry {
    std::string blueprint, reason, complaint;
    std::chrono::steady_clock::time_point told;
  };
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace stash::controller
