#include "api/restore_session.h"

#include "api/kind_codec.h"
#include "api/session_fields.h"

namespace stash::api {
namespace {

/// The API server estimates the cost of a rule from these bounds; a rule that compares every host with every other one
/// must stay below its limit.
constexpr std::size_t kMaxRules = 50, kMaxTargetHosts = 50;

constexpr schema::CelRule kRuleRules[] = {
    {"!(has(self.snapshots) && size(self.snapshots) > 0 && has(self.paths) && size(self.paths) > 0)",
     "a rule cannot have both snapshots and paths: a snapshot already holds its paths; put them in two rules"}};

constexpr schema::CelRule kRulesRules[] = {
    {"self.filter(r, !has(r.targetHosts) || size(r.targetHosts) == 0).size() <= 1",
     "only one rule may have empty targetHosts: it is for all hosts that no other rule names; give targetHosts to the "
     "others"},
    {"self.all(r, !has(r.targetHosts) || r.targetHosts.all(h, self.exists_one(o, has(o.targetHosts) && h in "
     "o.targetHosts)))",
     "a host is in targetHosts of two rules: it would not be clear which of them to follow; leave it in one of them"}};

}  // namespace

constexpr auto fields(Of<RestoreRule>) {
  return std::tuple{
      Field{"targetHosts",
            &RestoreRule::target_hosts,
            "Hosts that this rule is for; empty: all that no other rule names.",
            {.unique_items = true, .max_items = kMaxTargetHosts, .max_length = kMaxName}},
      Field{"sourceHost", &RestoreRule::source_host, "Host whose data is taken; empty: the one with the same name."},
      Field{"snapshots", &RestoreRule::snapshots, "Ids of snapshots to restore."},
      Field{"paths", &RestoreRule::paths, "Restore the newest snapshot of each of these paths."},
      Field{"include", &RestoreRule::include, "Patterns of files; only these are restored."},
      Field{"exclude", &RestoreRule::exclude, "Patterns of files that are not restored."}};
}
constexpr std::span<const schema::CelRule> rules(Of<RestoreRule>) { return kRuleRules; }

constexpr auto fields(Of<RestoreTarget>) {
  return std::tuple{
      Field{"ref", &RestoreTarget::ref, "The workload."},
      Field{"volumeMounts", &RestoreTarget::volume_mounts, "Volumes of the pod that Stash's container mounts."},
      later<int>("replicas", "Only for restores by jobs."),
      later<std::vector<AnyObject>>("volumeClaimTemplates", "Only for restores by jobs."),
      later<std::string>("alias", "Prefix of the host names."),
      later<std::vector<std::string>>("args", "Further arguments for restic.")};
}

void after_reading(RestoreTarget& target, const Json& json) {
  const Json* claims = schema::find(json, "volumeClaimTemplates");
  target.has_jobs = schema::find(json, "replicas") != nullptr || (claims != nullptr && !claims->empty());
}

void after_writing(Json& json, const RestoreTarget& target) {
  if (target.has_jobs) json["replicas"] = 1;
}

constexpr auto fields(Of<RestoreSessionSpec>) {
  return std::tuple{
      Field{"driver", &RestoreSessionSpec::driver, "Restic, which is also the default.", {.only = "Restic"}},
      Group{"repository", "Where the snapshots are."},
      Field{"repository.name", &RestoreSessionSpec::repository, "Repository of this namespace."},
      Accepts{"repository.namespace", as<std::string>(), kRepositoryNamespaceDoc},
      Field{"target", &RestoreSessionSpec::target, "What is restored."},
      Field{"rules",
            &RestoreSessionSpec::rules,
            "Which data goes to which host; the first rule that names a host is its rule.",
            {.newer = "target.rules", .max_items = kMaxRules, .rules = kRulesRules}},
      Field{"runtimeSettings", &RestoreSessionSpec::runtime_settings, as<RestoreRuntimeSettings>(),
            "Settings of containers and pods."},
      Field{"tempDir", &RestoreSessionSpec::temp_dir, "Volume for temporary files and restic's cache."},
      Field{"timeOut", &RestoreSessionSpec::time_out, "A session that lasts longer fails; a duration such as 30m."},
      later<TaskRef>("task", "Only for restores by jobs."),
      Group{"hooks",
            "Actions before and after the restore of each host; exec is refused, for the application's "
            "containers start only afterwards."},
      Field{"hooks.preRestore", &RestoreSessionSpec::pre_restore,
            "Run right before the restore of each host; when it fails nothing is restored."},
      Field{"hooks.postRestore", &RestoreSessionSpec::post_restore,
            "Run right after the restore of each host, also when that failed."},
      later<AnyObject>("interimVolumeTemplate", "Only for restores by jobs.")};
}

constexpr auto fields(Of<RestoreSessionStatus>) {
  return std::tuple{
      Field{"phase", &RestoreSessionStatus::phase, kSessionPhaseDoc},
      Field{"totalHosts", &RestoreSessionStatus::total_hosts, "Hosts that are expected."},
      Field{"sessionDuration", &RestoreSessionStatus::session_duration, "How long the session took."},
      Field{"stats", &RestoreSessionStatus::stats, "One entry per host.", {.list_key = "hostname"}},
      Field{
          "conditions", &RestoreSessionStatus::conditions, "What Stash says about this session.", {.list_key = "type"}},
      Accepts{"observedGeneration", as<Generation>(), "Older API; never written."},
      Accepts{"sessionDeadline", as<TimePoint>(), "Later API; not written."},
      Field{"progress", &RestoreSessionStatus::progress, "How far it has come, over all hosts."},
      Field{"reason", &RestoreSessionStatus::reason, kReasonDoc},
      Field{"withdrawal", &RestoreSessionStatus::withdrawal,
            "The init container is left out of the workload, for the API server refused the workload with it."}};
}

template <>
Result<void> check_whole<RestoreSession>(const Json& object) {
  return check_own_namespace(object);
}

template <>
const KindFacts& facts<RestoreSession>() {
  static const KindFacts facts{
      .resource = kRestoreSessions,
      .doc = "Restores the volumes of a workload, once.",
      .versions = {"v1beta1"},
      .short_names = {"restore"},
      .categories = {"stash", "appscode", "all", "restore"},
      .columns = session_columns({"Repository", "string", ".spec.repository.name"}),
      .rules = {
          {"has(self.spec) == has(oldSelf.spec) && (!has(self.spec) || self.spec == oldSelf.spec)",
           "RestoreSession spec is immutable: a restore may already be running; delete the RestoreSession and create a "
           "new one instead",
           ".spec"}}};
  return facts;
}

STASH_API_KIND(RestoreSession)

Json encode_spec(const RestoreSessionSpec& spec) { return Coded<RestoreSessionSpec>::write(spec); }
Json encode_status(const RestoreSessionStatus& status) { return Coded<RestoreSessionStatus>::write(status); }

}  // namespace stash::api
