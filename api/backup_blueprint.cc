#include "api/backup_blueprint.h"

#include "api/kind_codec.h"
#include "api/repository_fields.h"
#include "api/shared_fields.h"

namespace stash::api {

constexpr auto fields(Of<BackupBlueprintSpec>) {
  return std::tuple{
      Field{"backend", &BackupBlueprintSpec::backend, kBackendDoc, {.rules = kBackendRules}},
      Field{"wipeOut", &BackupBlueprintSpec::wipe_out, kWipeOutDoc},
      Accepts{"repoNamespace", as<std::string>(), "A Repository is made beside its workload only; refused."},
      Field{"schedule", &BackupBlueprintSpec::schedule, "When to back up, in cron's five fields."},
      later<TaskRef>("task", "Only for backups by jobs."),
      Field{"retentionPolicy", &BackupBlueprintSpec::retention_policy, "Which snapshots are kept."},
      Field{"runtimeSettings", &BackupBlueprintSpec::runtime_settings, "Settings of containers and pods."},
      Field{"tempDir", &BackupBlueprintSpec::temp_dir, "Volume for temporary files and restic's cache."},
      Field{"backupHistoryLimit", &BackupBlueprintSpec::backup_history_limit,
            "How many BackupSessions are kept; 1 when absent."},
      Field{"timeOut", &BackupBlueprintSpec::time_out, "A session that lasts longer fails; a duration such as 30m."},
      Field{"retryConfig", &BackupBlueprintSpec::retry_config, "Repetition of failed sessions."},
      later<AnyObject>("interimVolumeTemplate", "Only for backups by jobs.")};
}

constexpr std::span<const schema::CelRule> rules(Of<BackupBlueprintSpec>) { return kRepositoryRules; }

constexpr auto fields(Of<BackupBlueprintStatus>) {
  return std::tuple{Field{"observedGeneration", &BackupBlueprintStatus::observed_generation, as<Generation>(),
                          "metadata.generation that this status is about."},
                    Field{"conditions",
                          &BackupBlueprintStatus::conditions,
                          "What Stash says about this object.",
                          {.list_key = "type"}}};
}

template <>
Result<void> check_whole<BackupBlueprint>(const Json& object) {
  if (string_at(object, {"spec", "repoNamespace"}).empty()) return {};
  return fail(ErrorCode::invalid,
              "/spec/repoNamespace: Repositories of another namespace are not supported; each is made in the namespace "
              "of its workload, so leave the field out");
}

template <>
const KindFacts& facts<BackupBlueprint>() {
  static const KindFacts facts{
      .resource = kBackupBlueprints,
      .doc = "How workloads are backed up that ask for it by the annotation stash.appscode.com/backup-blueprint.",
      .versions = {"v1beta1"},
      .short_names = {"bb"},
      .categories = {"stash", "appscode", "backup"},
      .columns = {{"Task", "string", ".spec.task.name"},
                  {"Schedule", "string", ".spec.schedule"},
                  {"Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"}},
      .rules = {}};
  return facts;
}

STASH_API_KIND(BackupBlueprint)

Json encode_status(const BackupBlueprintStatus& status) { return Coded<BackupBlueprintStatus>::write(status); }

}  // namespace stash::api
