#include "sidecar/upkeep_steps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"

namespace stash::sidecar {

namespace {

void count_snapshots(Restic& restic, BackupProgress& progress, const GoOn& go_on, int removed) {
  const auto all = restic.snapshots("", "", "");
  if (was_interrupted(all, go_on)) return;
  if (!all) return note_forget(progress, std::unexpected(all.error()));
  note_forget(progress, ForgetOutcome{static_cast<int>(all->size()), removed});
}

void forget(Restic& restic, BackupProgress& progress, const GoOn& go_on) {
  const std::vector<std::string> hosts = hosts_to_forget(progress);
  const auto outcome = restic.forget(progress.retention, hosts);
  if (was_interrupted(outcome, go_on)) return;
  if (!outcome) return note_forget(progress, outcome);
  if (progress.retention.dry_run) {
    log_info("the retention policy is a dry run: it would keep {} snapshots and remove {}", outcome->kept,
             outcome->removed);
    return count_snapshots(restic, progress, go_on, 0);
  }
  if (hosts.empty()) return note_forget(progress, outcome);
  log_info("the retention policy was applied to the snapshots of {} only", fmt::join(hosts, ", "));
  count_snapshots(restic, progress, go_on, outcome->removed);
}

}  // namespace

void run_upkeep_step(BackupStep::Kind kind, Restic& restic, BackupProgress& progress, const GoOn& go_on) {
  using Kind = BackupStep::Kind;
  if (kind == Kind::check) {
    const auto intact = restic.check();
    if (!was_interrupted(intact, go_on)) note_check(progress, intact);
  } else if (kind == Kind::forget) {
    forget(restic, progress, go_on);
  } else if (kind == Kind::count_snapshots) {
    count_snapshots(restic, progress, go_on, 0);
  } else if (kind == Kind::stats) {
    const auto size = restic.stats();
    if (!was_interrupted(size, go_on)) note_stats(progress, size);
  }
}

}  // namespace stash::sidecar
