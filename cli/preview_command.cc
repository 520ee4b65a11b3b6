#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>

#include "api/workload_kind.h"
#include "cli/commands.h"
#include "cli/manifest.h"
#include "cli/preview.h"
#include "cli/preview_settings.h"
#include "cli/restore_plan.h"
#include "cli/terminal.h"
#include "controller/blueprint_request.h"

namespace stash::cli {

namespace {

Result<std::string> read_file(const std::string& name) {
  const auto close = [](std::FILE* file) { file == stdin ? 0 : std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(name == "-" ? stdin : std::fopen(name.c_str(), "re"));
  std::string text;
  std::array<char, 65'536> block{};
  for (std::size_t count = 1; file != nullptr && count > 0; text.append(block.data(), count))
    count = std::fread(block.data(), 1, block.size(), file.get());
  if (file == nullptr || std::ferror(file.get()) != 0)
    return fail(ErrorCode::not_found, fmt::format("reading {}: {}", name, std::strerror(errno)));
  return text;
}

Result<std::vector<Json>> read_files(const std::vector<std::string>& names) {
  std::vector<Json> objects;
  for (const std::string& name : names) {
    TRY(const std::string text, read_file(name));
    TRY(auto found, with_context(read_manifests(text), name));
    std::ranges::move(found, std::back_inserter(objects));
  }
  return objects;
}

/// What decides about an injection, of one namespace. What is in the files comes first.
Result<void> add_live_objects(Kubectl& kubectl, PreviewWorld& world) {
  const std::string& ns = world.ns;
  const auto is_there = [&](const Json& object) {
    return std::ranges::any_of(world.objects, [&](const Json& other) { return is_same_object(other, object, ns); });
  };
  std::vector<Json> found;
  for (const api::Resource& kind : {api::kBackupConfigurations, api::kRestoreSessions, api::kRepositories}) {
    TRY(const Json list, kubectl.list(kind, ns));
    found.insert(found.end(), list.begin(), list.end());
  }
  if (find_object(world.objects, api::kNamespaces, ns, "") == nullptr) {
    auto space = kubectl.get(api::kNamespaces, ns, "");
    if (space) {
      found.push_back(*std::move(space));
    } else if (space.error().code == ErrorCode::denied) {
      // It is of the whole cluster, where many may read nothing.
      world.namespace_unknown = fmt::format("Namespace {} cannot be read ({})", ns, space.error().message);
      say(world.namespace_unknown + ": it is assumed to ask for injection");
    } else if (space.error().code != ErrorCode::not_found) {
      return std::unexpected(space.error());
    }
  }
  for (Json& object : found) {
    if (!is_there(object)) world.objects.push_back(std::move(object));
  }
  return {};
}

/// The BackupBlueprint that the workload asks for, if there is one and none in the files has its name.
Result<void> add_live_blueprint(Kubectl& kubectl, PreviewWorld& world) {
  const std::string name = controller::blueprint_of(world.workload);
  const bool in_files = find_object(world.objects, api::kBackupBlueprints, name, "") != nullptr;
  if (name.empty() || in_files) return {};
  auto found = kubectl.get(api::kBackupBlueprints, name, "");
  if (found) {
    world.objects.push_back(*std::move(found));
    return {};
  }
  if (found.error().code == ErrorCode::not_found) return {};
  if (found.error().code != ErrorCode::denied) return std::unexpected(found.error());
  // It is of the whole cluster, where many may read nothing.
  world.blueprint_unknown = fmt::format("what BackupBlueprint {} makes is not known: {}", name, found.error().message);
  return {};
}

struct Asked {
  Json workload;
  bool live = false;
};

Result<std::vector<Asked>> asked_workloads(Kubectl& kubectl, const Options& options, const std::string& ns,
                                           const std::vector<Json>& from_files) {
  std::vector<Asked> asked;
  for (const std::string& name : options.names) {
    const auto ref = parse_workload(name);
    if (!ref) return misuse(ref.error().message);
    const api::WorkloadKind* kind = api::workload_kind(*ref);
    TRY(Json workload, kubectl.get(kind->resource, ref->name, ns));
    asked.push_back({std::move(workload), true});
  }
  for (const Json& object : from_files) {
    if (is_workload(object)) asked.push_back({object, false});
  }
  return asked;
}

}  // namespace

Result<int> show_preview(Kubectl& kubectl, const Options& options) {
  if (options.names.empty() && options.files.empty())
    return misuse("name a workload such as deployment/web, or give files with -f");
  if (options.local && !options.names.empty())
    return misuse("--local asks no cluster, so workloads come from files: -f web.yaml");
  std::string ns = options.ns;
  if (ns.empty() && options.local) ns = "default";
  if (ns.empty()) {
    TRY(ns, kubectl.ns());
  }
  TRY(const auto from_files, read_files(options.files));
  TRY(const auto asked, asked_workloads(kubectl, options, ns, from_files));
  if (asked.empty()) {
    return fail(ErrorCode::not_found,
                "the files hold no workload; these kinds take a sidecar: " + api::workload_kind_names());
  }
  std::vector<std::string> notes;
  TRY(const inject::Settings settings,
      options.local ? local_settings(from_files, options.image, notes) : live_settings(kubectl, options.image, notes));
  Json reports = Json::array();
  std::string text;
  bool refused = false;
  for (const Asked& one : asked) {
    PreviewWorld world{.workload = one.workload,
                       .before = one.live ? &one.workload : nullptr,
                       .ns = string_at(one.workload, {"metadata", "namespace"}, ns),
                       .objects = from_files};
    if (options.local) {
      world.namespace_unknown = fmt::format("Namespace {} is not in the files", world.ns);
    } else {
      TRY_VOID(add_live_objects(kubectl, world));
      TRY_VOID(add_live_blueprint(kubectl, world));
    }
    TRY(Preview shown, preview(world, settings));
    shown.notes.insert(shown.notes.end(), notes.begin(), notes.end());
    refused = refused || shown.refused;
    reports.push_back(preview_report(shown));
    text += (text.empty() ? "" : "\n") + render_preview(shown, wants_colours());
  }
  if (!print_report(reports, options.output)) print(text);
  return refused ? kFailed : kSucceeded;
}

}  // namespace stash::cli
