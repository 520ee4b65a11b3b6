#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "inject/injector.h"
#include "unit/support/objects.h"
#include "unit/support/workloads.h"

namespace stash::test {

/// A namespace "demo" that asks for injection, and what is in it. By default a Repository "repo", nothing else.
class Scene {
 public:
  Scene() {
    settings_.image = "stash:1";
    settings_.pushgateway_url = "http://stash-operator.stash.svc:56789";
    settings_.excluded_namespaces = {"kube-system", "stash"};
    settings_.allowed_host_paths = {"/"};
    namespace_labels_ = {{"stash.appscode.com/injection", "enabled"}};
    repository(a_repository());
  }
  Scene& backup(api::BackupConfiguration configuration) {
    configurations_.emplace_back(std::move(configuration));
    return *this;
  }
  Scene& restore(api::RestoreSession session) {
    restores_.push_back(std::move(session));
    return *this;
  }
  Scene& repository(api::Repository repository) {
    const std::string name = repository.metadata.name;
    repositories_[name] = std::make_shared<const api::Repository>(std::move(repository));
    return *this;
  }
  Scene& no_repository() {
    repositories_.clear();
    return *this;
  }
  Scene& namespace_label(const std::string& key, const std::string& value) {
    namespace_labels_[key] = value;
    return *this;
  }
  Scene& pod_security(const std::string& level) { return namespace_label("pod-security.kubernetes.io/enforce", level); }
  Scene& ns(std::string name) {
    ns_ = std::move(name);
    return *this;
  }
  /// Of the group apps.
  Scene& kind(std::string kind) {
    kind_ = std::move(kind);
    return *this;
  }
  Scene& image(std::string image) {
    settings_.image = std::move(image);
    return *this;
  }
  Scene& upgrading() {
    upgrading_ = true;
    return *this;
  }
  template <class Change>
  Scene& with_settings(Change change) {
    change(settings_);
    return *this;
  }

  /// The same, without what has been made for it.
  Scene anew() const {
    Scene scene = *this;
    for (auto& configuration : scene.configurations_) configuration = api::BackupConfiguration(*configuration);
    return scene;
  }

  inject::Desired decide(const Json& workload) const { return inject::decide(world(workload), settings_); }
  inject::Injection inject(const Json& workload, const Json* before = nullptr) const {
    return inject::inject(world(workload), settings_, before);
  }
  /// The workload after its patch.
  Json injected(const Json& workload, const Json* before = nullptr) const {
    return workload.patch(document(inject(workload, before).patch));
  }

 private:
  inject::World world(const Json& workload) const {
    inject::World world;
    world.group = "apps";
    world.kind = kind_;
    world.workload = &workload;
    world.ns = ns_;
    world.namespace_labels = namespace_labels_;
    world.configurations = configurations_;
    world.restores = restores_;
    world.repository = [this](const std::string& name) -> inject::SharedRepository {
      const auto found = repositories_.find(name);
      return found == repositories_.end() ? nullptr : found->second;
    };
    world.upgrade = upgrading_;
    return world;
  }

  bool upgrading_ = false;
  std::string ns_ = "demo", kind_ = "Deployment";
  inject::Settings settings_;
  Json namespace_labels_;
  std::vector<inject::SharedConfiguration> configurations_;
  std::vector<api::RestoreSession> restores_;
  std::map<std::string, inject::SharedRepository> repositories_;
};

/// The container of that name, or null.
inline Json container_named(const Json& workload, const std::string& list, const std::string& name) {
  for (const Json& container : array_at(workload, {"spec", "template", "spec", list})) {
    if (string_at(container, {"name"}) == name) return container;
  }
  return nullptr;
}
inline Json sidecar_in(const Json& workload) { return container_named(workload, "containers", "stash"); }
inline Json init_container_in(const Json& workload) {
  return container_named(workload, "initContainers", "stash-init");
}
inline Json volume_in(const Json& workload, const std::string& name) {
  return container_named(workload, "volumes", name);
}
inline std::vector<std::string> names_in(const Json& workload, const std::string& list) {
  std::vector<std::string> names;
  for (const Json& entry : array_at(workload, {"spec", "template", "spec", list})) {
    names.push_back(string_at(entry, {"name"}));
  }
  return names;
}
inline std::vector<std::string> codes_of(const std::vector<inject::Finding>& findings) {
  std::vector<std::string> codes;
  for (const inject::Finding& finding : findings) codes.emplace_back(inject::code_of(finding.reason));
  return codes;
}

}  // namespace stash::test
