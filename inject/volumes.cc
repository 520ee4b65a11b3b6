#include "inject/volumes.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "inject/shape.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;

// Of Stash before v1beta1; a sidecar of that time mounts it.
constexpr std::string_view kScratchVolume = "stash-scratchdir";

constexpr int kMostRepositories = 16;

VolumeNames numbered(std::string_view name) {
  VolumeNames list;
  for (int i = 2; i <= kMostRepositories; ++i) list.push_back(fmt::format("{}-{}", name, i));
  return list;
}

bool contains(const VolumeNames& list, std::string_view name) { return std::ranges::find(list, name) != list.end(); }

// Where our containers mount a volume of that name; "" for anywhere.
std::string_view our_path_of(std::string_view volume) {
  if (contains(tmp_volume_names(), volume)) return names::kTmpPath;
  if (contains(podinfo_volume_names(), volume)) return names::kPodinfoPath;
  if (volume == names::kSecretVolume || volume == names::kRestoreSecretVolume) return names::kSecretPath;
  return "";
}

bool mounts(const Json& container, std::string_view volume, std::string_view path) {
  return std::ranges::any_of(array_at(container, {"volumeMounts"}), [&](const Json& mount) {
    return text_at(mount, {"name"}) == volume && (path.empty() || text_at(mount, {"mountPath"}) == path);
  });
}

bool uses(const Json& container, std::string_view volume) {
  return mounts(container, volume, "") || named(array_at(container, {"volumeDevices"}), volume) != nullptr;
}

std::string host_path_objection(const Json& value) {
  const std::string path = string_at(value, {"path"});
  if (!path.starts_with('/')) return "path must be absolute";
  if ((path + "/").contains("/../")) return "path must not contain ..";
  constexpr std::string_view types[] = {"",       "DirectoryOrCreate", "Directory",  "FileOrCreate", "File",
                                        "Socket", "CharDevice",        "BlockDevice"};
  return std::ranges::find(types, string_at(value, {"type"})) != std::end(types) ? "" : "unknown type";
}

std::string claim_objection(const Json& value) {
  return string_at(value, {"claimName"}).empty() ? "claimName is missing" : "";
}

std::string nfs_objection(const Json& value) {
  if (string_at(value, {"server"}).empty()) return "server is missing";
  return string_at(value, {"path"}).starts_with('/') ? "" : "path must be absolute";
}

std::string medium_objection(const Json& value) { return value == "Memory" ? "" : "medium must be empty or Memory"; }

Shape empty_dir() { return object({{"medium", text(medium_objection)}, {"sizeLimit", quantity()}}); }

struct Source {
  std::string_view key;
  Shape shape;
};

const std::vector<Source>& known_sources() {
  static const std::vector<Source> sources = {
      {"hostPath", object({{"path", text()}, {"type", text()}}, host_path_objection)},
      {"persistentVolumeClaim", object({{"claimName", text()}, {"readOnly", boolean(), true}}, claim_objection)},
      {"nfs", object({{"server", text()}, {"path", text()}, {"readOnly", boolean(), true}}, nfs_objection)},
      {"emptyDir", empty_dir()}};
  return sources;
}

}  // namespace

const VolumeNames& tmp_volume_names() {
  static const VolumeNames list = {std::string(names::kTmpVolume), std::string(names::kTmpVolumeFallback)};
  return list;
}
const VolumeNames& podinfo_volume_names() {
  static const VolumeNames list = {std::string(names::kPodinfoVolume)};
  return list;
}
const VolumeNames& secret_volume_names() {
  static const VolumeNames list = {std::string(names::kSecretVolume), std::string(names::kRestoreSecretVolume)};
  return list;
}
const VolumeNames& local_volume_names() {
  static const VolumeNames list = {std::string(names::kLocalVolume), std::string(names::kRestoreLocalVolume)};
  return list;
}

const VolumeNames& further_secret_volume_names() {
  static const VolumeNames list = numbered(names::kSecretVolume);
  return list;
}
const VolumeNames& further_local_volume_names() {
  static const VolumeNames list = numbered(names::kLocalVolume);
  return list;
}

const VolumeNames& all_volume_names() {
  static const VolumeNames all_names = [] {
    VolumeNames all = {std::string(kScratchVolume)};
    for (const auto* list : {&tmp_volume_names(), &podinfo_volume_names(), &secret_volume_names(),
                             &local_volume_names(), &further_secret_volume_names(), &further_local_volume_names()}) {
      all.insert(all.end(), list->begin(), list->end());
    }
    return all;
  }();
  return all_names;
}

