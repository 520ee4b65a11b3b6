#include "sidecar/repository_conditions.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backup_configuration.h"
#include "api/names.h"
#include "base/text.h"

namespace stash::sidecar {

namespace {

namespace names = api::names;

class Conditions {
 public:
  explicit Conditions(TimePoint now) : now_(now) {}
  void add(std::string_view type, std::string_view status, std::string_view reason, std::string message) {
    list_.push_back({std::string(type), std::string(status), std::string(reason), std::move(message), 0, now_});
  }
  std::vector<api::Condition> take() { return std::move(list_); }

 private:
  TimePoint now_;
  std::vector<api::Condition> list_;
};

void add_verified(Conditions& conditions, const BackupProgress& progress) {
  const auto add = [&](bool verified, std::string message) {
    conditions.add(names::kIntegrityVerified, verified ? "True" : "False",
                   verified ? "SuccessfullyVerifiedRepositoryIntegrity" : kFailedToVerify, std::move(message));
  };
  if (const std::string problem = shortcoming(progress, kFailedToVerify); !problem.empty()) {
    add(false, problem);
  } else if (progress.intact) {
    add(true, "`restic check` found no errors");
  } else if (progress.last_check) {
    add(true, fmt::format("`restic check` found no errors at {}; the next is due a day later",
                          format_time(*progress.last_check)));
  }
}

std::string applied(const BackupProgress& progress) {
  if (progress.retention.dry_run) return "it is a dry run: nothing was removed";
  std::string text =
      fmt::format("{} {} removed, {} are in the repository", progress.forgotten->removed,
                  progress.forgotten->removed == 1 ? "snapshot was" : "snapshots were", progress.forgotten->kept);
  const std::vector<std::string> hosts = hosts_to_forget(progress);
  if (hosts.empty()) return text;
  return fmt::format("of {} only: {}; {}", first_of(hosts, ", "), text,
                     hosts_left_alone(progress.upkeep, progress.host, progress.error.empty()));
}

void add_retention(Conditions& conditions, const BackupProgress& progress) {
  if (!keeps_something(progress.retention)) return;
  const std::string problem = shortcoming(progress, kFailedToApply);
  if (!problem.empty()) {
    conditions.add(names::kRetentionPolicyApplied, "False", kFailedToApply, problem);
  } else if (is_known_damaged(progress)) {
    conditions.add(names::kRetentionPolicyApplied, "False", kFailedToApply,
                   "`restic check` found errors; snapshots are not forgotten until the repository is repaired");
  } else if (progress.forgotten) {
    conditions.add(names::kRetentionPolicyApplied, "True", "SuccessfullyAppliedRetentionPolicy", applied(progress));
  }
}

}  // namespace

std::vector<api::Condition> repository_conditions(const BackupProgress& progress,
                                                  const std::optional<std::string>& push_failure, TimePoint now) {
  Conditions conditions(now);
  if (progress.unusable && progress.repository != RepositoryState::present) {
    conditions.add(names::kRepositoryInitialized, "False", "FailedToInitializeBackendRepository", progress.error);
  }
  // The last of the steps of the upkeep, unless the pod was stopped before it.
  const bool was_ours = progress.stats_done || (progress.stopped && is_upkeep_ours(progress));
  if (!was_ours) return conditions.take();
  conditions.add(names::kRepositoryInitialized, "True", "BackendRepositoryFound",
                 fmt::format("there is a restic repository at {}", progress.location));
  add_verified(conditions, progress);
  add_retention(conditions, progress);
  if (push_failure) {
    const bool pushed = push_failure->empty();
    conditions.add(names::kRepositoryMetricsPushed, pushed ? "True" : "False",
                   pushed ? "SuccessfullyPushedRepositoryMetrics" : "FailedToPushRepositoryMetrics",
                   pushed ? "the repository's metrics are at the Pushgateway" : *push_failure);
  }
  return conditions.take();
}

}  // namespace stash::sidecar
