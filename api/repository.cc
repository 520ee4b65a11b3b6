#include "api/repository.h"

#include "api/kind_codec.h"
#include "api/repository_fields.h"
#include "api/session_fields.h"
#include "api/shared_fields.h"

namespace stash::api {
constexpr auto fields(Of<RepositorySpec>) {
  return std::tuple{Field{"backend", &RepositorySpec::backend, kBackendDoc, {.rules = kBackendRules}},
                    Field{"wipeOut", &RepositorySpec::wipe_out, kWipeOutDoc}};
}

constexpr std::span<const schema::CelRule> rules(Of<RepositorySpec>) { return kRepositoryRules; }

constexpr auto fields(Of<RepositoryStatus>) {
  return std::tuple{
      Field{"observedGeneration", &RepositoryStatus::observed_generation, as<Generation>(),
            "metadata.generation that this status is about."},
      Field{"firstBackupTime", &RepositoryStatus::first_backup_time, "Time of the first successful backup."},
      Field{"firstSnapshotTime", &RepositoryStatus::first_snapshot_time,
            "Time of the first snapshot, if its backup failed and none had succeeded before."},
      Field{"lastBackupTime", &RepositoryStatus::last_backup_time,
            "Time of the last successful backup; of one of more than 8 hosts that of the upkeep after it."},
      Field{"integrity", &RepositoryStatus::integrity, "Whether the last check found the repository sound."},
      Field{"lastCheckTime", &RepositoryStatus::last_check_time, "Time of that check."},
      Field{"initialisation", &RepositoryStatus::initialisation, "Which pod makes the restic repository now."},
      Field{"totalSize",
            &RepositoryStatus::total_size,
            "Size of all that can be restored.",
            {.older = "size", .write_older = true}},
      Field{"snapshotCount", &RepositoryStatus::snapshot_count, "Snapshots in the repository.", {.always = true}},
      Field{"snapshotsRemovedOnLastCleanup",
            &RepositoryStatus::snapshots_removed_on_last_cleanup,
            "Snapshots that the retention policy removed last time.",
            {.always = true}},
      Field{
          "conditions", &RepositoryStatus::conditions, "What Stash says about this Repository.", {.list_key = "type"}},
      Accepts{"lastSuccessfulBackupTime", as<TimePoint>(), "Older API; never written."},
      Accepts{"lastBackupDuration", as<std::string>(), "Older API; never written."},
      Accepts{"backupCount", as<std::int64_t>(), "Older API; never written."}};
}

std::string_view backend_kind(const Backend& backend) {
  if (backend.local) return "local";
  if (backend.s3) return "s3";
  if (backend.gcs) return "gcs";
  if (backend.azure) return "azure";
  if (backend.swift) return "swift";
  if (backend.b2) return "b2";
  if (backend.rest) return "rest";
  return "";
}

std::string claim_name(const Backend& backend) {
  return backend.local ? string_at(backend.local->volume_source, {"persistentVolumeClaim", "claimName"}) : "";
}

template <>
const KindFacts& facts<Repository>() {
  static const KindFacts facts{.resource = kRepositories,
                               .doc = "Where a restic repository is and how to open it.",
                               .versions = {"v1alpha1", "v1beta1"},
                               .short_names = {"repo"},
                               .categories = {"stash", "appscode", "storage"},
                               .columns = {{"Integrity", "boolean", ".status.integrity"},
                                           {"Size", "string", ".status.totalSize"},
                                           {"Snapshot-Count", "integer", ".status.snapshotCount"},
                                           {"Last-Successful-Backup", "date", ".status.lastBackupTime"}},
                               .rules = {}};
  return facts;
}

STASH_API_KIND(Repository)

Json encode_status(const RepositoryStatus& status) { return Coded<RepositoryStatus>::write(status); }

}  // namespace stash::api
