#include "sidecar/backup_plan.h"

#include <catch2/catch.hpp>

#include "sidecar/backup_result.h"

namespace stash::sidecar {
namespace {

using Kind = BackupStep::Kind;

const TimePoint kNow = parse_time("2026-11-23T10:00:00Z").value();
const BackupSummary kSummary{"c4aff7e4", 6, 0, 0, 6, 2048, 1024, 1.5};

BackupProgress of_paths(std::vector<std::string> paths) {
  BackupProgress progress;
  for (std::string& path : paths) progress.paths.push_back({std::move(path), true, {}, {}, {}});
  progress.location = "/safe/data";
  progress.retention.keep_last = 3;
  return progress;
}

BackupProgress with_snapshots() {
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::present;
  progress.paths[0].earlier_snapshot = "";
  note_backup(progress, 0, kSummary, std::nullopt, {});
  return progress;
}

TEST_CASE("a first backup initialises, backs up each path, forgets and measures", "[sidecar][backup_plan]") {
  BackupProgress progress = of_paths({"/a", "/b"});
  progress.check_due = true;
  CHECK(next_step(progress) == BackupStep{Kind::find_repository});
  progress.repository = RepositoryState::absent;
  CHECK(next_step(progress) == BackupStep{Kind::init});
  progress.repository = RepositoryState::present;
  for (std::size_t path : {0u, 1u}) {
    CHECK(next_step(progress) == BackupStep{Kind::find_snapshot, path});
    progress.paths[path].earlier_snapshot = "";
    CHECK(next_step(progress) == BackupStep{Kind::back_up, path});
    note_backup(progress, path, kSummary, std::nullopt, {});
  }
  CHECK(next_step(progress) == BackupStep{Kind::check});
  note_check(progress, true);
  CHECK(next_step(progress) == BackupStep{Kind::forget});
  note_forget(progress, ForgetOutcome{3, 1});
  CHECK(next_step(progress) == BackupStep{Kind::stats});
  note_stats(progress, 2048u);
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  CHECK(progress.error.empty());
  CHECK(host_result(progress, "host-0", std::chrono::seconds(2), {}).phase == "Succeeded");
  CHECK(host_result(progress, "host-0", std::chrono::seconds(2), {}).snapshots.size() == 2);
  CHECK(repository_patch(progress, kNow) == Json{{"status",
                                                  {{"lastBackupTime", "2026-11-23T10:00:00Z"},
                                                   {"firstBackupTime", "2026-11-23T10:00:00Z"},
                                                   {"integrity", true},
                                                   {"lastCheckTime", "2026-11-23T10:00:00Z"},
                                                   {"size", "2.000 KiB"},
                                                   {"totalSize", "2.000 KiB"},
                                                   {"snapshotCount", 3},
                                                   {"snapshotsRemovedOnLastCleanup", 1}}}});
}

TEST_CASE("a backup that succeeds takes back the claim of a pod that was killed while it made the repository",
          "[sidecar][backup_plan][F3][I19]") {
  BackupProgress progress = of_paths({"/a"});
  progress.init_claimed = true;
  note_backup(progress, 0, kSummary, std::nullopt, {});
  const Json patch = repository_patch(progress, kNow);
  CHECK(at(patch, {"status", "initialisation"})->is_null());
  progress.error = "it failed";
  CHECK(at(repository_patch(progress, kNow), {"status", "initialisation"}) == nullptr);
}

TEST_CASE("a repository that held backups and is gone is never initialised again", "[sidecar][backup_plan][F36][I14]") {
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::absent;
  progress.first_backup = parse_time("2026-01-02T03:04:05Z").value();
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  CHECK(
      progress.error ==
      "the repository at /safe/data held backups since 2026-01-02T03:04:05Z and is gone; it is not initialised again. "
      "Bring it back, or, if its loss is known, delete and create the Repository object to start afresh");
}

TEST_CASE("where the directory of a repository may be another one here, a repository that is gone says so",
          "[sidecar][backup_plan][F36][I14]") {
  const auto [sharing, words] = GENERATE(table<api::Sharing, const char*>(
      {{api::Sharing::node,
        "and is gone (or this node has another directory at that hostPath, which is one for all only as a network "
        "mount); it is not initialised again."},
       {api::Sharing::pod,
        "and is gone (an emptyDir is lost with its pod, and each pod has its own); it is not initialised again."}}));
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::absent;
  progress.first_backup = kNow;
  progress.sharing = sharing;
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  CHECK_THAT(progress.error, Catch::Contains(words));
}

TEST_CASE("a repository that is left to an older Repository to make is not made", "[sidecar][backup_plan]") {
  BackupProgress progress = of_paths({"/a"});
  progress.leave_init = "Repository b has the same location";
  CHECK(next_step(progress) == BackupStep{Kind::find_repository});
  SECTION("it is not there yet") {
    progress.repository = RepositoryState::absent;
    CHECK(next_step(progress) == BackupStep{Kind::finish});
    CHECK(progress.error ==
          "there is no restic repository at /safe/data yet, and it is not made for this Repository: Repository b has "
          "the same location");
  }
  SECTION("it is") {
    progress.repository = RepositoryState::present;
    CHECK(next_step(progress) == BackupStep{Kind::find_snapshot, 0});
  }
}

TEST_CASE("all missing paths are named, and nothing is backed up", "[sidecar][backup_plan]") {
  BackupProgress progress = of_paths({"/a", "/b", "/c"});
  progress.paths[0].exists = progress.paths[2].exists = false;
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  CHECK(progress.error.starts_with("paths do not exist in the sidecar: /a, /c; nothing was backed up."));
  BackupProgress none = of_paths({});
  CHECK(next_step(none) == BackupStep{Kind::finish});
  CHECK(none.error == "the BackupConfiguration names no paths: set spec.target.paths");
}

TEST_CASE("of a path without files no snapshot is taken, unless empty ones are allowed",
          "[sidecar][backup_plan][F43][I5]") {
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::present;
  progress.paths[0].earlier_snapshot = "";
  progress.paths[0].has_entries = false;
  BackupProgress allowed = progress;
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  CHECK(progress.error.starts_with("/a: there are no files in it; no snapshot was taken"));
  allowed.allow_empty = true;
  CHECK(next_step(allowed) == BackupStep{Kind::back_up, 0});
}

TEST_CASE("a snapshot of this session is adopted instead of taken twice", "[sidecar][backup_plan][F3][I7]") {
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::present;
  progress.paths[0].earlier_snapshot = "deadbeef";
  CHECK(next_step(progress) == BackupStep{Kind::adopt, 0});
  note_adoption(progress, 0, BackupSummary{"", 0, 0, 6, 6, 2048, 777, 0.1}, std::nullopt, {});
  REQUIRE(progress.paths[0].snapshot);
  CHECK(progress.paths[0].snapshot->name == "deadbeef");
  CHECK(progress.paths[0].snapshot->uploaded.empty());
  CHECK(progress.paths[0].snapshot->total_size == "2.000 KiB");
  CHECK(next_step(progress) == BackupStep{Kind::forget});
}

TEST_CASE("an adopted snapshot tells only numbers of its own backup, and nothing where they are not known",
          "[sidecar][backup_plan][F3][I5]") {
  const BackupSummary now{"", 0, 0, 6, 6, 2048, 0, 0.1};
  Snapshot earlier{.id = "deadbeef01", .short_id = "deadbeef"};
  const auto adopted = [&] {
    BackupProgress progress = of_paths({"/a"});
    progress.repository = RepositoryState::present;
    note_earlier(progress, 0, &earlier);
    note_adoption(progress, 0, now, std::nullopt, {});
    return progress.paths[0].snapshot.value();
  };
  CHECK(adopted().file_stats == api::FileStats{6, 6, 0, 0});
  earlier.parent = "c0ffee";
  CHECK(adopted().file_stats == api::FileStats{6, 0, 0, 0});
  earlier.summary = BackupSummary{"deadbeef", 1, 2, 2, 5, 1024, 512, 3};
  CHECK(adopted().file_stats == api::FileStats{5, 1, 2, 2});
  CHECK(adopted().uploaded == "512 B");
  CHECK(adopted().processing_time == "0:03");
  CHECK(adopted().name == "deadbeef");
}

TEST_CASE("an incomplete snapshot is adopted as the failure it was", "[sidecar][backup_plan]") {
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::present;
  progress.paths[0].earlier_snapshot = "deadbeef";
  note_adoption(progress, 0, BackupSummary{"", 0, 0, 6, 6, 2048, 0, 0}, ResticFailure{ResticCause::incomplete, ""},
                {{"/a/x"}, 1});
  CHECK(progress.error.starts_with("/a: 1 file could not be read: /a/x. The snapshot deadbeef has everything else."));
}

TEST_CASE("an older snapshot of the session that lacks files does no harm once there is a complete one",
          "[sidecar][backup_plan][F3][F42][I5]") {
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::present;
  progress.told_incomplete = {"deadbeef"};
  const Snapshot earlier{.id = "deadbeef01", .short_id = "deadbeef"};
  note_earlier(progress, 0, &earlier);
  CHECK(next_step(progress) == BackupStep{Kind::adopt, 0});
  note_adoption(progress, 0, BackupSummary{"", 0, 0, 6, 6, 2048, 0, 0}, std::nullopt, {});
  CHECK(next_step(progress) == BackupStep{Kind::back_up, 0});
  note_backup(progress, 0, kSummary, std::nullopt, {});
  CHECK(next_step(progress) == BackupStep{Kind::mark_incomplete, 0});
  note_mark(progress, 0, std::unexpected(ResticFailure{ResticCause::locked, "locked"}));
  CHECK(progress.error.empty());
  CHECK(progress.paths[0].snapshot->name == "c4aff7e4");
  CHECK(next_step(progress) == BackupStep{Kind::forget});
}

TEST_CASE("a stopped pod has a result only when its backup is whole", "[sidecar][backup_plan][F9][I5][I9]") {
  BackupProgress progress = with_snapshots();
  SECTION("it is") {
    CHECK(end_without_upkeep(progress));
    CHECK(shortcoming(progress, kFailedToApply).starts_with("the retention policy was not applied"));
    CHECK(shortcoming(progress, kFailedToVerify).empty());  // none was due
  }
  SECTION("with a hook that is for failures alone") {
    progress.hook_after = HookState::due;
    progress.hook_after_policy = "OnFailure";
    CHECK(end_without_upkeep(progress));
  }
  SECTION("a path is missing") {
    progress.paths.push_back({"/b", true, {}, {}, {}});
    CHECK_FALSE(end_without_upkeep(progress));
  }
  SECTION("the hook after is due") {
    progress.hook_after = HookState::due;
    CHECK_FALSE(end_without_upkeep(progress));
  }
  SECTION("it has failed") {
    progress.error = "/a: 1 file could not be read: /a/x";
    CHECK_FALSE(end_without_upkeep(progress));
  }
}

TEST_CASE("unreadable files fail the host, keep the snapshot, and forget nothing",
          "[sidecar][backup_plan][F42][I5][I11]") {
  BackupProgress progress = of_paths({"/a", "/b"});
  progress.repository = RepositoryState::present;
  progress.paths[0].earlier_snapshot = "";
  note_backup(progress, 0, kSummary, ResticFailure{ResticCause::incomplete, ""}, {{"/a/x (permission denied)"}, 1});
  progress.hook_after = HookState::due;
  CHECK(next_step(progress) == BackupStep{Kind::tell_incomplete});
  progress.told_incomplete = incomplete_snapshots(progress);
  CHECK(progress.told_incomplete == std::vector<std::string>{"c4aff7e4"});
  CHECK(next_step(progress) == BackupStep{Kind::hook_after});
  note_hook_after(progress, "");
  CHECK(next_step(progress) == BackupStep{Kind::mark_incomplete, 0});
  note_mark(progress, 0, std::unexpected(ResticFailure{ResticCause::locked, "locked"}));
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  const auto result = host_result(progress, "host-0", {}, {});
  CHECK(result.phase == "Failed");
  REQUIRE(result.snapshots.size() == 1);
  CHECK(result.snapshots[0].name == "c4aff7e4");
  CHECK(result.error.starts_with(
      "/a: 1 file could not be read: /a/x (permission denied). The snapshot c4aff7e4 has everything else."));
  CHECK(repository_patch(progress, kNow) == Json{{"status", {{"firstSnapshotTime", "2026-11-23T10:00:00Z"}}}});
  progress.first_backup = kNow;
  CHECK(repository_patch(progress, kNow).is_null());
}

TEST_CASE("a backup that is stopped in its last moment tells that its snapshot lacks files",
          "[sidecar][backup_plan][F9][F42][I5]") {
  const ResticFailure interrupted{ResticCause::interrupted, "restic was interrupted"};
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::present;
  progress.paths[0].earlier_snapshot = "";
  SECTION("which restic named") {
    note_backup(progress, 0, kSummary, interrupted, {{"/a/x (permission denied)"}, 1});
    CHECK(incomplete_snapshots(progress) == std::vector<std::string>{"c4aff7e4"});
  }
  SECTION("but for one without a name") {
    note_backup(progress, 0, std::nullopt, interrupted, {{"/a/x (permission denied)"}, 1});
    CHECK(incomplete_snapshots(progress).empty());
  }
  SECTION("but for one that has all") {
    note_backup(progress, 0, kSummary, interrupted, {});
    CHECK(incomplete_snapshots(progress).empty());
  }
}

TEST_CASE("a backup of no files fails unless it may be empty", "[sidecar][backup_plan]") {
  BackupSummary empty = kSummary;
  empty.files_total = 0;
  BackupProgress progress = of_paths({"/a"});
  note_backup(progress, 0, empty, std::nullopt, {});
  CHECK(progress.error.find("there are no files in it (snapshot c4aff7e4)") != std::string::npos);
  BackupProgress allowed = of_paths({"/a"});
  allowed.allow_empty = true;
  note_backup(allowed, 0, empty, std::nullopt, {});
  CHECK(allowed.error.empty());
}

TEST_CASE("success without a snapshot is none", "[sidecar][backup_plan]") {
  BackupProgress progress = of_paths({"/a"});
  note_backup(progress, 0, std::nullopt, std::nullopt, {});
  CHECK(progress.error == "backing up /a: restic ended without an error but named no snapshot");
}

TEST_CASE("what the last check found holds until one can be made again", "[sidecar][backup_plan][F37][I11]") {
  BackupProgress progress = of_paths({"/a"});
  progress.repository = RepositoryState::present;
  progress.paths[0].earlier_snapshot = "";
  note_backup(progress, 0, kSummary, std::nullopt, {});
  progress.check_due = true;
  progress.known_damaged = GENERATE(true, false);
  CHECK(next_step(progress) == BackupStep{Kind::check});
  SECTION("nothing of a damaged repository is forgotten while it is locked") {
    note_check(progress, std::unexpected(ResticFailure{}));
    CHECK(next_step(progress) == BackupStep{progress.known_damaged ? Kind::count_snapshots : Kind::forget});
  }
  SECTION("one that was repaired is like any other") {
    note_check(progress, true);
    CHECK(next_step(progress) == BackupStep{Kind::forget});
  }
}

BackupProgress with_hooks(std::vector<std::string> paths) {
  BackupProgress progress = of_paths(std::move(paths));
  progress.hook_before = progress.hook_after = HookState::due;
  return progress;
}

TEST_CASE("the hooks are run right before the first snapshot and right after the last", "[sidecar][backup_plan]") {
  BackupProgress progress = with_hooks({"/a"});
  progress.check_due = true;
  CHECK(next_step(progress) == BackupStep{Kind::find_repository});
  progress.repository = RepositoryState::absent;
  CHECK(next_step(progress) == BackupStep{Kind::init});
  progress.repository = RepositoryState::present;
  CHECK(next_step(progress) == BackupStep{Kind::hook_before});
  note_hook_before(progress, "");
  CHECK(next_step(progress) == BackupStep{Kind::find_snapshot, 0});
  progress.paths[0].earlier_snapshot = "";
  note_backup(progress, 0, kSummary, std::nullopt, {});
  CHECK(next_step(progress) == BackupStep{Kind::hook_after});
  note_hook_after(progress, "");
  CHECK(next_step(progress) == BackupStep{Kind::check});
}

TEST_CASE("paths that the hook before makes are not missed before it", "[sidecar][backup_plan]") {
  BackupProgress progress = with_hooks({"/dump"});
  progress.paths[0].exists = progress.paths[0].has_entries = false;
  progress.repository = RepositoryState::present;
  CHECK(next_step(progress) == BackupStep{Kind::hook_before});
  note_hook_before(progress, "");
  SECTION("it made them") {
    progress.paths[0].exists = progress.paths[0].has_entries = true;
    CHECK(next_step(progress) == BackupStep{Kind::find_snapshot, 0});
  }
  SECTION("it did not") {
    CHECK(next_step(progress) == BackupStep{Kind::hook_after});
    CHECK(progress.error.starts_with("a path does not exist in the sidecar: /dump"));
  }
}

TEST_CASE("a failed hook before backs nothing up, and the hook after is run nevertheless", "[sidecar][backup_plan]") {
  BackupProgress progress = with_hooks({"/a"});
  progress.repository = RepositoryState::present;
  note_hook_before(progress, "the hook preBackup failed: it answered HTTP 500");
  CHECK(next_step(progress) == BackupStep{Kind::hook_after});
  note_hook_after(progress, "the hook postBackup failed: it answered HTTP 404");
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  const auto result = host_result(progress, "host-0", {}, {});
  CHECK(result.phase == "Failed");
  CHECK(result.error ==
        "the hook preBackup failed: it answered HTTP 500; nothing was backed up; the hook postBackup failed: it "
        "answered HTTP 404");
}

TEST_CASE("a failed hook after fails the host, which keeps its snapshot", "[sidecar][backup_plan]") {
  BackupProgress progress = with_snapshots();
  progress.hook_after = HookState::due;
  CHECK(next_step(progress) == BackupStep{Kind::hook_after});
  note_hook_after(progress, "the hook postBackup failed: no");
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  const auto result = host_result(progress, "host-0", {}, {});
  CHECK(result.phase == "Failed");
  CHECK(result.error == "the hook postBackup failed: no");
  REQUIRE(result.snapshots.size() == 1);
  CHECK(result.snapshots[0].name == "c4aff7e4");
}

TEST_CASE("an executionPolicy decides by how the backup ended", "[sidecar][backup_plan]") {
  const auto runs_after = [](std::string policy, std::string error, int retries_left) {
    BackupProgress progress = with_snapshots();
    progress.hook_after = HookState::due;
    progress.hook_after_policy = std::move(policy);
    progress.retries_left = retries_left;
    progress.error = std::move(error);
    return next_step(progress).kind == Kind::hook_after;
  };
  CHECK(runs_after("", "", 0));
  CHECK(runs_after("Always", "x", 3));
  CHECK(runs_after("OnSuccess", "", 0));
  CHECK_FALSE(runs_after("OnSuccess", "x", 0));
  CHECK(runs_after("OnFailure", "x", 1));
  CHECK_FALSE(runs_after("OnFailure", "", 0));
  CHECK(runs_after("OnFinalRetryFailure", "x", 0));
  CHECK_FALSE(runs_after("OnFinalRetryFailure", "x", 1));
  CHECK_FALSE(runs_after("OnFinalRetryFailure", "", 0));
}

/// One of three hosts, whose others are as given.
BackupProgress told_beside(BackupProgress progress, OtherHost::State second, OtherHost::State third) {
  progress.host = "host-0";
  progress.upkeep.alone = false;
  CHECK(next_step(progress) == BackupStep{Kind::tell});
  note_others(progress.upkeep, OtherHosts{{{"host-1", second, true}, {"host-2", third, true}}, 0});
  return progress;
}
using State = OtherHost::State;

TEST_CASE("of several hosts only the last checks, forgets and measures", "[sidecar][backup_plan]") {
  BackupProgress first = told_beside(with_snapshots(), State::at_work, State::backed_up);
  first.check_due = true;
  CHECK(next_step(first) == BackupStep{Kind::finish});
  const auto result = host_result(first, "host-0", {}, {});
  CHECK(result.phase == "Succeeded");
  CHECK(result.backed_up == true);
  CHECK(repository_patch(first, kNow) ==
        Json{{"status", {{"lastBackupTime", "2026-11-23T10:00:00Z"}, {"firstBackupTime", "2026-11-23T10:00:00Z"}}}});

  BackupProgress last = told_beside(with_snapshots(), State::backed_up, State::backed_up);
  last.check_due = true;
  CHECK(next_step(last) == BackupStep{Kind::check});
  note_check(last, true);
  CHECK(next_step(last) == BackupStep{Kind::forget});
  CHECK(hosts_to_forget(last).empty());
}

TEST_CASE("the last one waits for hosts that no pod has taken yet, then tells again", "[sidecar][backup_plan]") {
  BackupProgress progress = told_beside(with_snapshots(), State::awaited, State::backed_up);
  CHECK(next_step(progress) == BackupStep{Kind::wait});
  note_wait(progress.upkeep);
  CHECK(next_step(progress) == BackupStep{Kind::tell});
}

TEST_CASE("older snapshots of a host that failed stay, those of the others are forgotten", "[sidecar][backup_plan]") {
  const BackupProgress last = told_beside(with_snapshots(), State::failed, State::backed_up);
  CHECK(hosts_to_forget(last) == std::vector<std::string>{"host-0", "host-2"});
}

TEST_CASE("a host that fails last does the upkeep for the others, and takes no credit", "[sidecar][backup_plan]") {
  BackupProgress progress = with_snapshots();
  progress.first_backup = kNow;
  progress.error = "/a: 1 file could not be read: /a/x";
  SECTION("that are backed up") {
    progress = told_beside(progress, State::backed_up, State::failed);
    CHECK(next_step(progress) == BackupStep{Kind::forget});
    CHECK(hosts_to_forget(progress) == std::vector<std::string>{"host-1"});
    note_forget(progress, ForgetOutcome{5, 1});
    note_stats(progress, 2048u);
    CHECK(next_step(progress) == BackupStep{Kind::finish});
    const auto result = host_result(progress, "host-0", {}, {});
    CHECK(result.phase == "Failed");
    CHECK(result.backed_up == false);
    CHECK(repository_patch(progress, kNow) == Json{{"status",
                                                    {{"size", "2.000 KiB"},
                                                     {"totalSize", "2.000 KiB"},
                                                     {"snapshotCount", 5},
                                                     {"snapshotsRemovedOnLastCleanup", 1}}}});
  }
  SECTION("unless there are none") {
    progress = told_beside(progress, State::failed, State::failed);
    CHECK(next_step(progress) == BackupStep{Kind::finish});
  }
  SECTION("nor for a host that another pod may still back up") {
    progress = told_beside(progress, State::failed, State::awaited);
    CHECK(next_step(progress) == BackupStep{Kind::finish});
  }
  SECTION("nor where the repository is what fails") {
    progress.unusable = true;
    progress.upkeep.alone = false;
    CHECK(next_step(progress) == BackupStep{Kind::finish});
  }
}

TEST_CASE("a host that fails before it comes to the repository opens it only for the upkeep of others",
          "[sidecar][backup_plan][F28][I11]") {
  BackupProgress progress = of_paths({"/a"});
  progress.paths[0].exists = false;
  SECTION("not when it is the only one") { CHECK(next_step(progress) == BackupStep{Kind::finish}); }
  SECTION("not before it has asked who is the last") {
    progress.upkeep.alone = false;
    CHECK(next_step(progress) == BackupStep{Kind::tell});
    progress = told_beside(progress, State::at_work, State::backed_up);
    CHECK(next_step(progress) == BackupStep{Kind::finish});
  }
  SECTION("when it is the last, unless the upkeep is left to the next session") {
    progress = told_beside(progress, State::backed_up, State::backed_up);
    CHECK(next_step(progress) == BackupStep{Kind::find_repository});
    SECTION("as it cannot be opened") {
      note_left_upkeep(progress, "restic is not there");
      CHECK(shortcoming(progress, kFailedToApply) ==
            "the upkeep of the repository is left to the next session: restic is not there");
      CHECK(next_step(progress) == BackupStep{Kind::finish});
    }
    SECTION("as it is not there") {
      progress.repository = RepositoryState::absent;
      CHECK(next_step(progress) == BackupStep{Kind::finish});
    }
    SECTION("else it does it") {
      progress.repository = RepositoryState::present;
      CHECK(next_step(progress) == BackupStep{Kind::forget});
      CHECK(hosts_to_forget(progress) == std::vector<std::string>{"host-1", "host-2"});
    }
  }
}

TEST_CASE("without a keep rule snapshots are counted, not forgotten", "[sidecar][backup_plan]") {
  BackupProgress progress = with_snapshots();
  progress.retention = {};
  progress.retention.prune = true;
  CHECK(next_step(progress) == BackupStep{Kind::count_snapshots});
}

TEST_CASE("a damaged repository forgets nothing and is no failure of the backup", "[sidecar][backup_plan][F37][I11]") {
  BackupProgress progress = with_snapshots();
  progress.check_due = true;
  note_check(progress, false);
  CHECK(next_step(progress) == BackupStep{Kind::count_snapshots});
  note_forget(progress, ForgetOutcome{4, 0});
  note_stats(progress, 1u);
  const auto result = host_result(progress, "host-0", {}, {});
  CHECK(result.phase == "Succeeded");
  CHECK(result.error.starts_with("`restic check` found errors in the repository at /safe/data"));
  CHECK(bool_at(repository_patch(progress, kNow), {"status", "integrity"}, true) == false);
}

TEST_CASE("a failed cleanup is told beside the success", "[sidecar][backup_plan]") {
  BackupProgress progress = with_snapshots();
  note_forget(progress, std::unexpected(ResticFailure{ResticCause::locked, "the repository is locked"}));
  note_stats(progress, std::unexpected(ResticFailure{ResticCause::unknown, "restic failed"}));
  CHECK(next_step(progress) == BackupStep{Kind::finish});
  CHECK(host_result(progress, "h", {}, {}).phase == "Succeeded");
  CHECK(host_result(progress, "h", {}, {}).error ==
        "the retention policy was not applied: the repository is locked; the repository's size could not be read: "
        "restic failed");
  const Json patch = repository_patch(progress, kNow);
  CHECK(at(patch, {"status", "snapshotCount"}) == nullptr);
  CHECK(at(patch, {"status", "size"}) == nullptr);
}

TEST_CASE("a check is due once a day, and until the repository was found intact", "[sidecar][backup_plan]") {
  const auto due = [](std::optional<bool> integrity, std::optional<TimePoint> last) {
    api::RepositoryStatus status;
    status.integrity = integrity;
    status.last_check_time = last;
    return check_is_due(status, kNow);
  };
  CHECK(due(std::nullopt, kNow));
  CHECK(due(false, kNow));
  CHECK(due(true, std::nullopt));
  CHECK_FALSE(due(true, kNow - std::chrono::hours(23)));
  CHECK(due(true, kNow - std::chrono::hours(24)));
  // By a clock that was some minutes or a year ahead.
  CHECK_FALSE(due(true, kNow + std::chrono::minutes(5)));
  CHECK(due(true, kNow + std::chrono::hours(8760)));
}

TEST_CASE("every progress has a next step, and plans end", "[sidecar][backup_plan]") {
  BackupProgress progress = of_paths({"/a", "/b", "/c"});
  progress.check_due = true;
  progress.hook_before = progress.hook_after = HookState::due;
  progress.upkeep.alone = GENERATE(true, false);
  int steps = 0;
  for (BackupStep step = next_step(progress); step.kind != Kind::finish; step = next_step(progress)) {
    REQUIRE(++steps < 40);
    const ResticFailure failure{ResticCause::unknown, "x"};
    switch (step.kind) {
      case Kind::find_repository:
        progress.repository = RepositoryState::absent;
        break;
      case Kind::init:
        progress.repository = RepositoryState::present;
        break;
      case Kind::hook_before:
        note_hook_before(progress, "");
        break;
      case Kind::hook_after:
        note_hook_after(progress, "");
        break;
      case Kind::find_snapshot:
        progress.paths[step.path].earlier_snapshot = step.path == 1 ? "aa" : "";
        break;
      case Kind::adopt:
        note_adoption(progress, step.path, kSummary, std::nullopt, {});
        break;
      case Kind::back_up:
        note_backup(progress, step.path, kSummary, std::nullopt, {});
        break;
      case Kind::tell_incomplete:
        progress.told_incomplete = incomplete_snapshots(progress);
        break;
      case Kind::mark_incomplete:
        note_mark(progress, step.path, std::unexpected(failure));
        break;
      case Kind::tell:
        note_others(progress.upkeep, OtherHosts{{{"host-1", OtherHost::State::awaited, false}}, 0});
        break;
      case Kind::wait:
        note_wait(progress.upkeep);
        break;
      case Kind::check:
        note_check(progress, std::unexpected(failure));
        break;
      case Kind::forget:
      case Kind::count_snapshots:
        note_forget(progress, std::unexpected(failure));
        break;
      case Kind::stats:
        note_stats(progress, std::unexpected(failure));
        break;
      case Kind::finish:
        break;
    }
  }
  CHECK(progress.shortcomings.size() == 3);
  CHECK(backup_metrics(progress, {}).size_bytes == 3 * 2048);
}

}  // namespace
}  // namespace stash::sidecar
