#include "controller/wipe_out.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backend_check.h"
#include "api/names.h"
#include "api/server_time.h"
#include "api/wipe_out.h"
#include "base/hash.h"
#include "controller/job_pod.h"
#include "controller/mass_deletion.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::chrono::seconds kLookAgain{5};
constexpr std::chrono::minutes kTryAgain{10};
constexpr std::string_view kWayOut = "to delete the Repository and keep its data, set spec.wipeOut to false";

bool is_ours(const std::string& finalizer) {
  return finalizer == names::kWipeOutFinalizer || finalizer == names::kLegacyRepositoryFinalizer ||
         finalizer == names::kLegacyFinalizer;
}

/// Takes away our finalizer and those of older Stash. True when there was one.
bool release(Plan& plan, const Json& object) {
  Json kept = Json::array();
  const Json& all = array_at(object, {"metadata", "finalizers"});
  for (const Json& finalizer : all) {
    if (!finalizer.is_string() || !is_ours(finalizer.get_ref<const std::string&>())) kept.push_back(finalizer);
  }
  if (kept.size() == all.size()) return false;
  write_patch(plan, api::kRepositories, object, {{"metadata", {{"finalizers", kept}}}});
  return true;
}

struct JobState {
  bool succeeded = false, failed = false;
  TimePoint since{};
  std::string message;
};

JobState state_of(const Json& job) {
  for (const Json& condition : array_at(job, {"status", "conditions"})) {
    const std::string type = string_at(condition, {"type"});
    if (string_at(condition, {"status"}) != "True" || (type != "Complete" && type != "Failed")) continue;
    return {.succeeded = type == "Complete",
            .failed = type == "Failed",
            .since = parse_time(string_at(condition, {"lastTransitionTime"})).value_or(TimePoint{}),
            .message = string_at(condition, {"message"})};
  }
  return {};
}

bool is_job_of(const Json& job, const api::Repository& repository) {
  const std::string uid = string_at(job, {"metadata", "labels", names::kRepositoryUidLabel});
  return !uid.empty() && uid == repository.metadata.uid;
}

/// But not somebody else's of that name.
void remove_job(Plan& plan, const Json& job) {
  if (!string_at(job, {"metadata", "labels", names::kRepositoryUidLabel}).empty() &&
      string_at(job, {"metadata", "deletionTimestamp"}).empty()) {
    remove_object(plan, api::kJobs, api::meta_of(job));
  }
}

/// While the Repository waits.
void say(Plan& plan, StatusDraft& status, const Json& object, std::string_view reason, const std::string& message,
         std::chrono::seconds in = kLookAgain) {
  const api::Condition* old = api::find_condition(status.conditions(), names::kWipedOut);
  const bool news = !old || old->reason != reason;
  status.set(names::kWipedOut, "False", reason, message);
  write_status(plan, api::kRepositories, object, status.finish());
  if (news && reason != reasons::kWipingOut) warn(plan, reason, message);
  look_again(plan, in);
}

