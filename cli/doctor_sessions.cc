#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "api/resource.h"
#include "cli/doctor_world.h"
#include "cli/newest_session.h"
#include "cli/object.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "controller/reasons.h"

/// Did the last backup and the restores of each workload come out well?
namespace stash::cli {

namespace {

std::string phase_of(const Json& session) { return string_at(session, {"status", "phase"}); }
bool went_wrong(std::string_view phase) { return tone_of_phase(phase) == Tone::bad; }
bool was_skipped(std::string_view phase) { return phase == "Skipped"; }

std::string describe(std::string_view kind, const Json& session) {
  return fmt::format("kubectl describe {} {} -n {}", kind, name_of(session), ns_of(session));
}

/// Those of AppsCode's Stash have no such condition, and their pods run since.
bool was_ended_by_us(const Json& restore) {
  return std::ranges::any_of(array_at(restore, {"status", "conditions"}), [](const Json& condition) {
    return string_at(condition, {"type"}) == api::names::kCompleted;
  });
}

}  // namespace

void check_sessions(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "sessions";
  if (!readable(world, kArea, {"backupconfigurations", "backupsessions"}, checks)) return;
  const Json& sessions = list_of(world, "backupsessions");
  const auto newest = newest_sessions(sessions, is_over);
  const auto newest_runs = newest_that_ran(sessions);
  bool good = true;
  const auto tell = [&](const Json& configuration, const Json& session, Check::Level level) {
    good = false;
    wrong(checks, level, kArea,
          fmt::format("{} {}{}: {}", api::kBackupConfigurations.kind, ref_of(configuration),
                      bool_at(configuration, {"spec", "paused"}) ? " (paused)" : "", verdict(session)),
          describe("backupsession", session));
  };
  for (const Json& configuration : list_of(world, "backupconfigurations")) {
    const auto last = newest.find(ref_of(configuration));
    if (last == newest.end()) continue;
    if (was_skipped(phase_of(*last->second))) tell(configuration, *last->second, Check::Level::warning);
    const auto last_that_ran = newest_runs.find(ref_of(configuration));
    if (last_that_ran == newest_runs.end() || !went_wrong(phase_of(*last_that_ran->second))) continue;
    // Whoever paused it may know.
    const bool paused = bool_at(configuration, {"spec", "paused"});
    tell(configuration, *last_that_ran->second, paused ? Check::Level::warning : Check::Level::problem);
  }
  if (good) well(checks, kArea, "no BackupConfiguration's last backup failed");
}

void check_restores(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "restores";
  if (!readable(world, kArea, {"restoresessions"}, checks)) return;
  const Json& restores = list_of(world, "restoresessions");
  bool good = true;
  for (const Json& restore : restores) {
    const std::string phase = phase_of(restore);
    if (!went_wrong(phase) || is_replaced(restore, restores)) continue;
    good = false;
    const bool holds = phase == "Failed" && was_ended_by_us(restore);
    if (holds || phase == "Invalid") {
      wrong(checks, Check::Level::problem, kArea, verdict(restore),
            describe("restoresession", restore) +
                (holds ? "; pods with its stash-init wait until it succeeds, a newer RestoreSession takes its place or "
                         "it is deleted"
                       : "; delete it, and create it corrected"));
      continue;
    }
    wrong(checks, Check::Level::warning, kArea, verdict(restore),
          fmt::format("an older Stash ended it, and it begins no more: kubectl delete restoresession {} -n {}",
                      name_of(restore), ns_of(restore)));
  }
  if (good) well(checks, kArea, "no restore failed");
}

}  // namespace stash::cli
