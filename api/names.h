#pragma once
#include <string_view>

/// The only place where an annotation, label, finalizer, path, port, container name or reason is spelt.
/// Names marked (Stash) are those of AppsCode's Stash; users' objects and tools depend on them.
namespace stash::api::names {

inline constexpr std::string_view kGroup = "stash.appscode.com";  // (Stash)

// Containers and volumes in the user's pod (Stash).
inline constexpr std::string_view kSidecar = "stash";
inline constexpr std::string_view kInitContainer = "stash-init";
inline constexpr std::string_view kTmpVolume = "tmp-dir";
inline constexpr std::string_view kPodinfoVolume = "stash-podinfo";
inline constexpr std::string_view kSecretVolume = "stash-secret-volume";
inline constexpr std::string_view kLocalVolume = "stash-local";
inline constexpr std::string_view kTmpPath = "/tmp";
inline constexpr std::string_view kPodinfoPath = "/etc/stash";
inline constexpr std::string_view kSecretPath = "/etc/stash/repository/secret";
/// Ours: the volume used instead of tmp-dir in a pod that has a tmp-dir of its own.
inline constexpr std::string_view kTmpVolumeFallback = "stash-tmp-dir";
/// Ours: the volumes of stash-init in a pod whose sidecar uses another Repository.
inline constexpr std::string_view kRestoreSecretVolume = "stash-restore-secret-volume";
inline constexpr std::string_view kRestoreLocalVolume = "stash-restore-local";

// Annotations (Stash).
inline constexpr std::string_view kAppliedBackup = "stash.appscode.com/last-applied-backupconfiguration";
inline constexpr std::string_view kAppliedBackupHash = "stash.appscode.com/last-applied-backupconfiguration-hash";
inline constexpr std::string_view kAppliedRestore = "stash.appscode.com/last-applied-restoresession";
inline constexpr std::string_view kAppliedRestoreHash = "stash.appscode.com/last-applied-restoresession-hash";
inline constexpr std::string_view kAppliedRestoreUid = "stash.appscode.com/last-applied-restoresession-uid";
// Annotations of later releases of Stash, removed together with ours.
inline constexpr std::string_view kAppliedInvoker = "stash.appscode.com/last-applied-backup-invoker";
inline constexpr std::string_view kAppliedInvokerKind = "stash.appscode.com/last-applied-backup-invoker-kind";
inline constexpr std::string_view kAppliedInvokerHash = "stash.appscode.com/last-applied-backup-invoker-hash";
// Annotations of a workload that asks for a backup from a BackupBlueprint (Stash).
inline constexpr std::string_view kBlueprintAnnotation = "stash.appscode.com/backup-blueprint";
inline constexpr std::string_view kTargetPathsAnnotation = "stash.appscode.com/target-paths";
inline constexpr std::string_view kVolumeMountsAnnotation = "stash.appscode.com/volume-mounts";
/// Ours, on a BackupConfiguration: "true" lets a backup of zero files succeed.
inline constexpr std::string_view kAllowEmpty = "stash.appscode.com/allow-empty";
/// Ours, on one of many Repositories that are deleted at once: its UID lets its data go. Not a mere "true", which a
/// manifest that is applied again would say for every Repository to come.
inline constexpr std::string_view kConfirmWipeOut = "stash.appscode.com/confirm-wipe-out";
/// Ours, on objects that the controller applies: hash of what it applied, so that an unchanged one is not written
/// again.
inline constexpr std::string_view kSpecHash = "stash.appscode.com/spec-hash";

// Labels (Stash, except injection).
inline constexpr std::string_view kComponentLabel = "app.kubernetes.io/component";
inline constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kBackupComponent = "stash-backup";
inline constexpr std::string_view kManagedBy = "stash.appscode.com";
inline constexpr std::string_view kBackupConfigurationLabel = "stash.appscode.com/backup-configuration";
inline constexpr std::string_view kInvokerTypeLabel = "stash.appscode.com/invoker-type";
inline constexpr std::string_view kInvokerNameLabel = "stash.appscode.com/invoker-name";
/// Ours, on what was made from a BackupBlueprint: its name. Without it an object is somebody else's.
inline constexpr std::string_view kBlueprintLabel = "stash.appscode.com/backup-blueprint";
inline constexpr std::string_view kBlueprintComponent = "stash-blueprint";
/// On namespaces: "enabled" opts in, "disabled" opts out.
inline constexpr std::string_view kInjectionLabel = "stash.appscode.com/injection";
/// Field manager of a write to a workload with which the webhook brings the newest image of ours (ADR 0041).
inline constexpr std::string_view kUpgradeManager = "stash-sidecar-upgrade";
/// That of the controller's other nudges: they alone may bring what was refused before (ADR 0032). The name is the one
/// that the API server itself would give them.
inline constexpr std::string_view kNudgeManager = "stash";
/// That of a write which the webhook is to admit as it is, so that it shows whether the author's workload is refused.
inline constexpr std::string_view kAsItIsManager = "stash-as-it-is";

/// Ours, on a Repository with wipeOut and on nothing else: its data goes before it does (docs/decisions).
inline constexpr std::string_view kWipeOutFinalizer = "stash.appscode.com/wipe-out";
inline constexpr std::string_view kWipeOutJobPrefix = "stash-wipe-out-";
inline constexpr std::string_view kWipeOutComponent = "stash-wipe-out";
/// Which Repository a Job works for: one that was made anew under the same name is another.
inline constexpr std::string_view kRepositoryUidLabel = "stash.appscode.com/repository-uid";

// Finalizers that older Stash left on objects; we remove them and set none (docs/decisions).
inline constexpr std::string_view kLegacyFinalizer = "stash.appscode.com";
inline constexpr std::string_view kLegacyRepositoryFinalizer = "stash";

// RBAC objects in users' namespaces (Stash): prefix + <kind>-<workload> or + <BackupConfiguration>.
inline constexpr std::string_view kSidecarRolePrefix = "stash-sidecar-";
inline constexpr std::string_view kRestoreRolePrefix = "stash-restore-init-container-";
inline constexpr std::string_view kCronJobRolePrefix = "stash-cron-job-";
inline constexpr std::string_view kCronJobPrefix = "stash-backup-";

inline constexpr int kPushgatewayPort = 56789;  // (Stash)

// restic tag of every snapshot: kSessionTagPrefix + <UID of the BackupSession>.
inline constexpr std::string_view kSessionTagPrefix = "stash-session=";

// Condition types (Stash, except Ready, FieldsHonoured, Completed and those that say so).
inline constexpr std::string_view kReady = "Ready";
inline constexpr std::string_view kRepositoryFound = "RepositoryFound";
inline constexpr std::string_view kBackendSecretFound = "BackendSecretFound";
inline constexpr std::string_view kBackupTargetFound = "BackupTargetFound";
inline constexpr std::string_view kRestoreTargetFound = "RestoreTargetFound";
inline constexpr std::string_view kSidecarInjected = "StashSidecarInjected";
inline constexpr std::string_view kInitContainerInjected = "StashInitContainerInjected";
inline constexpr std::string_view kCronJobCreated = "CronJobCreated";
inline constexpr std::string_view kBackupSkipped = "BackupSkipped";
inline constexpr std::string_view kRepositoryInitialized = "BackendRepositoryInitialized";
inline constexpr std::string_view kRepositoryMetricsPushed = "RepositoryMetricsPushed";
inline constexpr std::string_view kRetentionPolicyApplied = "RetentionPolicyApplied";
inline constexpr std::string_view kIntegrityVerified = "RepositoryIntegrityVerified";
inline constexpr std::string_view kDeadlineExceeded = "DeadlineExceeded";
/// Ours, on a Repository: is the PersistentVolumeClaim of its local backend there?
inline constexpr std::string_view kBackendClaimFound = "BackendClaimFound";
/// Ours, of status.withdrawal.
inline constexpr std::string_view kWithdrawn = "Withdrawn";
inline constexpr std::string_view kRetrying = "Retrying";
/// Ours: False when the CronJob's Jobs fail or cannot run.
inline constexpr std::string_view kCronJobHealthy = "CronJobHealthy";
/// Ours, on a Repository that is being deleted: whether its data is gone.
inline constexpr std::string_view kWipedOut = "WipedOut";
/// With this reason it was deleted together with many others, and waits for somebody's word (docs/decisions).
inline constexpr std::string_view kMassDeletion = "MassDeletion";
/// The reason of a RestoreSession whose place a newer one has taken; no pod begins one any more.
inline constexpr std::string_view kSuperseded = "Superseded";
/// The reason of a BackupSession that is Skipped, or ends early, for a restore; no pod takes a host of one any more.
inline constexpr std::string_view kRestoreInProgress = "RestoreInProgress";
/// Ours, on a Repository: another one of its namespace has the same location. With this reason that one is older, and
/// the sidecars leave `restic init` to its backups.
inline constexpr std::string_view kLocationShared = "LocationShared";
inline constexpr std::string_view kNotFirst = "NotFirst";
/// Ours: False lists spec fields that this version accepts but does not act on.
inline constexpr std::string_view kFieldsHonoured = "FieldsHonoured";
/// Ours, on a BackupBlueprint: whether all workloads that name it are backed up as it says.
inline constexpr std::string_view kApplied = "Applied";
/// Ours: True once a session is final; its reason is the phase.
inline constexpr std::string_view kCompleted = "Completed";

}  // namespace stash::api::names
