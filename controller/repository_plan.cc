#include "controller/repository_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backend_check.h"
#include "api/codec.h"
#include "api/names.h"
#include "controller/fields_honoured.h"
#include "controller/reasons.h"
#include "controller/status_draft.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::chrono::minutes kLookAgainAtKnownSecret{5};

std::chrono::seconds wait_for_secret(int misses) {
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

void set_ready(StatusDraft& status, const api::Repository& repository) {
  const auto fault = api::backend_fault(repository.spec.backend);
  const api::Condition secret = *api::find_condition(status.conditions(), names::kBackendSecretFound);
  if (fault) {
    status.set(names::kReady, "False", reasons::kInvalid, to_string(*fault));
  } else if (secret.status != "True") {
    status.set(names::kReady, secret.status, secret.reason, secret.message);
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
    plan_wipe_out(plan, status, *repository, world.repository, world.wipe_out, world.settings, world.now);
    return plan;
  }
  keep_wipe_out_finalizer(plan, *repository, world.repository);
  set_secret_found(status, world, *repository);
  set_ready(status, *repository);
  set_fields_honoured<api::Repository>(status, world.repository);
  status.json["observedGeneration"] = repository->metadata.generation;
  const api::Condition* was = api::find_condition(before, names::kReady);
  const api::Condition* is = api::find_condition(status.conditions(), names::kReady);
  if (is->status == "False" && (!was || was->status != "False" || was->reason != is->reason)) {
    warn(plan, is->reason, is->message);
  }
  write_status(plan, api::kRepositories, world.repository, status.finish());
  if (repository->spec.backend.storage_secret_name.empty()) return plan;
  look_again(plan, world.secret == Presence::present ? std::chrono::seconds(kLookAgainAtKnownSecret)
                                                     : wait_for_secret(world.misses));
  return plan;
}

}  // namespace stash::controller
