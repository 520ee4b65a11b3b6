#include "sidecar/repository_conditions.h"

#include <catch2/catch.hpp>

namespace stash::sidecar {
namespace {

const TimePoint kNow = parse_time("2026-11-23T10:00:00Z").value();
const ResticFailure kFailure{ResticCause::unknown, "restic failed"};

BackupProgress after_upkeep() {
  BackupProgress progress;
  progress.host = "host-0";
  progress.location = "/safe/data";
  progress.repository = RepositoryState::present;
  progress.retention.keep_last = 3;
  note_check(progress, true);
  note_forget(progress, ForgetOutcome{3, 1});
  note_stats(progress, 2048u);
  return progress;
}

/// "type=status reason: message" of each.
std::vector<std::string> told(const BackupProgress& progress,
                              const std::optional<std::string>& push_failure = std::nullopt) {
  std::vector<std::string> lines;
  for (const api::Condition& condition : repository_conditions(progress, push_failure, kNow)) {
    CHECK(condition.last_transition == kNow);
    lines.push_back(condition.type + "=" + condition.status + " " + condition.reason + ": " + condition.message);
  }
  return lines;
}

constexpr const char* kFound =
    "BackendRepositoryInitialized=True BackendRepositoryFound: there is a restic repository at /safe/data";

TEST_CASE("the host that did the upkeep tells what it came to", "[sidecar][repository_conditions]") {
  CHECK(told(after_upkeep(), "") ==
        std::vector<std::string>{
            kFound,
            "RepositoryIntegrityVerified=True SuccessfullyVerifiedRepositoryIntegrity: `restic check` found no errors",
            "RetentionPolicyApplied=True SuccessfullyAppliedRetentionPolicy: 1 snapshot was removed, 3 are in the "
            "repository",
            "RepositoryMetricsPushed=True SuccessfullyPushedRepositoryMetrics: the repository's metrics are at the "
            "Pushgateway"});
}

TEST_CASE("a host that did no upkeep knows nothing of the repository but that it is not there",
          "[sidecar][repository_conditions]") {
  BackupProgress progress;
  progress.repository = RepositoryState::present;
  CHECK(told(progress, "").empty());
  progress.error = "backing up /a: the disk is full";
  progress.unusable = true;
  CHECK(told(progress, "").empty());
  progress.repository = RepositoryState::absent;
  progress.error = "initialising the repository: access denied";
  CHECK(told(progress, "") == std::vector<std::string>{"BackendRepositoryInitialized=False "
                                                       "FailedToInitializeBackendRepository: initialising the "
                                                       "repository: access denied"});
}

TEST_CASE("damage is no integrity, and keeps the retention policy away", "[sidecar][repository_conditions]") {
  BackupProgress progress = after_upkeep();
  progress.shortcomings.clear();
  note_check(progress, false);
  const auto lines = told(progress);
  REQUIRE(lines.size() == 3);
  CHECK(
      lines[1].starts_with("RepositoryIntegrityVerified=False FailedToVerifyRepositoryIntegrity: `restic check` "
                           "found errors in the repository at /safe/data"));
  CHECK(lines[2] ==
        "RetentionPolicyApplied=False FailedToApplyRetentionPolicy: `restic check` found errors; snapshots are not "
        "forgotten until the repository is repaired");
}

TEST_CASE("a check that could not be made verifies nothing, but does not keep the policy away",
          "[sidecar][repository_conditions]") {
  BackupProgress progress = after_upkeep();
  progress.intact.reset();
  note_check(progress, std::unexpected(kFailure));
  const auto lines = told(progress);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] ==
        "RepositoryIntegrityVerified=False FailedToVerifyRepositoryIntegrity: the repository could not be checked: "
        "restic failed");
  CHECK(lines[2].starts_with("RetentionPolicyApplied=True"));
}

TEST_CASE("while no check is due, the last one stands", "[sidecar][repository_conditions]") {
  BackupProgress progress = after_upkeep();
  progress.intact.reset();
  progress.last_check = kNow - std::chrono::hours(3);
  CHECK(told(progress)[1] ==
        "RepositoryIntegrityVerified=True SuccessfullyVerifiedRepositoryIntegrity: `restic check` found no errors at "
        "2026-11-23T07:00:00Z; the next is due a day later");
}

TEST_CASE("what was not applied, or not to all, is said", "[sidecar][repository_conditions]") {
  BackupProgress progress = after_upkeep();
  SECTION("forget failed") {
    note_forget(progress, std::unexpected(kFailure));
    CHECK(told(progress)[2] ==
          "RetentionPolicyApplied=False FailedToApplyRetentionPolicy: the retention policy was not applied: restic "
          "failed");
  }
  SECTION("a dry run") {
    progress.retention.dry_run = true;
    CHECK(told(progress)[2] ==
          "RetentionPolicyApplied=True SuccessfullyAppliedRetentionPolicy: it is a dry run: nothing was removed");
  }
  SECTION("no policy") {
    progress.retention = {};
    CHECK(told(progress).size() == 2);
  }
  SECTION("another host failed") {
    progress.upkeep.others.named = {{"host-1", OtherHost::State::backed_up, true},
                                    {"host-2", OtherHost::State::failed, true}};
    CHECK(told(progress)[2] ==
          "RetentionPolicyApplied=True SuccessfullyAppliedRetentionPolicy: of host-0, host-1 only: 1 snapshot was "
          "removed, 3 are in the repository; the backup of host-2 failed");
  }
  SECTION("another one of hundreds failed") {
    for (int i = 1; i < 500; ++i) {
      const auto state = i == 1 ? OtherHost::State::failed : OtherHost::State::backed_up;
      progress.upkeep.others.named.push_back({"host-" + std::to_string(i), state, true});
    }
    CHECK(told(progress)[2].find(", and 489 more only: 1 snapshot was removed") != std::string::npos);
    CHECK(told(progress)[2].size() < 300);
  }
  SECTION("the metrics") {
    CHECK(told(progress, "metrics were not pushed to x: HTTP 500")[3] ==
          "RepositoryMetricsPushed=False FailedToPushRepositoryMetrics: metrics were not pushed to x: HTTP 500");
  }
}

}  // namespace
}  // namespace stash::sidecar