Json container(const Json& object, const inject::Settings& settings, const Json& resources,
               std::optional<TimePoint> server_time) {
  const Json repository = {{"apiVersion", api::kRepositories.api_version()},
                           {"kind", api::kRepositories.kind},
                           {"metadata",
                            {{"name", string_at(object, {"metadata", "name"})},
                             {"namespace", string_at(object, {"metadata", "namespace"})}}},
                           {"spec", object_at(object, {"spec"})}};
  Json env = {{{"name", "POD_NAME"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.name"}}}}}},
              {{"name", "STASH_REPOSITORY"}, {"value", dump_json(repository)}}};
  if (server_time) env.push_back({{"name", api::kServerTimeVariable}, {"value", format_time(*server_time)}});
  return {{"name", names::kSidecar},
          {"image", settings.image},
          {"imagePullPolicy", "IfNotPresent"},
          {"args", {"wipe-out", fmt::format("--secret-dir={}", names::kSecretPath)}},
          {"env", std::move(env)},
          {"volumeMounts",
           {{{"name", "secret"}, {"mountPath", names::kSecretPath}, {"readOnly", true}},
            {{"name", "tmp"}, {"mountPath", names::kTmpPath}}}},
          {"resources", resources},
          {"securityContext", job_security_context()}};
}

}  // namespace

bool can_be_wiped(const api::Repository& repository) {
  const std::string_view kind = api::backend_kind(repository.spec.backend);
  return repository.spec.wipe_out && kind != "local" && kind != "b2" && !api::backend_fault(repository.spec.backend);
}

bool has_data_to_wipe(const api::Repository& repository) {
  const auto& all = repository.metadata.finalizers;
  // Older Stash put its own finalizer on every Repository and wiped on its account.
  return can_be_wiped(repository) && (std::ranges::find(all, names::kWipeOutFinalizer) != all.end() ||
                                      std::ranges::find(all, names::kLegacyRepositoryFinalizer) != all.end());
}

std::string wipe_out_job_name(const std::string& repository) {
  return undotted_name(std::string(names::kWipeOutJobPrefix) + repository, 63);
}

Json wipe_out_job(const api::Repository& repository, const Json& object, const inject::Settings& settings,
                  const Json& resources, std::optional<TimePoint> server_time) {
  const Json labels = {{names::kManagedByLabel, names::kManagedBy},
                       {names::kComponentLabel, names::kWipeOutComponent},
                       {names::kRepositoryUidLabel, repository.metadata.uid}};
  Json pod = {{"restartPolicy", "Never"},
              {"nodeSelector", job_node_selector()},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"containers", Json::array({container(object, settings, resources, server_time)})},
              {"volumes",
               {{{"name", "secret"}, {"secret", {{"secretName", repository.spec.backend.storage_secret_name}}}},
                {{"name", "tmp"}, {"emptyDir", Json::object()}}}}};
  for (const std::string& secret : settings.image_pull_secrets) pod["imagePullSecrets"].push_back({{"name", secret}});
  // Not owned by the Repository: a foreground deletion would take it away before it has done its work.
  return {{"apiVersion", api::kJobs.api_version()},
          {"kind", api::kJobs.kind},
          {"metadata",
           {{"namespace", repository.metadata.ns},
            {"name", wipe_out_job_name(repository.metadata.name)},
            {"labels", labels}}},
          {"spec",
           {{"backoffLimit", 0},
            {"activeDeadlineSeconds", 86400},
            {"ttlSecondsAfterFinished", 86400},
            {"template", {{"metadata", job_pod_metadata(labels)}, {"spec", std::move(pod)}}}}}};
}

std::string last_words(const Json& pod) {
  for (const Json& container : array_at(pod, {"status", "containerStatuses"})) {
    const Json& ended = object_at(container, {"state", "terminated"});
    if (std::string told = string_at(ended, {"message"}); !told.empty()) return told;
    if (string_at(ended, {"reason"}) == "OOMKilled") return std::string(api::kWipeOutOutOfMemory);
  }
  return "";
}

void keep_wipe_out_finalizer(Plan& plan, const api::Repository& repository, const Json& object) {
  Json finalizers = array_at(object, {"metadata", "finalizers"});
  const auto found = std::find(finalizers.begin(), finalizers.end(), names::kWipeOutFinalizer);
  const bool wanted = can_be_wiped(repository);
  if (wanted == (found != finalizers.end())) return;
  if (wanted) {
    finalizers.push_back(names::kWipeOutFinalizer);
  } else {
    finalizers.erase(found);
  }
  write_patch(plan, api::kRepositories, object, {{"metadata", {{"finalizers", std::move(finalizers)}}}});
}

bool let_go_unreadable(Plan& plan, const Json& object) {
  if (string_at(object, {"metadata", "deletionTimestamp"}).empty() || bool_at(object, {"spec", "wipeOut"}))
    return false;
  release(plan, object);
  return true;
}

