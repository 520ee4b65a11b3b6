#include "webhook/warn.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backend_check.h"
#include "api/codec.h"
#include "api/hook_check.h"
#include "api/schedule.h"
#include "api/time_out.h"
#include "api/workload_kind.h"
#include "inject/backend_objection.h"
#include "inject/configuration_rules.h"
#include "inject/decision.h"
#include "inject/repository_sharing.h"
#include "inject/restore_rules.h"
#include "inject/runtime_settings.h"

namespace stash::webhook {
namespace {

using Warnings = std::vector<std::string>;

constexpr std::string_view kNoBackup = "no backup will be taken", kNoRestore = "nothing will be restored";

template <class Kind>
void add_ignored_fields(const Json& object, Warnings& warnings) {
  const api::IgnoredFields fields = api::ignored_fields<Kind>(object);
  for (const std::string& field : fields.not_yet) {
    warnings.push_back(fmt::format("stash: {} is kept, but this version does not act on it", field));
  }
  for (const std::string& field : fields.unknown) {
    warnings.push_back(fmt::format("stash: {} is no field that this version knows; is it misspelt?", field));
  }
}

/// What the injector would say about a workload that this object names, so that the sentences are the same everywhere.
void add_findings(const Review& review, const inject::Settings& settings, const WarnWorld& world, inject::World asked,
                  const api::TargetRef& ref, Warnings& warnings) {
  const auto labels = world.namespace_labels(review.ns);
  if (!world.synced || !labels) return;
  const api::WorkloadKind* kind = api::workload_kind(ref);
  if (kind == nullptr) return;
  const Json workload = {{"metadata", {{"name", ref.name}, {"namespace", review.ns}}}};
  asked.group = kind->resource.group;
  asked.kind = kind->resource.kind;
  asked.workload = &workload;
  asked.ns = review.ns;
  asked.namespace_labels = *labels;
  if (!asked.repository) {
    asked.repository = [&](const std::string& name) { return world.repository(review.ns, name); };
  }
  const bool told = !warnings.empty();
  for (const inject::Finding& finding : inject::decide(asked, settings).findings) {
    // Of what is wrong with the object itself, only the first thing; above stands each field.
    if (finding.reason == inject::Reason::invalid && told) continue;
    warnings.push_back("stash: " + finding.message);
  }
}

void add_target_warnings(const api::TargetRef& ref, Warnings& warnings) {
  if (ref.name.empty() || ref.kind.empty()) {
    warnings.emplace_back("stash: spec.target.ref needs apiVersion, kind and name of a workload");
  } else if (api::workload_kind(ref) == nullptr) {
    warnings.push_back(fmt::format("stash: spec.target.ref names a {} of {}; supported: {}", ref.kind,
                                   ref.api_version.empty() ? "no apiVersion" : ref.api_version,
                                   api::workload_kind_names()));
  }
}

void add_path_warnings(const api::BackupTarget& target, Warnings& warnings) {
  if (target.paths.empty()) warnings.emplace_back("stash: spec.target.paths is empty, so there is nothing to back up");
  if (target.volume_mounts.empty()) {
    warnings.emplace_back("stash: spec.target.volumeMounts is empty, so the sidecar sees none of the workload's data");
    return;
  }
  if (const std::string why = inject::unmounted_paths(target); !why.empty()) warnings.push_back("stash: " + why);
}

/// `no_exec`: why no program is run; "" where it is.
void add_hook_warning(std::string_view action, const std::optional<api::Hook>& hook, std::string_view no_exec,
                      std::string_view consequence, Warnings& warnings) {
  if (!hook) return;
  if (hook->exec && !no_exec.empty()) {
    warnings.push_back(fmt::format("stash: spec.hooks.{}.exec {}, so {}; use httpGet, httpPost or tcpSocket", action,
                                   no_exec, consequence));
  } else if (const auto checked = api::check_hook(action, *hook); !checked) {
    warnings.push_back(fmt::format("stash: spec.{}; {}", checked.error().message, consequence));
  }
}

void add_time_out_warning(const std::string& time_out, std::string_view consequence, Warnings& warnings) {
  if (time_out.empty() || api::time_out(time_out)) return;
  warnings.push_back(
      fmt::format("stash: spec.timeOut {} is no duration above zero such as 30m or 2h; {}", time_out, consequence));
}

void add_sharing_warning(const api::BackupConfiguration& configuration, const WarnWorld& world, Warnings& warnings) {
  if (!world.synced) return;
  const api::WorkloadKind* kind = api::workload_kind(configuration.spec.target->ref);
  const auto repository = world.repository(configuration.metadata.ns, configuration.spec.repository);
  if (kind == nullptr || !repository) return;
  const std::string label = fmt::format("Repository {}/{}", configuration.metadata.ns, repository->metadata.name);
  for (const auto remark_on : {inject::lost_with_pods, inject::apart_on_nodes}) {
    const std::string remark = remark_on(label, repository->spec.backend, kind->hosts);
    if (!remark.empty()) warnings.push_back("stash: " + remark);
  }
}

void add_warnings(const api::BackupConfiguration& configuration, const Review& review, const inject::Settings& settings,
                  const WarnWorld& world, Warnings& warnings) {
  if (const auto schedule = api::parse_schedule(configuration.spec.schedule); !schedule) {
    warnings.push_back("stash: spec.schedule: " + schedule.error().message + "; no backup will be taken");
  } else if (!api::is_ever_due(*schedule)) {
    warnings.push_back("stash: spec.schedule is due on no day of the calendar; no backup will be taken");
  }
  if (const auto& retry = configuration.spec.retry_config;
      retry && !retry->delay.empty() && !parse_duration(retry->delay)) {
    warnings.push_back(
        fmt::format("stash: spec.retryConfig.delay {} is no duration such as 30s or 5m; no backup will "
                    "be taken",
                    retry->delay));
  }
  add_time_out_warning(configuration.spec.time_out, kNoBackup, warnings);
  const std::string_view no_exec =
      settings.exec_hooks ? "" : "is turned off by the administrator (hooks.exec=false of the chart)";
  add_hook_warning("preBackup", configuration.spec.pre_backup, no_exec, kNoBackup, warnings);
  add_hook_warning("postBackup", configuration.spec.post_backup, no_exec, kNoBackup, warnings);
  if (!configuration.spec.target) {
    warnings.emplace_back("stash: spec.target is missing, so there is nothing to back up");
    return;
  }
  add_target_warnings(configuration.spec.target->ref, warnings);
  add_path_warnings(*configuration.spec.target, warnings);
  if (const auto placement = inject::pod_placement(configuration.spec.runtime_settings); !placement)
    warnings.push_back("stash: " + placement.error().message);
  inject::World asked;
  asked.configurations = {configuration};
  add_findings(review, settings, world, std::move(asked), configuration.spec.target->ref, warnings);
  add_sharing_warning(configuration, world, warnings);
}

void add_warnings(const api::RestoreSession& session, const Review& review, const inject::Settings& settings,
                  const WarnWorld& world, Warnings& warnings) {
  add_time_out_warning(session.spec.time_out, kNoRestore, warnings);
  constexpr std::string_view kTooEarly = "cannot be run, for the application's containers start after the restore";
  add_hook_warning("preRestore", session.spec.pre_restore, kTooEarly, kNoRestore, warnings);
  add_hook_warning("postRestore", session.spec.post_restore, kTooEarly, kNoRestore, warnings);
  if (!session.spec.target) {
    warnings.emplace_back("stash: spec.target is missing, so there is nothing to restore");
    return;
  }
  if (!session.spec.target->has_jobs) add_target_warnings(session.spec.target->ref, warnings);
  // It is wrong in any namespace, whether Stash may inject there or not. Of jobs and drivers the findings speak.
  const bool ours = !session.spec.target->has_jobs && (session.spec.driver.empty() || session.spec.driver == "Restic");
  if (const std::string why = inject::unusable(session, {}); ours && warnings.empty() && !why.empty()) {
    warnings.push_back("stash: " + why);
  }
  inject::World asked;
  asked.restores = {session};
  add_findings(review, settings, world, std::move(asked), session.spec.target->ref, warnings);
}

void add_warnings(const api::Repository& repository, const Review& review, const inject::Settings& settings,
                  const WarnWorld& world, Warnings& warnings) {
  for (const std::string& warning : api::backend_warnings(repository.spec.backend)) {
    warnings.push_back("stash: " + warning);
  }
  // A BackupConfiguration made up around it asks the injector what it thinks of this Repository.
  const api::TargetRef ref{"apps/v1", "Deployment", "any"};
  api::BackupConfiguration configuration;
  configuration.metadata.name = "any";
  configuration.metadata.ns = review.ns;
  configuration.spec.repository = repository.metadata.name;
  configuration.spec.target =
      api::BackupTarget{.ref = ref, .paths = {"/data"}, .volume_mounts = {{"data", "/data", ""}}};
  inject::World asked;
  asked.configurations = {configuration};
  asked.repository = [&](const std::string&) { return std::make_shared<const api::Repository>(repository); };
  Warnings found;
  // Whether the namespace wants injection is not the business of a Repository; others may point at it later.
  WarnWorld everywhere = world;
  everywhere.namespace_labels = [](const std::string&) { return std::optional(Json::object()); };
  inject::Settings no_opt_in = settings;
  no_opt_in.opt_in = false;
  add_findings(review, no_opt_in, everywhere, std::move(asked), ref, found);
  warnings.insert(warnings.end(), found.begin(), found.end());
}

/// What a variable may still change is left to the controller.
void add_warnings(const api::BackupBlueprint& blueprint, const Review& /*review*/, const inject::Settings& settings,
                  const WarnWorld& /*world*/, Warnings& warnings) {
  for (const std::string& warning : api::backend_warnings(blueprint.spec.backend)) {
    warnings.push_back("stash: " + warning);
  }
  if (const auto objection = inject::backend_objection(blueprint.spec.backend, settings);
      objection && objection->reason != inject::Reason::host_path_not_allowed) {
    warnings.push_back(fmt::format("stash: {}; no backup will be taken", objection->message));
  }
  if (blueprint.spec.schedule.contains("${")) return;
  if (const auto schedule = api::parse_schedule(blueprint.spec.schedule); !schedule) {
    warnings.push_back("stash: spec.schedule: " + schedule.error().message + "; no backup will be taken");
  }
}

template <class Kind>
Answer warn_about(const Review& review, const inject::Settings& settings, const WarnWorld& world) {
  Answer answer{.outcome = "unchanged", .reason = "no_warnings"};
  auto decoded = api::decode<Kind>(review.object);
  if (decoded) {
    // A stale verdict of the controller would be about the object as it was before this write.
    decoded->status = {};
    if (decoded->metadata.ns.empty()) decoded->metadata.ns = review.ns;
    add_warnings(*decoded, review, settings, world, answer.warnings);
  } else {
    answer.warnings.push_back("stash: this object will have no effect: " + decoded.error().message);
  }
  add_ignored_fields<Kind>(review.object, answer.warnings);
  if (!answer.warnings.empty()) answer.reason = "warnings";
  return answer;
}

}  // namespace

Answer warn(const Review& review, const inject::Settings& settings, const WarnWorld& world) {
  const bool write = review.operation == "CREATE" || review.operation == "UPDATE";
  const bool deleted = at(review.object, {"metadata", "deletionTimestamp"}) != nullptr;
  if (review.group == api::kRepositories.group && review.subresource.empty() && write && !deleted &&
      review.object.is_object()) {
    if (review.kind == api::kRepositories.kind) return warn_about<api::Repository>(review, settings, world);
    if (review.kind == api::kBackupConfigurations.kind) {
      return warn_about<api::BackupConfiguration>(review, settings, world);
    }
    if (review.kind == api::kBackupBlueprints.kind) return warn_about<api::BackupBlueprint>(review, settings, world);
    if (review.kind == api::kRestoreSessions.kind) return warn_about<api::RestoreSession>(review, settings, world);
  }
  return {.outcome = "skipped", .reason = "other_kind"};
}

}  // namespace stash::webhook
