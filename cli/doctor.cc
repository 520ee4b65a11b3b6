#include "cli/doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/doctor_world.h"
#include "cli/table.h"

namespace stash::cli {

const std::vector<std::string>& doctor_kinds() {
  static const std::vector<std::string> kinds = {"customresourcedefinitions.apiextensions.k8s.io",
                                                 "deployments.apps",
                                                 "leases.coordination.k8s.io",
                                                 "services",
                                                 "clusterroles.rbac.authorization.k8s.io",
                                                 "clusterrolebindings.rbac.authorization.k8s.io",
                                                 "namespaces",
                                                 "backupconfigurations.stash.appscode.com",
                                                 "repositories.stash.appscode.com",
                                                 "backupsessions.stash.appscode.com",
                                                 "restoresessions.stash.appscode.com",
                                                 "backupblueprints.stash.appscode.com",
                                                 "restics.stash.appscode.com",
                                                 "backupbatches.stash.appscode.com",
                                                 "cronjobs.batch",
                                                 "mutatingwebhookconfigurations.admissionregistration.k8s.io",
                                                 "validatingwebhookconfigurations.admissionregistration.k8s.io"};
  return kinds;
}

namespace {

/// Then every list that could be read is empty, as that of a kind which the cluster does not serve, and to find no
/// fault says nothing.
bool nothing_was_seen(const DoctorWorld& world) {
  return !world.unreadable.empty() &&
         std::ranges::all_of(world.lists, [](const auto& list) { return list.second.empty(); });
}

}  // namespace

std::vector<Check> diagnose(const DoctorWorld& world) {
  Checks checks;
  if (nothing_was_seen(world)) {
    wrong(checks, Check::Level::problem, "access",
          fmt::format("nothing could be looked at: {}", world.unreadable.begin()->second),
          fmt::format("run doctor with an account that may list, in all namespaces: {}",
                      fmt::join(doctor_kinds(), ", ")));
    return checks;
  }
  check_crds(world, checks);
  check_programs(world, checks);
  check_leader(world, checks);
  check_webhook(world, checks);
  check_certificates(world, checks);
  check_rights(world, checks);
  check_labels(world, checks);
  check_backups(world, checks);
  check_backends(world, checks);
  check_blueprints(world, checks);
  check_sessions(world, checks);
  check_restores(world, checks);
  check_stale(world, checks);
  return checks;
}

namespace {

std::string_view mark_of(Check::Level level) {
  return level == Check::Level::ok ? "ok" : (level == Check::Level::warning ? "warning" : "problem");
}

}  // namespace

bool has_problem(const std::vector<Check>& checks) {
  return std::ranges::any_of(checks, [](const Check& check) { return check.level == Check::Level::problem; });
}

Json doctor_report(const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const Check& check : checks) {
    Json entry = {{"area", check.area}, {"level", mark_of(check.level)}, {"message", check.message}};
    if (!check.remedy.empty()) entry["remedy"] = check.remedy;
    list.push_back(std::move(entry));
  }
  return {{"healthy", !has_problem(checks)}, {"checks", std::move(list)}};
}

std::string render_doctor(const std::vector<Check>& checks, bool colours) {
  std::string out;
  std::size_t problems = 0, warnings = 0;
  for (const Check& check : checks) {
    const Tone tone =
        check.level == Check::Level::ok ? Tone::good : (check.level == Check::Level::warning ? Tone::busy : Tone::bad);
    problems += check.level == Check::Level::problem;
    warnings += check.level == Check::Level::warning;
    out += fmt::format("{} {}: {}\n", painted(fmt::format("{:7}", mark_of(check.level)), tone, colours), check.area,
                       harmless(check.message));
    if (!check.remedy.empty()) out += fmt::format("        {}\n", harmless(check.remedy));
  }
  out += fmt::format("\n{} problem{}, {} warning{}\n", problems, problems == 1 ? "" : "s", warnings,
                     warnings == 1 ? "" : "s");
  return out;
}

}  // namespace stash::cli
