#pragma once
#include <filesystem>
#include <fstream>

#include "sidecar/backup_session_run.h"
#include "unit/sidecar/story.h"

namespace stash::test {

/// One host of one session, backed up by this pod.
struct BackupStory : Story {
  static constexpr const char* kStatus =
      "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/app-backup-1700000000/status";
  static constexpr const char* kSession =
      "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/app-backup-1700000000";
  static constexpr const char* kRepositoryStatus =
      "/apis/stash.appscode.com/v1alpha1/namespaces/demo/repositories/repo/status";
  static constexpr const char* kEvents = "/api/v1/namespaces/demo/events";
  /// What restic 0.14 made of c4aff7e4.
  static constexpr const char* kTagged =
      R"([{"time":"2026-11-23T09:00:00Z","tags":["stash-session=u","stash-incomplete"],"original":"c4aff7e499","id":"4f1e7c664d","short_id":"4f1e7c66"}])";

  sidecar::BackupMemory memory;
  Json pending = a_backup_session().stamped().json();
  Json running = a_backup_session().phase("Running").host(running_here()).json();

  BackupStory() {
    std::filesystem::create_directory(data());
    std::ofstream(data() + "/file") << "content";
  }
  void claims() { script.on("PATCH", BackupStory::kStatus).reply(running); }
  void reads(const RepositoryBuilder& repository) { script.on("GET", kRepositoryPath).reply(repository.json()); }
  /// Neither at the first look nor in its turn to make one.
  FakeRestic& finds_no_repository() {
    return restic.on("cat", {.exit_code = 1, .standard_error = kNoRepository})
        .on("cat", {.exit_code = 1, .standard_error = kNoRepository});
  }
  void beats() { script.on("PATCH", BackupStory::kStatus).times(1).reply(running); }
  Result<bool> run(const api::BackupConfiguration& configuration, bool resume = false) {
    stays(configuration);
    const Json& session = resume ? running : pending;
    const sidecar::NextSession next{"app-backup-1700000000", "uid-app-backup-1700000000",
                                    *sidecar::host_entry(session, "host-0"), resume};
    return sidecar::run_backup_session(context, memory, configuration, session, next, "host-0");
  }
  Result<bool> run() { return run(a_configuration_here().build()); }
};

/// Every write to the session's status is answered as an API server would; the test looks at what was written
/// afterwards.
inline void answer_all(BackupStory& story) {
  story.script.on("PATCH", BackupStory::kStatus).always().reply(story.running);
  story.script.on("POST", BackupStory::kEvents).always().reply(201, Json::object());
}

/// The session of a StatefulSet, in which host-0 is ours.
inline BackupSessionBuilder of_two_hosts(std::optional<bool> ours_told, api::HostStats other) {
  api::HostStats ours = Story::running_here();
  ours.backed_up = ours_told;
  return a_backup_session().phase("Running").total_hosts(2).host(ours).host(std::move(other));
}
inline api::HostStats other_host(std::string phase, std::optional<bool> told = std::nullopt) {
  api::HostStats other;
  other.hostname = "host-1";
  other.phase = std::move(phase);
  other.backed_up = told;
  return other;
}

/// Runs host-0 of two; every patch of the session but the first, the claim, is answered with what `answers` says.
struct TwoHostStory : BackupStory {
  TwoHostStory() {
    pending =
        a_backup_session().phase("Pending").total_hosts(2).host("host-0", "Pending").host("host-1", "Pending").json();
    reads(a_checked_repository_here());
    script.on("PATCH", kStatus).reply(of_two_hosts(std::nullopt, other_host("Pending")).json());
    script.on("POST", kEvents).always().reply(201, Json::object());
    restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = summary_line()});
  }
  /// The JSON patches of the session's status that tell how the snapshots came out.
  std::size_t tellings() const {
    std::size_t count = 0;
    for (const auto& call : script.calls()) {
      if (call.path == kStatus && call.json().back().value("path", "") == "/status/stats/0/backedUp") ++count;
    }
    return count;
  }
};

}  // namespace stash::test
