#include <fmt/format.h>

#include "api/codec.h"
#include "api/names.h"
#include "controller/edges.h"
#include "controller/execute.h"
#include "controller/gather.h"
#include "controller/mass_deletion.h"
#include "controller/repository_plan.h"

namespace stash::controller {
namespace {

constexpr std::chrono::minutes kLookForRefusedRepository{1};
constexpr std::chrono::seconds kLookForNews{1};

bool stays(const Json& object) { return string_at(object, {"metadata", "deletionTimestamp"}).empty(); }

/// Sessions of a BackupConfiguration that is gone are found by nobody; restic's own lock guards against these.
std::vector<std::string> users_of(const Caches& caches, const api::ObjectRef& repository) {
  std::vector<std::string> users;
  const auto add = [&](const api::Resource& resource, const Json& object) {
    users.push_back(fmt::format("{} {}/{}", resource.kind, repository.ns, string_at(object, {"metadata", "name"})));
  };
  for (const auto& object : caches.configurations_with(repository)) {
    if (stays(*object)) add(api::kBackupConfigurations, *object);
  }
  for (const auto& object : caches.restores_with(repository)) {
    const std::string phase = string_at(*object, {"status", "phase"});
    const bool unfinished = phase.empty() || phase == "Pending" || phase == "Running";
    if (unfinished && stays(*object)) add(api::kRestoreSessions, *object);
  }
  return users;
}

Result<void> gather_job(kube::Api& api, const api::ObjectRef& repository, WipeOutFacts& facts) {
  const std::string name = wipe_out_job_name(repository.name);
  TRY(facts.job, live_object(api, api::kJobs, {repository.ns, name}));
  if (const auto skew = api.clock_skew()) {
    facts.server_time = std::chrono::time_point_cast<TimePoint::duration>(system_clock().now() - *skew);
  }
  if (!facts.job.is_object()) return {};
  TRY(const Json pods, api.list(api::kPods, repository.ns, {.label_selector = "job-name=" + name}));
  for (const Json& pod : array_at(pods, {"items"})) {
    facts.trouble = pod_facts(pod, api::names::kSidecar).trouble;
    facts.report = last_words(pod);
  }
  return {};
}

/// What we may not look at is unknown.
Result<Presence> presence_if_allowed(kube::Api& api, const api::Resource& resource, const api::ObjectRef& ref,
                                     std::string* why_unknown) {
  auto found = presence(api, resource, ref);
  if (found || found.error().code != ErrorCode::denied) return found;
  if (why_unknown) *why_unknown = found.error().message;
  return Presence::unknown;
}

api::ObjectRef secret_of(const api::Repository& repository) {
  return {repository.metadata.ns, repository.spec.backend.storage_secret_name};
}

Result<void> gather_needs(Cluster& cluster, kube::Api& api, const api::Repository& repository, RepositoryWorld& world) {
  TRY(world.secret, presence_if_allowed(api, api::kSecrets, secret_of(repository), &world.secret_error));
  const std::string claim = api::claim_name(repository.spec.backend);
  if (!claim.empty()) {
    TRY(world.claim,
        presence_if_allowed(api, api::kPersistentVolumeClaims, {repository.metadata.ns, claim}, &world.claim_error));
  }
  const bool missed = world.secret != Presence::present || (!claim.empty() && world.claim != Presence::present);
  world.misses = cluster.misses.count(to_string(repository.metadata.ref()), missed);
  return {};
}

/// The data of those in a namespace that is being deleted is kept.
bool counts(const Cluster& cluster, const Json& repository) {
  return awaits_wipe_out(repository) && !cluster.is_going(string_at(repository, {"metadata", "namespace"}));
}

/// One that cannot be read is used by nobody.
void add_if_in(const std::string& ns, const Json& repository, std::vector<api::Repository>& all) {
  if (string_at(repository, {"metadata", "namespace"}) != ns) return;
  if (auto decoded = api::decode<api::Repository>(repository)) all.push_back(*std::move(decoded));
}

/// A watch may be late, and what is removed is gone. False: we do not know this Repository as it is.
Result<bool> look_before_wipe_out(const Cluster& cluster, kube::Api& api, RepositoryWorld& world) {
  TRY(const Json all, api.list(api::kRepositories, ""));
  const api::ObjectMeta known = api::meta_of(world.repository);
  bool is_known = false;
  world.wipe_out.awaiting_wipe_out = 0;
  world.in_namespace.clear();
  for (const Json& other : array_at(all, {"items"})) {
    world.wipe_out.awaiting_wipe_out += counts(cluster, other);
    add_if_in(known.ns, other, world.in_namespace);
    const api::ObjectMeta meta = api::meta_of(other);
    is_known |= meta.uid == known.uid && meta.resource_version == known.resource_version;
  }
  return is_known;
}

Result<void> gather_end(Cluster& cluster, kube::Api& api, const api::Repository& repository, WipeOutFacts& facts) {
  const api::ObjectRef ref = repository.metadata.ref();
  const auto ns = cluster.caches.namespaces.get({"", ref.ns});
  facts.namespace_is_going = ns && !string_at(*ns, {"metadata", "deletionTimestamp"}).empty();
  facts.users = users_of(cluster.caches, ref);
  facts.wiped_at_once = cluster.limits.wiped_at_once;
  for (const auto& other : cluster.caches.awaiting_wipe_out()) facts.awaiting_wipe_out += counts(cluster, *other);
  TRY(facts.secret, presence_if_allowed(api, api::kSecrets, secret_of(repository), nullptr));
  return gather_job(api, ref, facts);
}

}  // namespace

Result<LookAgain> reconcile_repository(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref) {
  const auto object = cluster.caches.repositories.get(ref);
  if (!object) {
    cluster.misses.forget(to_string(ref));
    return LookAgain();
  }
  // Its own turn comes, and its Secret may have gone before it.
  if (cluster.is_going(ref.ns) && !api::meta_of(*object).being_deleted) return LookAgain();
  RepositoryWorld world{.repository = *object, .settings = cluster.settings, .now = cluster.clock.now()};
  world.wipe_out.resources = cluster.job_resources.wipe_out;
  const auto repository = api::decode<api::Repository>(*object);
  if (repository && repository->metadata.being_deleted) {
    if (repository->spec.wipe_out) {
      const auto gathered = gather_end(cluster, api, *repository, world.wipe_out);
      if (!gathered && gathered.error().code != ErrorCode::denied) return std::unexpected(gathered.error());
      if (!gathered) world.wipe_out.refused = gathered.error().message;
    }
  } else if (repository) {
    TRY_VOID(gather_needs(cluster, api, *repository, world));
  }
  cluster.caches.repositories.for_each(
      ref.ns, [&](const api::ObjectRef&, const Json& other) { add_if_in(ref.ns, other, world.in_namespace); });
  const ExecuteOptions options{cluster.dry_run, "Repository Controller"};
  Plan plan = plan_repository(world);
  if (begins_wipe_out(plan)) {
    TRY(const bool is_known, look_before_wipe_out(cluster, api, world));
    if (!is_known) return LookAgain(kLookForNews);
    plan = plan_repository(world);
  }
  const auto done = execute(api, plan, *object, options, cluster.clock);
  if (done) return plan.look_again_in;
  const bool refused = done.error().code == ErrorCode::invalid || done.error().code == ErrorCode::denied;
  const bool wipes = repository && repository->metadata.being_deleted && repository->spec.wipe_out;
  if (!refused || !wipes) return std::unexpected(done.error());
  // Not for us to cure: say so where the user looks.
  world.wipe_out.refused = done.error().message;
  TRY_VOID(execute(api, plan_repository(world), *object, options, cluster.clock));
  return LookAgain(kLookForRefusedRepository);
}

}  // namespace stash::controller