bool is_reserved(std::string_view volume) {
  return contains(all_volume_names(), volume) && volume != names::kTmpVolume && volume != names::kTmpVolumeFallback;
}

VolumeSource volume_source(Json json, const VolumeNames& candidates) {
  Json volume = json;
  volume["name"] = candidates.front();
  std::string text = dump_json(volume);
  VolumeSource source{.usual = std::make_shared<const Value>(std::move(volume), std::move(text))};
  source.text = dump_json(json);
  source.json = std::move(json);
  return source;
}

Result<Json> tmp_source(const api::TempDir& temp_dir) {
  Json wanted = Json::object();
  wanted["medium"] = temp_dir.medium;
  wanted["sizeLimit"] = temp_dir.size_limit;
  static const Shape shape = empty_dir();
  TRY(Json source, clean(wanted, shape, "spec.tempDir"));
  Json volume = Json::object();
  volume["emptyDir"] = std::move(source);
  return volume;
}

namespace {

Json new_podinfo_source() {
  const auto field = [](const char* file, const char* path) {
    return Json{{"path", file}, {"fieldRef", {{"fieldPath", path}}}};
  };
  // A projected token instead of the automounted one: the workload may have switched that off.
  Json sources = Json::array();
  sources.push_back(
      {{"downwardAPI",
        {{"items", Json::array({field("labels", "metadata.labels"), field("namespace", "metadata.namespace")})}}}});
  sources.push_back({{"serviceAccountToken", {{"path", "token"}, {"expirationSeconds", 3600}}}});
  sources.push_back({{"configMap",
                      {{"name", "kube-root-ca.crt"},
                       {"items", Json::array({Json{{"key", "ca.crt"}, {"path", "ca.crt"}}})},
                       // A cluster may not publish it; the sidecar says what is missing, the user's pod starts.
                       {"optional", true}}}});
  return {{"projected", {{"sources", std::move(sources)}}}};
}

}  // namespace

const VolumeSource& podinfo_source() {
  static const VolumeSource source = volume_source(new_podinfo_source(), podinfo_volume_names());
  return source;
}

Json secret_source(const std::string& secret) {
  // Optional: a Secret that is deleted later must not keep the user's pods from starting.
  Json volume = Json::object();
  Json& source = volume["secret"];
  source["secretName"] = secret;
  source["optional"] = true;
  return volume;
}

Result<Json> local_source(const api::LocalBackend& local) {
  const Json& source = local.volume_source;
  if (!source.is_object() || source.size() != 1) {
    return fail(ErrorCode::invalid, "spec.backend.local needs exactly one volume source beside mountPath");
  }
  const std::string key = source.begin().key();
  const auto known = std::ranges::find(known_sources(), std::string_view(key), &Source::key);
  if (known == known_sources().end()) {
    return fail(ErrorCode::denied,
                fmt::format("spec.backend.local.{}: this version mounts only hostPath, persistentVolumeClaim, nfs and "
                            "emptyDir; others come with a later one",
                            key));
  }
  TRY(Json cleaned, clean(source.begin().value(), known->shape, "spec.backend.local." + key));
  Json volume = Json::object();
  volume[key] = std::move(cleaned);
  return volume;
}

std::shared_ptr<const RepositoryVolumes> volumes_of(const api::Backend& backend) {
  RepositoryVolumes volumes{.secret = volume_source(secret_source(backend.storage_secret_name), secret_volume_names())};
  if (backend.local) {
    Result<Json> source = local_source(*backend.local);
    if (source) {
      volumes.local = volume_source(*std::move(source), local_volume_names());
    } else {
      volumes.local = std::unexpected(std::move(source).error());
    }
  }
  return std::make_shared<const RepositoryVolumes>(std::move(volumes));
}

VolumeOwner owner_of(const PodTemplate& pod, std::string_view volume) {
  if (named(volumes_of(pod), volume) == nullptr) return VolumeOwner::absent;
  bool ours = false;
  bool others = false;
  const auto look_at = [&](const Json& container, bool is_ours) {
    if (is_ours) {
      ours = ours || mounts(container, volume, our_path_of(volume));
    } else {
      others = others || uses(container, volume);
    }
  };
  for (const Json& container : containers_of(pod)) look_at(container, is_sidecar(container));
  for (const Json& container : init_containers_of(pod)) look_at(container, is_init_container(container));
  if (ours) return others ? VolumeOwner::shared : VolumeOwner::ours;
  return others ? VolumeOwner::foreign : VolumeOwner::unused;
}

}  // namespace stash::inject
