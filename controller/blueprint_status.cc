#include "controller/blueprint_status.h"

#include <fmt/format.h>

#include "api/codec.h"
#include "api/names.h"
#include "controller/blueprint_template.h"
#include "controller/fields_honoured.h"
#include "controller/reasons.h"
#include "controller/status_draft.h"

namespace stash::controller {
namespace {

namespace names = api::names;

/// Stands for any workload.
Variables example() { return variables_of({api::workload_kinds().data(), {"namespace", "name"}}); }

void set_ready(StatusDraft& status, const Json& blueprint, const inject::Settings& settings) {
  const auto filled = fill_in(blueprint, example(), settings);
  if (!filled) return status.set(names::kReady, "False", reasons::kBlueprintInvalid, filled.error().message);
  const std::string remark = blueprint_remark(blueprint, settings);
  if (remark.empty()) return status.set(names::kReady, "True", reasons::kAllGood, "workloads can ask for it");
  status.set(names::kReady, "True", reasons::kSharedPlace, "workloads can ask for it, but " + remark);
}

void set_applied(StatusDraft& status, const std::map<std::string, int>& workloads) {
  int all = 0, wrong = 0;
  std::string reasons_text, first;
  for (const auto& [reason, count] : workloads) {
    all += count;
    if (reason.empty()) continue;
    wrong += count;
    reasons_text += fmt::format("{}{} {}", first.empty() ? "" : ", ", reason, count);
    if (first.empty()) first = reason;
  }
  if (wrong == 0) {
    return status.set(names::kApplied, "True", reasons::kAllGood,
                      all == 0 ? "no workload names it"
                               : fmt::format("{} {} backed up by it", all, all == 1 ? "workload is" : "workloads are"));
  }
  status.set(
      names::kApplied, "False", reasons::kNotAllApplied,
      fmt::format("not for {} of {}: {}; see the events of the workloads: kubectl get events -A --field-selector "
                  "reason={}",
                  wrong, all == 1 ? "1 workload" : fmt::format("{} workloads", all), reasons_text, first));
}

}  // namespace

Plan plan_blueprint_status(const BlueprintStatusWorld& world, const inject::Settings& settings) {
  Plan plan;
  const auto decoded = api::decode<api::BackupBlueprint>(world.blueprint);
  std::vector<api::Condition> before;
  if (decoded) before = decoded->status.conditions;
  if (!decoded && already_says(world.blueprint, decoded.error().message)) return plan;
  StatusDraft status(world.blueprint, before, world.now);
  set_ready(status, world.blueprint, settings);
  if (decoded) set_fields_honoured<api::BackupBlueprint>(status, world.blueprint);
  if (decoded && world.workloads) set_applied(status, *world.workloads);
  status.json["observedGeneration"] = int_at(world.blueprint, {"metadata", "generation"});
  const api::Condition* was = api::find_condition(before, names::kReady);
  const api::Condition* is = api::find_condition(status.conditions(), names::kReady);
  if (is->status == "False" && (!was || was->status != "False" || was->message != is->message)) {
    warn(plan, is->reason, is->message);
  }
  write_status(plan, api::kBackupBlueprints, world.blueprint, status.finish());
  return plan;
}

}  // namespace stash::controller
