#include "cli/not_taken_over.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "api/codec.h"
#include "cli/object.h"
#include "inject/configuration_rules.h"
#include "inject/restore_rules.h"
#include "inject/volumes.h"

namespace stash::cli {
namespace {

/// Whether the chart is to be installed without hooks.exec is not known here.
std::string why_unusable(const api::BackupConfiguration& configuration) {
  return inject::unusable(configuration, /*exec_hooks=*/true);
}

/// What it restored is there. Which hosts its target has is not looked at.
std::string why_unusable(const api::RestoreSession& session) {
  return session.status.phase == "Succeeded" ? "" : inject::unusable(session, {});
}

std::string why_unmounted(std::string_view label, const api::Backend& backend) {
  if (!backend.local) return "";
  const Result<Json> source = inject::local_source(*backend.local);
  return source ? "" : fmt::format("{}: {}", label, source.error().message);
}

std::string why_unusable(const api::Repository& repository) {
  return why_unmounted("Repository " + api::to_string(repository.metadata.ref()), repository.spec.backend);
}

std::string why_unusable(const api::BackupBlueprint& blueprint) {
  return why_unmounted("BackupBlueprint " + blueprint.metadata.name, blueprint.spec.backend);
}

template <class Kind>
void add_lines(const Json& list, std::vector<std::string>& lines) {
  for (const Json& object : list) {
    const auto decoded = api::decode<Kind>(object);
    std::string why = decoded ? why_unusable(*decoded) : decoded.error().message;
    if (!why.empty()) lines.push_back(std::move(why));
  }
}

/// "Deployment web, StatefulSet db"
std::string members_of(const Json& batch) {
  std::vector<std::string> members;
  for (const Json& member : array_at(batch, {"spec", "members"})) {
    const Json& ref = object_at(member, {"target", "ref"});
    members.push_back(fmt::format("{} {}", string_at(ref, {"kind"}), string_at(ref, {"name"})));
  }
  return fmt::format("{}", fmt::join(members, ", "));
}

void add_other_restores(const Lists& lists, std::vector<std::string>& lines) {
  for (const auto& [list, kind] : {std::pair("recoveries", "Recovery"), {"restorebatches", "RestoreBatch"}}) {
    for (const Json& object : list_of(lists, list)) {
      lines.push_back(
          fmt::format("{} {} is left alone: write a RestoreSession for each workload", kind, ref_of(object)));
    }
  }
}

}  // namespace

/// In a namespace that asks for injection the old sidecars go with nothing in their place.
std::vector<std::string> other_backups(const Lists& lists) {
  std::vector<std::string> lines;
  for (const Json& restic : list_of(lists, "restics")) {
    lines.push_back(
        fmt::format("Restic {} is left alone, and its workloads have no backup any more: write a "
                    "BackupConfiguration for each of them",
                    ref_of(restic)));
  }
  for (const Json& batch : list_of(lists, "backupbatches")) {
    const std::string members = members_of(batch);
    lines.push_back(fmt::format(
        "BackupBatch {} is left alone, and its members{} have no backup any more: write a BackupConfiguration for each "
        "of them. Delete its CronJob, or BackupSessions that nobody runs grow in number",
        ref_of(batch), members.empty() ? "" : fmt::format(" ({})", members)));
  }
  return lines;
}

std::vector<std::string> not_taken_over(const Lists& lists) {
  std::vector<std::string> lines;
  add_lines<api::Repository>(list_of(lists, "repositories"), lines);
  add_lines<api::BackupConfiguration>(list_of(lists, "backupconfigurations"), lines);
  add_lines<api::RestoreSession>(list_of(lists, "restoresessions"), lines);
  add_lines<api::BackupBlueprint>(list_of(lists, "backupblueprints"), lines);
  std::ranges::move(other_backups(lists), std::back_inserter(lines));
  add_other_restores(lists, lines);
  return lines;
}

}  // namespace stash::cli
