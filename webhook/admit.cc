#include "webhook/admit.h"

#include "api/names.h"
#include "api/workload_kind.h"
#include "inject/workload_view.h"

namespace stash::webhook {
namespace {

Answer unchanged(std::string outcome, std::string reason) {
  return {.outcome = std::move(outcome), .reason = std::move(reason)};
}

/// "" when the injector is to be asked; else the metric label of why not.
std::string why_not_ours(const Review& review) {
  if (api::workload_kind(review.group, review.kind) == nullptr) return "other_kind";
  if (!review.subresource.empty()) return "subresource";
  if (review.operation != "CREATE" && review.operation != "UPDATE") return "other_operation";
  if (review.ns.empty()) return "no_namespace";
  if (!review.object.is_object()) return "no_object";
  const Json* deleted = at(review.object, {"metadata", "deletionTimestamp"});
  if (deleted != nullptr && !deleted->is_null()) return "being_deleted";
  if (!inject::template_owner(review.object, review.kind).empty()) return "managed_by_owner";
  if (review.field_manager == api::names::kAsItIsManager) return "as_it_is";
  return "";
}

}  // namespace

Answer admit(const Review& review, const inject::Settings& settings, const Gather& gather) {
  if (std::string why = why_not_ours(review); !why.empty()) return unchanged("skipped", std::move(why));
  // An object made with generateName has its name only in the object, if at all.
  const std::string name = string_at(review.object, {"metadata", "name"}, review.name);
  auto world = gather({review.ns, review.group, review.kind, name});
  if (!world) {
    Answer answer = unchanged("unsure", "not_synced");
    answer.warnings.emplace_back(
        "stash: does not know the BackupConfigurations, for it has just started or does not reach the API server; "
        "admitted unchanged, the controller will repair this if a backup is wanted");
    return answer;
  }
  world->group = review.group;
  world->kind = review.kind;
  world->ns = review.ns;
  world->workload = &review.object;
  world->part_of = review.part_of;
  world->upgrade = review.field_manager == api::names::kUpgradeManager;
  world->nudge = review.field_manager == api::names::kNudgeManager;
  const Json* before = review.old_object.is_object() ? &review.old_object : nullptr;
  inject::Injection injection = inject::inject(*world, settings, before);
  if (injection.needs_whole) return {.needs_whole = true};

  Answer answer = unchanged("unchanged", "nothing_to_do");
  if (!injection.patch.empty()) {
    answer.patch = std::move(injection.patch);
    answer.outcome = "patched";
    answer.reason = injection.has_sidecar || injection.has_init_container ? "injected" : "removed";
  } else if (!injection.findings.empty()) {
    answer.reason = inject::code_of(injection.findings.front().reason);
  }
  for (const auto* findings : {&injection.findings, &injection.remarks}) {
    for (const inject::Finding& finding : *findings) {
      const bool named = finding.message.starts_with(finding.object);
      answer.warnings.push_back("stash: " + (named ? "" : finding.object + ": ") + finding.message);
    }
  }
  return answer;
}

}  // namespace stash::webhook
