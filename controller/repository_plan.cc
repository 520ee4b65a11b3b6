#include "controller/repository_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backend_check.h"
#include "api/codec.h"
#include "api/names.h"
#include "controller/fields_honoured.h"
#include "controller/reasons.h"
#include "controller/shared_location.h"
#include "controller/status_draft.h"
#include "inject/backend_objection.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::chrono::minutes kLookAgainAtWhatIsThere{5};

std::chrono::seconds wait_for_what_is_missing(int misses) {
  const int doublings = std::clamp(misses - 1, 0, 4);
  return std::min(std::chrono::seconds(5 << doublings), std::chrono::seconds(60));
}

void set_secret_found(StatusDraft& status, const RepositoryWorld& world, const api::Repository& repository) {
  const std::string& name = repository.spec.backend.storage_secret_name;
  const std::string secret = fmt::format("Secret {}/{}", repository.metadata.ns, name);
  if (name.empty()) {
    status.set(names::kBackendSecretFound, "False", reasons::kSecretNotAvailable,
               "no Secret is named; set spec.backend.storageSecretName to one with the key RESTIC_PASSWORD");
  } else if (world.secret == Presence::present) {
    status.set(names::kBackendSecretFound, "True", reasons::kSecretAvailable, secret + " exists");
  } else if (world.secret == Presence::absent) {
    status.set(names::kBackendSecretFound, "False", reasons::kSecretNotAvailable,
               secret + " does not exist; create it with the key RESTIC_PASSWORD");
  } else {
    status.set(names::kBackendSecretFound, "Unknown", reasons::kSecretUnknown,
               world.secret_error.empty() ? "not looked at yet" : world.secret_error);
  }
}

/// A pod that mounts a claim which is not there is never scheduled.
void set_claim_found(StatusDraft& status, const RepositoryWorld& world, const api::Repository& repository) {
  const std::string name = api::claim_name(repository.spec.backend);
  const std::string claim = fmt::format("PersistentVolumeClaim {}/{}", repository.metadata.ns, name);
  if (name.empty()) {
    if (api::find_condition(status.conditions(), names::kBackendClaimFound) == nullptr) return;
    status.set(names::kBackendClaimFound, "True", reasons::kClaimNotNeeded, "the backend is on no claim");
  } else if (world.claim == Presence::present) {
    status.set(names::kBackendClaimFound, "True", reasons::kClaimAvailable, claim + " exists");
  } else if (world.claim == Presence::absent) {
    status.set(names::kBackendClaimFound, "False", reasons::kClaimNotAvailable,
               claim + " does not exist; create it, or correct spec.backend.local.persistentVolumeClaim.claimName");
  } else {
    status.set(names::kBackendClaimFound, "Unknown", reasons::kClaimUnknown,
               world.claim_error.empty() ? "not looked at yet" : world.claim_error);
  }
}

void set_ready(StatusDraft& status, const api::Repository& repository, const inject::Settings& settings) {
  const auto objection = inject::backend_objection(repository.spec.backend, settings);
  const api::Condition secret = *api::find_condition(status.conditions(), names::kBackendSecretFound);
  const api::Condition* claim = api::find_condition(status.conditions(), names::kBackendClaimFound);
  if (objection) {
    const bool malformed = objection->reason == inject::Reason::malformed;
    status.set(names::kReady, "False", malformed ? reasons::kInvalid : inject::code_of(objection->reason),
               objection->message);
  } else if (secret.status != "True") {
    status.set(names::kReady, secret.status, secret.reason, secret.message);
  } else if (claim != nullptr && claim->status != "True") {
    const std::string state = claim->status, reason = claim->reason, message = claim->message;
    status.set(names::kReady, state, reason, message);
  } else {
    std::string message = "it can be used; whether password and credentials are right shows in the first backup";
    for (const std::string& warning : api::backend_warnings(repository.spec.backend)) message += "; " + warning;
    status.set(names::kReady, "True", reasons::kAllGood, message);
  }
}

}  // namespace

Plan plan_repository(const RepositoryWorld& world) {
  Plan plan;
  const auto repository = api::decode<api::Repository>(world.repository);
  if (!repository) {
    if (let_go_unreadable(plan, world.repository)) return plan;
    if (already_says(world.repository, repository.error().message)) return plan;
    StatusDraft status(world.repository, {}, world.now);
    status.set(names::kReady, "False", reasons::kInvalid, repository.error().message);
    write_status(plan, api::kRepositories, world.repository, status.finish());
    warn(plan, reasons::kInvalid, repository.error().message);
    return plan;
  }
  const auto& before = repository->status.conditions;
  StatusDraft status(world.repository, before, world.now);
  if (repository->metadata.being_deleted) {
    WipeOutFacts facts = world.wipe_out;
    const auto others = others_there(*repository, world.in_namespace);
    if (!others.empty()) facts.same_place = others.front()->metadata.name;
    plan_wipe_out(plan, status, *repository, world.repository, facts, world.settings, world.now);
    return plan;
  }
  keep_wipe_out_finalizer(plan, *repository, world.repository);
  set_secret_found(status, world, *repository);
  set_claim_found(status, world, *repository);
  set_ready(status, *repository, world.settings);
  set_location_shared(status, *repository, world.in_namespace);
  set_fields_honoured<api::Repository>(status, world.repository);
  status.json["observedGeneration"] = repository->metadata.generation;
  const api::Condition* was = api::find_condition(before, names::kReady);
  const api::Condition* is = api::find_condition(status.conditions(), names::kReady);
  if (is->status == "False" && (!was || was->status != "False" || was->reason != is->reason)) {
    warn(plan, is->reason, is->message);
  }
  write_status(plan, api::kRepositories, world.repository, status.finish());
  const bool on_claim = !api::claim_name(repository->spec.backend).empty();
  if (repository->spec.backend.storage_secret_name.empty() && !on_claim) return plan;
  const bool complete = world.secret == Presence::present && (!on_claim || world.claim == Presence::present);
  look_again(plan, complete ? std::chrono::seconds(kLookAgainAtWhatIsThere) : wait_for_what_is_missing(world.misses));
  return plan;
}

}  // namespace stash::controller
