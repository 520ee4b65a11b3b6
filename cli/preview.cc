#include "cli/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/codec.h"
#include "api/names.h"
#include "api/workload_kind.h"
#include "base/yaml.h"
#include "cli/diff.h"
#include "cli/manifest.h"
#include "cli/preview_blueprint.h"
#include "cli/table.h"
#include "inject/workload_view.h"

namespace stash::cli {

namespace {

const api::WorkloadKind* kind_of(const Json& object) {
  return api::workload_kind(api::workload_group(string_at(object, {"apiVersion"})), string_at(object, {"kind"}));
}

/// Objects in files often name no namespace.
std::string ns_or(const Json& object, const std::string& fallback) {
  return string_at(object, {"metadata", "namespace"}, fallback);
}

template <class Kind>
Result<std::vector<Kind>> decoded(const PreviewWorld& world, const api::Resource& resource) {
  std::vector<Kind> found;
  for (Json object : world.objects) {
    if (!is_kind(object, resource) || ns_or(object, world.ns) != world.ns) continue;
    object["metadata"]["namespace"] = world.ns;
    TRY(Kind kind, api::decode<Kind>(object));
    found.push_back(std::move(kind));
  }
  return found;
}

/// Without what no person writes.
Json shown(Json workload) {
  workload.erase("status");
  if (Json* metadata = workload.contains("metadata") ? &workload["metadata"] : nullptr;
      metadata != nullptr && metadata->is_object()) {
    for (const char* field : {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
      metadata->erase(field);
    if (metadata->contains("annotations") && (*metadata)["annotations"].is_object()) {
      (*metadata)["annotations"].erase("kubectl.kubernetes.io/last-applied-configuration");
      if ((*metadata)["annotations"].empty()) metadata->erase("annotations");
    }
  }
  return workload;
}

std::string sentence(const inject::Finding& finding) {
  const bool named = finding.message.starts_with(finding.object);
  return fmt::format("{}{} ({})", named ? "" : finding.object + ": ", finding.message, inject::code_of(finding.reason));
}

std::string target_text(const api::TargetRef& ref) {
  return fmt::format("{} {} ({})", ref.kind, ref.name, ref.api_version);
}

/// Why no object names the workload: what the namespace has, nearest first.
void explain_no_match(const PreviewWorld& world, const inject::World& asked, const std::string& label,
                      Preview& preview) {
  preview.why_not.push_back(fmt::format(
      "no BackupConfiguration or RestoreSession in namespace {} names {} in spec.target.ref", world.ns, label));
  const std::string name = string_at(world.workload, {"metadata", "name"});
  const auto tell = [&](std::string_view kind, const std::string& object, const api::TargetRef& ref) {
    preview.notes.push_back(fmt::format("{} {}/{} is for {}{}", kind, world.ns, object, target_text(ref),
                                        ref.name == name ? ": the same name, another kind or group" : ""));
  };
  for (const api::BackupConfiguration& configuration : asked.configurations) {
    if (!configuration.spec.target) {
      preview.notes.push_back(
          fmt::format("BackupConfiguration {}/{} has no spec.target", world.ns, configuration.metadata.name));
      continue;
    }
    tell("BackupConfiguration", configuration.metadata.name, configuration.spec.target->ref);
  }
  for (const auto& restore : asked.restores) {
    if (restore.spec.target) tell("RestoreSession", restore.metadata.name, restore.spec.target->ref);
  }
  for (const Json& object : world.objects) {
    const bool ours = is_kind(object, api::kBackupConfigurations) || is_kind(object, api::kRestoreSessions);
    if (!ours || ns_or(object, world.ns) == world.ns) continue;
    if (string_at(object, {"spec", "target", "ref", "name"}) != name) continue;
    preview.notes.push_back(fmt::format(
        "{} {}/{} names a {} of that name, but is in another namespace", string_at(object, {"kind"}), ns_or(object, ""),
        string_at(object, {"metadata", "name"}), string_at(object, {"spec", "target", "ref", "kind"})));
  }
}

bool names_it(const inject::World& world, const api::TargetRef& ref) {
  return inject::names_workload(ref, world.group, world.kind, string_at(*world.workload, {"metadata", "name"}));
}

void explain(const inject::World& world, const inject::Injection& injection, const Json& result, Preview& preview) {
  if (const Json* sidecar = inject::sidecar_of(result)) {
    for (const std::string& name : inject::invokers_of(*sidecar)) {
      preview.why.push_back(
          fmt::format("container {} backs it up for BackupConfiguration {}/{}", api::names::kSidecar, world.ns, name));
    }
  }
  if (const Json* init = inject::init_container_of(result)) {
    preview.why.push_back(fmt::format("init container {} restores it for RestoreSession {}/{}",
                                      api::names::kInitContainer, world.ns, inject::invoker_of(*init)));
  }
  for (const inject::Finding& finding : injection.findings) preview.why_not.push_back(sentence(finding));
  for (const inject::Finding& remark : injection.remarks) preview.notes.push_back(sentence(remark));
  for (const auto& restore : world.restores) {
    if (!restore.spec.target || !names_it(world, restore.spec.target->ref)) continue;
    if (restore.status.phase != "Succeeded" && restore.status.phase != "Failed") continue;
    preview.notes.push_back(fmt::format("RestoreSession {}/{} {} already: it asks for nothing more", world.ns,
                                        restore.metadata.name,
                                        restore.status.phase == "Failed" ? "has failed" : "has succeeded"));
  }
}

/// In place of one of its kind, namespace and name.
void replace(const Json& object, PreviewWorld& world) {
  std::erase_if(world.objects, [&](const Json& other) { return is_same_object(other, object, world.ns); });
  world.objects.push_back(object);
}

}  // namespace

bool is_workload(const Json& object) { return kind_of(object) != nullptr; }

Result<Preview> preview(const PreviewWorld& given, const inject::Settings& settings) {
  PreviewWorld asked = given;
  const api::WorkloadKind* kind = kind_of(asked.workload);
  const std::string name = string_at(asked.workload, {"metadata", "name"});
  if (kind == nullptr) {
    return fail(ErrorCode::invalid,
                fmt::format("a {} takes no sidecar; these do: {}",
                            string_at(asked.workload, {"kind"}, "thing without kind"), api::workload_kind_names()));
  }
  Preview preview;
  preview.workload = fmt::format("{} {}/{}", kind->resource.kind, asked.ns, name);
  const Json workload = shown(asked.workload);

  inject::World world;
  if (const Json* ns = find_object(asked.objects, api::kNamespaces, asked.ns, "")) {
    world.namespace_labels = object_at(*ns, {"metadata", "labels"});
  } else if (!asked.namespace_unknown.empty() && settings.opt_in) {
    world.namespace_labels = {{api::names::kInjectionLabel, "enabled"}};
    preview.notes.push_back(fmt::format("{}: taken as if it had the label {}=enabled", asked.namespace_unknown,
                                        api::names::kInjectionLabel));
  }
  const BlueprintPreview blueprint = asked.blueprint_unknown.empty()
                                         ? preview_blueprint(asked, world.namespace_labels, settings)
                                         : BlueprintPreview{.complaint = asked.blueprint_unknown};
  for (const Json& object : blueprint.objects) replace(object, asked);
  if (!blueprint.why.empty()) preview.why.push_back(blueprint.why);
  if (!blueprint.complaint.empty()) {
    (blueprint.refused ? preview.why_not : preview.notes).push_back(blueprint.complaint);
  }
  preview.refused = blueprint.refused;
  world.group = kind->resource.group;
  world.kind = kind->resource.kind;
  world.workload = &asked.workload;
  world.ns = asked.ns;
  TRY(const auto configurations, decoded<api::BackupConfiguration>(asked, api::kBackupConfigurations));
  world.configurations.assign(configurations.begin(), configurations.end());
  TRY(world.restores, decoded<api::RestoreSession>(asked, api::kRestoreSessions));
  TRY(const auto repositories, decoded<api::Repository>(asked, api::kRepositories));
  world.repository = [&repositories](const std::string& wanted) -> inject::SharedRepository {
    const auto found = std::ranges::find_if(
        repositories, [&](const api::Repository& repository) { return repository.metadata.name == wanted; });
    return found == repositories.end() ? nullptr : std::make_shared<const api::Repository>(*found);
  };
  const inject::Injection injection = inject::inject(world, settings, asked.before);
  preview.patch = document(injection.patch);
  preview.refused = preview.refused || !injection.findings.empty();
  preview.has_sidecar = injection.has_sidecar;
  preview.has_init_container = injection.has_init_container;
  preview.result = injection.patch.empty() ? asked.workload : asked.workload.patch(preview.patch);
  preview.result = shown(std::move(preview.result));
  preview.diff = unified_diff(to_yaml(workload), to_yaml(preview.result));

  const auto is_named = [&](const auto& object) {
    return object.spec.target && names_it(world, object.spec.target->ref);
  };
  if (std::ranges::none_of(configurations, is_named) && std::ranges::none_of(world.restores, is_named)) {
    explain_no_match(asked, world, fmt::format("{} {}", kind->resource.kind, name), preview);
  }
  explain(world, injection, preview.result, preview);
  if (preview.diff.empty() && preview.has_sidecar) preview.notes.emplace_back("it carries all that it should already");
  return preview;
}

Json preview_report(const Preview& preview) {
  return {{"workload", preview.workload},
          {"changed", !preview.diff.empty()},
          {"sidecar", preview.has_sidecar},
          {"initContainer", preview.has_init_container},
          {"patch", preview.patch},
          {"result", preview.result},
          {"why", preview.why},
          {"whyNot", preview.why_not},
          {"refused", preview.refused},
          {"notes", preview.notes}};
}

std::string render_preview(const Preview& preview, bool colours) {
  std::string out = painted(preview.workload, Tone::bold, colours);
  out += preview.diff.empty() ? ": nothing is changed\n" : "\n" + painted_diff(preview.diff, colours);
  const auto add = [&](std::string_view mark, Tone tone, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) out += painted(mark, tone, colours) + " " + harmless(text) + "\n";
  };
  add("+", Tone::good, preview.why);
  add("!", Tone::bad, preview.why_not);
  add("-", Tone::faint, preview.notes);
  return out;
}

}  // namespace stash::cli
