#pragma once
#include <map>
#include <mutex>
#include <string>

#include "controller/configuration_plan.h"

namespace stash::controller {

/// How the injection into each workload stood when its BackupConfigurations were last woken for it: a workload that
/// waits is looked at every few seconds, and nothing changes. In memory only: after a restart each is woken once.
/// Thread-safe.
class InjectionBook {
 public:
  /// Whether it stands otherwise than at the last call, before which all counts as up to date.
  bool is_news(const std::string& workload, const InjectionFacts& facts);
  void gone(const std::string& workload);

 private:
  std::mutex mutex_;
  std::map<std::string, InjectionFacts> waiting_;  ///< of those that are not up to date
};

}  // namespace stash::controller
