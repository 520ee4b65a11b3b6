#include "api/kind_codec.h"
#include "api/names.h"
#include "api/session_fields.h"

namespace stash::api {
namespace {

/// status.targets[], the shape of later releases. We have exactly one target.
struct TargetStatus {
  TargetRef ref;
  std::optional<int> total_hosts;
  std::string phase;
  std::vector<HostStats> stats;
};

constexpr auto fields(Of<TargetStatus>) {
  return std::tuple{Field{"ref", &TargetStatus::ref, "The workload."},
                    Field{"totalHosts", &TargetStatus::total_hosts, "Hosts that are expected."},
                    Field{"phase", &TargetStatus::phase, "Pending, Running, Succeeded or Failed."},
                    Field{"stats", &TargetStatus::stats, "One entry per host.", {.list_key = "hostname"}}};
}

}  // namespace

constexpr auto fields(Of<BackupSessionSpec>) {
  return std::tuple{
      Group{"backupConfiguration", "The BackupConfiguration that this session runs; invoker says the same."},
      Field{"backupConfiguration.name", &BackupSessionSpec::backup_configuration,
            "BackupConfiguration of this namespace."},
      Group{"invoker", "The object that this session belongs to."},
      Accepts{"invoker.apiGroup", as<std::string>(), "stash.appscode.com."},
      Field{"invoker.kind", &BackupSessionSpec::invoker_kind, "BackupConfiguration."},
      Field{"invoker.name", &BackupSessionSpec::invoker_name, "Its name."},
      Field{"retryLeft", &BackupSessionSpec::retry_left,
            "Of a repetition: how many more may follow when it fails too."}};
}

void after_writing(Json& json, const BackupSessionSpec& spec) {
  if (!spec.invoker_name.empty()) schema::put(json, "invoker.apiGroup", names::kGroup);
}

constexpr auto fields(Of<BackupSessionStatus>) {
  return std::tuple{
      Field{"phase", &BackupSessionStatus::phase, kSessionPhaseDoc},
      Field{"totalHosts", &BackupSessionStatus::total_hosts, "Hosts that are expected."},
      Field{"sessionDuration", &BackupSessionStatus::session_duration, "How long the session took."},
      Field{"stats", &BackupSessionStatus::stats, "One entry per host.", {.list_key = "hostname"}},
      Field{
          "conditions", &BackupSessionStatus::conditions, "What Stash says about this session.", {.list_key = "type"}},
      Accepts{"targets", as<std::vector<TargetStatus>>(), "The same per target, for clients of later releases."},
      Accepts{"observedGeneration", as<Generation>(), "Older API; never written."},
      Accepts{"sessionDeadline", as<TimePoint>(), "Later API; not written."},
      Field{"lostPods", &BackupSessionStatus::lost_pods,
            "Pods that vanished while they had a host: nobody holds their locks any more."},
      Field{"retried", &BackupSessionStatus::retried, "It failed, and a session that repeats it has been made."},
      Field{"nextRetry", &BackupSessionStatus::next_retry, "When it will be repeated, because it failed."},
      Field{"progress", &BackupSessionStatus::progress, "How far it has come, over all hosts."},
      Field{"reason", &BackupSessionStatus::reason, kReasonDoc},
      Field{"hostObjects", &BackupSessionStatus::host_objects,
            "It has many hosts: each is a BackupSessionHost, and stats has their results when it has ended."},
      Field{"upkeepHost", &BackupSessionStatus::upkeep_host,
            "Of such a session: the host that checks the repository and applies the retention policy."}};
}

void after_reading(BackupSessionStatus& status, const Json& json) {
  const Json* targets = schema::find(json, "targets");
  if (targets == nullptr || targets->size() != 1) return;
  TargetStatus target;
  Coded<TargetStatus>::read(target, targets->front());
  if (!status.total_hosts) status.total_hosts = target.total_hosts;
  if (status.stats.empty()) status.stats = std::move(target.stats);
}

template <>
const KindFacts& facts<BackupSession>() {
  static const KindFacts facts{
      .resource = kBackupSessions,
      .doc = "One run of a BackupConfiguration.",
      .versions = {"v1beta1"},
      .short_names = {},
      .categories = {"stash", "appscode", "all", "backup"},
      .columns = session_columns(
          {"BackupConfiguration", "string", R"(.metadata.labels.stash\.appscode\.com/backup-configuration)"},
          {{"Invoker-Type", "string", ".spec.invoker.kind", 1}, {"Invoker-Name", "string", ".spec.invoker.name", 1}}),
      .rules = {{"has(self.spec) == has(oldSelf.spec) && (!has(self.spec) || self.spec == oldSelf.spec)",
                 "BackupSession spec is immutable: it records what was run; create a new BackupSession instead",
                 ".spec"}}};
  return facts;
}

STASH_API_KIND(BackupSession)

Json encode_status(const BackupSessionStatus& status, const TargetRef& target) {
  Json json = Coded<BackupSessionStatus>::write(status);
  // A target has no phase Skipped; a skipped session never had one.
  if (status.stats.empty()) return json;
  json["targets"] = Json::array({Coded<TargetStatus>::write({target, status.total_hosts, status.phase, status.stats})});
  return json;
}

Json encode_host(const HostStats& host) { return Coded<HostStats>::write(host); }
Json encode_progress(const Progress& progress) { return Coded<Progress>::write(progress); }
Json encode_progress(const SessionProgress& progress) { return Coded<SessionProgress>::write(progress); }

Json encode_conditions(const std::vector<Condition>& conditions) {
  return Coded<std::vector<Condition>>::write(conditions);
}

}  // namespace stash::api
