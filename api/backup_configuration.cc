#include "api/backup_configuration.h"

#include "api/kind_codec.h"
#include "api/shared_fields.h"

namespace stash::api {

constexpr auto fields(Of<BackupTarget>) {
  return std::tuple{
      Field{"ref", &BackupTarget::ref, "The workload."},
      Field{"paths",
            &BackupTarget::paths,
            "Paths inside Stash's container; one snapshot each, in this order.",
            {.older = "directories"}},
      Field{"volumeMounts", &BackupTarget::volume_mounts, "Volumes of the pod that Stash's container mounts."},
      Field{"exclude", &BackupTarget::exclude, "Patterns of files that are left out."},
      later<std::string>("alias", "Prefix of the host names."),
      later<std::vector<std::string>>("args", "Further arguments for restic."),
      later<int>("replicas", "Only for volume snapshots."),
      later<std::string>("snapshotClassName", "Only for volume snapshots.")};
}

constexpr auto fields(Of<BackupConfigurationSpec>) {
  return std::tuple{
      Field{"schedule", &BackupConfigurationSpec::schedule, "When to back up, in cron's five fields."},
      Field{"driver", &BackupConfigurationSpec::driver, "Restic, which is also the default.", {.only = "Restic"}},
      Group{"repository", "Where the snapshots go."},
      Field{"repository.name", &BackupConfigurationSpec::repository, "Repository of this namespace."},
      Accepts{"repository.namespace", as<std::string>(), kRepositoryNamespaceDoc},
      Field{"target", &BackupConfigurationSpec::target, "What is backed up."},
      Field{"retentionPolicy", &BackupConfigurationSpec::retention_policy, "Which snapshots are kept."},
      Field{"paused", &BackupConfigurationSpec::paused, "Start no new sessions."},
      Field{"runtimeSettings", &BackupConfigurationSpec::runtime_settings, "Settings of containers and pods."},
      Field{"tempDir", &BackupConfigurationSpec::temp_dir, "Volume for temporary files and restic's cache."},
      Field{"backupHistoryLimit", &BackupConfigurationSpec::backup_history_limit,
            "How many BackupSessions are kept; 1 when absent."},
      Field{"timeOut", &BackupConfigurationSpec::time_out,
            "A session that lasts longer fails; a duration such as 30m."},
      later<TaskRef>("task", "Only for backups by jobs."),
      Group{"hooks", "Actions before and after the backup of each host."},
      Field{"hooks.preBackup", &BackupConfigurationSpec::pre_backup,
            "Run right before the backup of each host; when it fails nothing is backed up."},
      Field{"hooks.postBackup", &BackupConfigurationSpec::post_backup,
            "Run right after the backup of each host, also when that failed."},
      Field{"retryConfig", &BackupConfigurationSpec::retry_config, "Repetition of failed sessions."},
      later<AnyObject>("interimVolumeTemplate", "Only for backups by jobs.")};
}

constexpr auto fields(Of<BackupConfigurationStatus>) {
  return std::tuple{
      Field{"observedGeneration", &BackupConfigurationStatus::observed_generation, as<Generation>(),
            "metadata.generation that this status is about."},
      Field{"phase", &BackupConfigurationStatus::phase, "Ready, NotReady or Invalid."},
      Field{"conditions",
            &BackupConfigurationStatus::conditions,
            "What Stash says about this object.",
            {.list_key = "type"}},
      Field{"withdrawal", &BackupConfigurationStatus::withdrawal,
            "The sidecar is left out of the workload, for it kept the workload or its pods from being made."},
      Field{"generationObservedTime", &BackupConfigurationStatus::generation_observed,
            "When observedGeneration was first seen; slots before it are not missed."},
      Field{"lastSuccessfulTime", &BackupConfigurationStatus::last_success,
            "When the newest backup that succeeded ended; stays when its BackupSession is gone."}};
}

template <>
Result<void> check_whole<BackupConfiguration>(const Json& object) {
  return check_own_namespace(object);
}

template <>
const KindFacts& facts<BackupConfiguration>() {
  static const KindFacts facts{.resource = kBackupConfigurations,
                               .doc = "Backs up the volumes of a workload on a schedule.",
                               .versions = {"v1beta1"},
                               .short_names = {"bc"},
                               .categories = {"stash", "appscode", "all", "backup"},
                               .columns = {{"Task", "string", ".spec.task.name"},
                                           {"Schedule", "string", ".spec.schedule"},
                                           {"Paused", "boolean", ".spec.paused"},
                                           {"Phase", "string", ".status.phase"}},
                               .rules = {}};
  return facts;
}

STASH_API_KIND(BackupConfiguration)

bool keeps_something(const RetentionPolicy& policy) {
  return policy.keep_last > 0 || policy.keep_hourly > 0 || policy.keep_daily > 0 || policy.keep_weekly > 0 ||
         policy.keep_monthly > 0 || policy.keep_yearly > 0;
}

Json encode_spec(const BackupConfigurationSpec& spec) { return Coded<BackupConfigurationSpec>::write(spec); }
Json encode_status(const BackupConfigurationStatus& status) { return Coded<BackupConfigurationStatus>::write(status); }

}  // namespace stash::api