bool begins_wipe_out(const Plan& plan) {
  return std::ranges::any_of(plan.writes, [](const Write& write) {
    return write.verb == Write::Verb::create && write.resource == api::kJobs;
  });
}

void plan_wipe_out(Plan& plan, StatusDraft& status, const api::Repository& repository, const Json& object,
                   const WipeOutFacts& facts, const inject::Settings& settings, TimePoint now) {
  const bool wipes = has_data_to_wipe(repository);
  const JobState state = is_job_of(facts.job, repository) ? state_of(facts.job) : JobState{};
  if (!wipes || facts.namespace_is_going || state.succeeded) {
    remove_job(plan, facts.job);
    if (!release(plan, object)) return;
    if (wipes && state.succeeded) {
      note(plan, reasons::kWipeOutSucceeded, facts.report.empty() ? "the data is removed" : facts.report);
    } else if (repository.spec.wipe_out) {
      warn(plan, reasons::kWipeOutGivenUp,
           wipes ? "the whole namespace is being deleted, in which nothing can be run any more: the data is kept"
                 : "the data of this backend is not removed by Stash: it is kept");
    }
    return;
  }
  if (!is_job_of(facts.job, repository)) {
    const auto held = hold_back(object, facts.awaiting_wipe_out, facts.wiped_at_once, facts.server_time.value_or(now));
    if (held && held->message.empty()) return look_again(plan, held->look_again_in);
    if (held) return say(plan, status, object, names::kMassDeletion, held->message, held->look_again_in);
  }
  if (!facts.users.empty()) {
    return say(
        plan, status, object, reasons::kInUse,
        fmt::format("{} still uses this Repository; delete that first, or {}", fmt::join(facts.users, ", "), kWayOut));
  }
  if (!facts.same_place.empty()) {
    return say(plan, status, object, reasons::kInUse,
               fmt::format("Repository {} keeps its snapshots in the same place and would lose them; delete that, too, "
                           "or {}",
                           facts.same_place, kWayOut));
  }
  if (!facts.refused.empty()) {
    return say(plan, status, object, reasons::kWipeOutFailed,
               fmt::format("the Job that removes the data cannot be made: {}; {}", facts.refused, kWayOut));
  }
  if (facts.secret == Presence::absent) {
    return say(plan, status, object, reasons::kSecretNotAvailable,
               fmt::format("without Secret {}/{} the data cannot be removed; bring it back, or, {}",
                           repository.metadata.ns, repository.spec.backend.storage_secret_name, kWayOut));
  }
  if (facts.job.is_null()) {
    create_object(plan, api::kJobs, wipe_out_job(repository, object, settings, facts.resources, facts.server_time));
    return say(plan, status, object, reasons::kWipingOut, "a Job removes the data");
  }
  const api::ObjectMeta job = api::meta_of(facts.job);
  if (!job.labels.contains(std::string(names::kRepositoryUidLabel))) {
    return say(
        plan, status, object, reasons::kNameTaken,
        fmt::format("Job {} exists already and is not Stash's; delete it, or, {}", to_string(job.ref()), kWayOut));
  }
  if (!is_job_of(facts.job, repository)) {
    remove_job(plan, facts.job);
    return look_again(plan, kLookAgain);
  }
  if (!state.failed) {
    return say(plan, status, object, reasons::kWipingOut,
               fmt::format("Job {} removes the data{}", to_string(job.ref()),
                           facts.trouble.empty() ? "" : "; " + facts.trouble + "; " + std::string(kWayOut)));
  }
  // Trying again is a new Job, after a while: what is wrong may be mended by then.
  if (now - state.since >= kTryAgain) {
    remove_job(plan, facts.job);
    return look_again(plan, kLookAgain);
  }
  say(plan, status, object, reasons::kWipeOutFailed,
      fmt::format("the data was not removed: {}; it is tried again; {}",
                  facts.report.empty() ? state.message : facts.report, kWayOut));
}

}  // namespace stash::controller
