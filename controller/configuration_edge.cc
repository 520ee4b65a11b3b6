#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "controller/backup_gauges.h"
#include "controller/configuration_plan.h"
#include "controller/cron_job.h"
#include "controller/edges.h"
#include "controller/execute.h"
#include "controller/gather.h"
#include "controller/invoker_labels.h"
#include "controller/owned_object.h"
#include "controller/rollout_edge.h"

namespace stash::controller {
namespace {

/// No event tells that a slot passed without a Job, nor what becomes of an object of somebody else under our name.
constexpr std::chrono::seconds kResync = std::chrono::minutes(10);
constexpr std::chrono::minutes kTryRefusedConfiguration{5};  ///< what the API server refused may be allowed later

Result<void> gather_target(Cluster& cluster, kube::Api& api, const api::BackupConfiguration& configuration,
                           ConfigurationWorld& world) {
  const auto& target = configuration.spec.target;
  const api::WorkloadKind* kind = target ? api::workload_kind(target->ref) : nullptr;
  if (kind == nullptr) return {};
  const api::WorkloadRef ref{kind, {configuration.metadata.ns, target->ref.name}};
  const auto workload = cluster.caches.workload(ref);
  if (!workload) return {};
  world.workload = workload_facts(*kind, *workload, api::names::kSidecar, configuration.metadata.name);
  const WorkloadWorld asked = gather_workload(cluster, ref, *workload);
  const WorkloadPlan decision = plan_workload(asked, cluster.settings);
  world.injection = decision.injection;
  const std::string name = "BackupConfiguration " + to_string(configuration.metadata.ref());
  world.findings = findings_about(decision.findings, name);
  world.remarks = findings_about(decision.remarks, name);
  TRY(world.rollout, gather_rollout(cluster, api, asked, configuration, world.workload->has_container));
  return {};
}

/// Of one that cannot be read, too.
Result<void> gather_cron_job(Cluster& cluster, kube::Api& api, const Json& configuration, ConfigurationWorld& world) {
  const api::ObjectMeta meta = api::meta_of(configuration);
  const std::string cron_job = cron_job_name(meta.name);
  const std::string role = cron_role_name(meta.name);
  TRY(world.cron_job, owned_object(api, cluster.caches.cron_jobs, api::kCronJobs, {meta.ns, cron_job}));
  TRY(world.role, owned_object(api, cluster.caches.roles, api::kRoles, {meta.ns, role}));
  TRY(world.role_binding, owned_object(api, cluster.caches.role_bindings, api::kRoleBindings, {meta.ns, role}));
  const std::string named = string_at(configuration, {"spec", "runtimeSettings", "pod", "serviceAccountName"});
  if (named.empty() || named == cron_job) {
    TRY(world.service_account,
        owned_object(api, cluster.caches.service_accounts, api::kServiceAccounts, {meta.ns, cron_job}));
  } else {
    world.service_account = cached(cluster.caches.service_accounts, {meta.ns, cron_job});  // none is to be made
  }
  for (const auto& object : cluster.caches.cron_jobs_of(meta.ns, meta.uid)) {
    const api::ObjectMeta other = api::meta_of(*object);
    if (other.name == cron_job) continue;
    world.other_cron_jobs.push_back(other);
    if (other.name == named) continue;
    // That of its pods has its name, and may be in the way of another BackupConfiguration's.
    TRY(const Json account, live_object(api, api::kServiceAccounts, other.ref()));
    const api::ObjectMeta found = api::meta_of(account);
    const bool owned = std::ranges::any_of(found.owners, [&](const auto& owner) { return owner.uid == meta.uid; });
    if (owned) world.other_service_accounts.push_back(found);
  }
  return {};
}

}  // namespace

Result<LookAgain> reconcile_configuration(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref) {
  const auto object = cluster.caches.configurations.get(ref);
  if (!object) {
    cluster.pushes.clean_up_soon();
    return LookAgain();
  }
  // Its own turn comes, and a finalizer of older Stash must not hold the namespace.
  if (cluster.is_going(ref.ns) && !api::meta_of(*object).being_deleted) return LookAgain();
  ConfigurationWorld world;
  world.configuration = *object;
  world.now = cluster.clock.now();
  world.job_resources = cluster.job_resources.cron_job;
  world.not_opted_in = cluster.not_opted_in(ref.ns);
  TRY_VOID(gather_cron_job(cluster, api, *object, world));
  if (const auto configuration = api::decode<api::BackupConfiguration>(*object)) {
    world.repository = decoded<api::Repository>(cluster.caches.repositories, {ref.ns, configuration->spec.repository});
    TRY_VOID(gather_target(cluster, api, *configuration, world));
    const std::vector<api::BackupSession> sessions = sessions_of(cluster, *configuration);
    for (const api::BackupSession& session : sessions) {
      world.last_session = std::max(world.last_session, std::optional(session.metadata.created));
    }
    world.last_success = last_success(*configuration, sessions);
  }
  const ExecuteOptions options{cluster.dry_run, "BackupConfiguration Controller"};
  const Plan plan = plan_configuration(world, cluster.settings);
  const auto done = execute(api, plan, *object, options, cluster.clock);
  if (done) return std::min(plan.look_again_in.value_or(kResync), kResync);
  if (done.error().code != ErrorCode::invalid && done.error().code != ErrorCode::denied) {
    return std::unexpected(done.error());
  }
  // Not for us to cure: say so where the user looks.
  world.refused = done.error().message;
  TRY_VOID(execute(api, plan_configuration(world, cluster.settings), *object, options, cluster.clock));
  return LookAgain(kTryRefusedConfiguration);
}

}  // namespace stash::controller
