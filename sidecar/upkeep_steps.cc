#include "sidecar/upkeep_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "base/log.h"
#include "base/text.h"
#include "sidecar/incomplete_retention.h"

namespace stash::sidecar {

namespace {

void count_snapshots(Restic& restic, BackupProgress& progress, const GoOn& go_on, int removed) {
  const auto all = restic.snapshots("", "", "");
  if (was_interrupted(all, go_on)) return;
  if (!all) return note_forget(progress, std::unexpected(all.error()));
  note_forget(progress, ForgetOutcome{static_cast<int>(all->size()), removed});
}

/// A backup may take hours: what the policy of now keeps must not go by the one of then. The reason why nothing may
/// go; nullopt also where the API server is away, for whoever changed it would know that as well.
std::optional<std::string> look_at_the_policy(Context& context, const api::BackupConfiguration& configuration,
                                              BackupProgress& progress) {
  const auto& known = configuration.metadata;
  const auto object = context.api.get(api::kBackupConfigurations, known.ref());
  if (!object && is_outage(object.error().code)) return std::nullopt;
  // The right to read it goes with it, and comes back with its successor a little later.
  if (!object && object.error().code != ErrorCode::not_found) return object.error().message;
  if (!object || string_at(*object, {"metadata", "uid"}) != known.uid)
    return fmt::format("the BackupConfiguration {} was deleted meanwhile", known.name);
  auto now = api::decode<api::BackupConfiguration>(*object);
  if (!now) return now.error().message;
  progress.retention = std::move(now->spec.retention_policy);
  return std::nullopt;
}

/// Makes up for what restic's retention does not know. Empty: the repository has no incomplete snapshot.
ResticResult<IncompleteRetention> look_at_incomplete_ones(Restic& restic, const std::vector<std::string>& hosts,
                                                          const std::vector<std::string>& kept_tags) {
  const auto incomplete = restic.snapshots("", "", std::string(kIncompleteTag));
  if (!incomplete) return std::unexpected(incomplete.error());
  if (incomplete->empty()) return IncompleteRetention{};
  auto all = restic.snapshots("", "", "");
  if (!all) return std::unexpected(all.error());
  std::erase_if(*all, [&hosts](const Snapshot& snapshot) {
    return !hosts.empty() && std::ranges::find(hosts, snapshot.host) == hosts.end();
  });
  return spare_complete(*all, kept_tags);
}

void forget(Context& context, const api::BackupConfiguration& configuration, Restic& restic, BackupProgress& progress,
            const GoOn& go_on) {
  if (auto reason = look_at_the_policy(context, configuration, progress))
    return note_forget(progress, std::unexpected(ResticFailure{ResticCause::unknown, *std::move(reason)}));
  if (!keeps_something(progress.retention)) return count_snapshots(restic, progress, go_on, 0);
  std::vector<std::string> hosts = hosts_to_forget(progress);
  // A clock that was fast once has left newer snapshots than ours, and keepTags alone asks for tags that no backup
  // sets.
  api::RetentionPolicy policy = progress.retention;
  policy.keep_tags.push_back(progress.session_tag);
  const auto found = look_at_incomplete_ones(restic, hosts, policy.keep_tags);
  if (was_interrupted(found, go_on)) return;
  if (!found) return note_forget(progress, std::unexpected(found.error()));
  if (!found->unprotected.empty()) {
    const std::string why = fmt::format(
        "after the last complete snapshot of {}, which another program made, there are only ones that lack files. "
        "Nothing of it is forgotten until one is complete; where none will be, remove those that have the tag {}",
        first_of(found->unprotected, ", "), kIncompleteTag);
    if (found->others.empty()) return note_forget(progress, std::unexpected(ResticFailure{ResticCause::unknown, why}));
    log_warning("{}", why);
    hosts = found->others;
  }
  policy.keep_tags.insert(policy.keep_tags.end(), found->keep_tags.begin(), found->keep_tags.end());
  if (!found->outdated.empty() && !policy.dry_run) {
    const auto removed = restic.remove(found->outdated);
    if (was_interrupted(removed, go_on)) return;
    if (!removed) return note_forget(progress, std::unexpected(removed.error()));
    log_info("removed {} snapshots that lack files, as newer ones are complete", found->outdated.size());
  }
  auto outcome = restic.forget(policy, hosts);
  if (was_interrupted(outcome, go_on)) return;
  if (!outcome) return note_forget(progress, outcome);
  if (!policy.dry_run) outcome->removed += static_cast<int>(found->outdated.size());
  if (progress.retention.dry_run) {
    log_info("the retention policy is a dry run: it would keep {} snapshots and remove {}", outcome->kept,
             outcome->removed);
    return count_snapshots(restic, progress, go_on, 0);
  }
  if (hosts.empty()) return note_forget(progress, outcome);
  log_info("the retention policy was applied to the snapshots of {} only", first_of(hosts, ", "));
  count_snapshots(restic, progress, go_on, outcome->removed);
}

}  // namespace

void run_upkeep_step(BackupStep::Kind kind, Context& context, const api::BackupConfiguration& configuration,
                     Restic& restic, BackupProgress& progress, const GoOn& go_on) {
  using Kind = BackupStep::Kind;
  if (kind == Kind::check) {
    const auto intact = restic.check();
    if (!was_interrupted(intact, go_on)) note_check(progress, intact);
  } else if (kind == Kind::forget) {
    forget(context, configuration, restic, progress, go_on);
  } else if (kind == Kind::count_snapshots) {
    count_snapshots(restic, progress, go_on, 0);
  } else if (kind == Kind::stats) {
    const auto size = restic.stats();
    if (!was_interrupted(size, go_on)) note_stats(progress, size);
  }
}

}  // namespace stash::sidecar
