#pragma once
#include <string_view>

/// Reasons of conditions and events that the controller writes. Those marked (Stash) are read by existing tools.
namespace stash::controller::reasons {

// Events on sessions (Stash).
inline constexpr std::string_view kBackupStarted = "BackupSessionJobCreated";
inline constexpr std::string_view kBackupSucceeded = "SuccessfulBackup";
inline constexpr std::string_view kBackupFailed = "BackupSessionFailedToExecute";
inline constexpr std::string_view kBackupSkipped = "BackupSessionSkipped";
inline constexpr std::string_view kRetried = "BackupSessionRetried";
inline constexpr std::string_view kRestoreStarted = "RestoreJobCreated";
inline constexpr std::string_view kRestoreSucceeded = "RestoreSessionSucceeded";
inline constexpr std::string_view kRestoreFailed = "RestoreSessionFailedToExecute";
inline constexpr std::string_view kHostBackupFailed = "FailedHostBackup";
inline constexpr std::string_view kHostRestoreFailed = "FailedHostRestore";

// Conditions of later releases (Stash).
inline constexpr std::string_view kRepositoryAvailable = "RepositoryAvailable";
inline constexpr std::string_view kRepositoryNotAvailable = "RepositoryNotAvailable";
inline constexpr std::string_view kSecretAvailable = "BackendSecretAvailable";
inline constexpr std::string_view kSecretNotAvailable = "BackendSecretNotAvailable";
inline constexpr std::string_view kSecretUnknown = "UnableToCheckBackendSecretAvailability";
inline constexpr std::string_view kTargetAvailable = "TargetAvailable";
inline constexpr std::string_view kTargetNotAvailable = "TargetNotAvailable";
inline constexpr std::string_view kSidecarInjected = "SidecarInjectionSucceeded";
inline constexpr std::string_view kSidecarNotInjected = "SidecarInjectionFailed";
inline constexpr std::string_view kCronJobCreated = "CronJobCreationSucceeded";
inline constexpr std::string_view kCronJobNotCreated = "CronJobCreationFailed";
inline constexpr std::string_view kSkipped = "SkippedTakingNewBackup";
inline constexpr std::string_view kInitContainerInjected = "InitContainerInjectionSucceeded";
inline constexpr std::string_view kRetentionNotApplied = "FailedToApplyRetentionPolicy";

// Condition types of the newest releases (Stash), and the same for restores (ours): a pod vanished while it worked.
inline constexpr std::string_view kBackupDisrupted = "BackupDisrupted";
inline constexpr std::string_view kRestoreDisrupted = "RestoreDisrupted";
/// Condition type (ours): a session of many hosts has ended, and not all of its results had room.
inline constexpr std::string_view kResultsShortened = "ResultsShortened";

// Ours.
inline constexpr std::string_view kPaused = "Paused";
inline constexpr std::string_view kPending = "SidecarInjectionPending";
inline constexpr std::string_view kInitContainerPending = "InitContainerInjectionPending";
inline constexpr std::string_view kNotOptedIn = "NamespaceNotOptedIn";
inline constexpr std::string_view kNameTaken = "NameTaken";
inline constexpr std::string_view kInvalid = "Invalid";
inline constexpr std::string_view kNotSupported = "NotSupported";
inline constexpr std::string_view kAllHonoured = "AllFieldsHonoured";
inline constexpr std::string_view kIgnoredFields = "FieldsIgnored";
inline constexpr std::string_view kAllGood = "AllGood";
inline constexpr std::string_view kPathNotMounted = "PathNotMounted";
inline constexpr std::string_view kScheduleNeverDue = "ScheduleNeverDue";
inline constexpr std::string_view kFirst = "First";
inline constexpr std::string_view kOnlyOne = "OnlyOne";
inline constexpr std::string_view kConfigurationMissing = "BackupConfigurationNotAvailable";
inline constexpr std::string_view kNamesContradict = "NamesContradict";
inline constexpr std::string_view kInjectionMissing = "ContainerNotInjected";
inline constexpr std::string_view kScaledToZero = "ScaledToZero";
inline constexpr std::string_view kTooLarge = "TooLarge";
inline constexpr std::string_view kEnding = "Ending";
inline constexpr std::string_view kUpkeepOffered = "WaitingForUpkeep";
inline constexpr std::string_view kUpkeep = "RepositoryUpkeep";
inline constexpr std::string_view kNoPod = "NoPod";
inline constexpr std::string_view kNoRunningPod = "NoRunningPod";
inline constexpr std::string_view kWaitingForClaim = "WaitingForClaim";
inline constexpr std::string_view kRunning = "Running";
inline constexpr std::string_view kThawing = "RunningPostBackup";
inline constexpr std::string_view kDeadline = "DeadlineExceeded";
inline constexpr std::string_view kInTime = "InTime";
inline constexpr std::string_view kJobFailed = "JobFailed";
inline constexpr std::string_view kJobMissed = "JobMissed";
inline constexpr std::string_view kJobStuck = "JobStuck";
inline constexpr std::string_view kClaimAvailable = "BackendClaimAvailable";
inline constexpr std::string_view kClaimNotAvailable = "BackendClaimNotAvailable";
inline constexpr std::string_view kClaimUnknown = "UnableToCheckBackendClaimAvailability";
inline constexpr std::string_view kClaimNotNeeded = "NoClaimNeeded";
inline constexpr std::string_view kInUse = "InUse";
inline constexpr std::string_view kWipingOut = "WipingOut";
inline constexpr std::string_view kWipeOutFailed = "WipeOutFailed";
inline constexpr std::string_view kWipeOutSucceeded = "WipeOutSucceeded";
inline constexpr std::string_view kWipeOutGivenUp = "WipeOutGivenUp";
inline constexpr std::string_view kPodGone = "PodGone";
inline constexpr std::string_view kHandedBack = "HandedBack";
inline constexpr std::string_view kDenied = "AccessDenied";
inline constexpr std::string_view kPodsUnknown = "PodsUnknown";
inline constexpr std::string_view kVolumesInUse = "VolumesInUse";

// Ours, about workloads that ask for a BackupBlueprint.
inline constexpr std::string_view kBlueprintMissing = "BackupBlueprintNotFound";
inline constexpr std::string_view kBlueprintInvalid = "BackupBlueprintInvalid";
inline constexpr std::string_view kBlueprintApplied = "BackupBlueprintApplied";
inline constexpr std::string_view kBlueprintWithdrawn = "BackupBlueprintWithdrawn";
inline constexpr std::string_view kAnnotationInvalid = "BackupAnnotationInvalid";
inline constexpr std::string_view kRepositoryKept = "RepositoryKept";
inline constexpr std::string_view kBeingDeleted = "BeingDeleted";
inline constexpr std::string_view kRefused = "Refused";
inline constexpr std::string_view kNotAllApplied = "NotAllApplied";
inline constexpr std::string_view kSharedPlace = "SharedPlace";

}  // namespace stash::controller::reasons
