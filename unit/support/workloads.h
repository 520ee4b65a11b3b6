#pragma once
#include <string>
#include <utility>

#include "base/json.h"

/// Workloads for tests of injection. The default is Deployment demo/stash-demo, the target of objects.h, as its author
/// wrote it; a test states only what it is about:
///   a_workload().volume("tmp-dir", {{"emptyDir", Json::object()}}).json()
namespace stash::test {

class WorkloadBuilder {
 public:
  WorkloadBuilder() {
    json_ = {{"apiVersion", "apps/v1"},
             {"kind", "Deployment"},
             {"metadata", {{"name", "stash-demo"}, {"namespace", "demo"}, {"labels", {{"app", "stash-demo"}}}}}};
    json_["spec"] = {{"replicas", 1}, {"selector", {{"matchLabels", {{"app", "stash-demo"}}}}}};
    json_["spec"]["template"]["metadata"]["labels"]["app"] = "stash-demo";
    pod()["containers"] = Json::array();
    container("busybox", "source-data", "/source/data");
    volume("source-data", {{"persistentVolumeClaim", {{"claimName", "source-data"}}}});
  }

  WorkloadBuilder& container(const std::string& name, const std::string& volume = "", const std::string& path = "") {
    return add("containers", name, volume, path);
  }
  WorkloadBuilder& init_container(const std::string& name, const std::string& volume = "",
                                  const std::string& path = "") {
    return add("initContainers", name, volume, path);
  }
  WorkloadBuilder& volume(const std::string& name, Json source) {
    source["name"] = name;
    pod()["volumes"].push_back(std::move(source));
    return *this;
  }
  WorkloadBuilder& no_volumes() {
    pod().erase("volumes");
    pod()["containers"][0].erase("volumeMounts");
    return *this;
  }
  WorkloadBuilder& annotation(const std::string& key, const std::string& value) {
    json_["metadata"]["annotations"][key] = value;
    return *this;
  }
  WorkloadBuilder& template_annotation(const std::string& key, const std::string& value) {
    json_["spec"]["template"]["metadata"]["annotations"][key] = value;
    return *this;
  }
  WorkloadBuilder& pod_security_context(Json context) { return pod_field("securityContext", std::move(context)); }
  WorkloadBuilder& container_security_context(Json context) {
    pod()["containers"][0]["securityContext"] = std::move(context);
    return *this;
  }
  WorkloadBuilder& pull_secret(const std::string& name) {
    pod()["imagePullSecrets"].push_back(Json{{"name", name}});
    return *this;
  }
  WorkloadBuilder& pod_field(const std::string& key, Json value) {
    pod()[key] = std::move(value);
    return *this;
  }
  /// Any other change.
  template <class Change>
  WorkloadBuilder& with(Change change) {
    change(json_);
    return *this;
  }

  Json json() const { return json_; }
  operator Json() const { return json_; }  // NOLINT(google-explicit-constructor): a builder stands for its object

 private:
  Json& pod() { return json_["spec"]["template"]["spec"]; }
  WorkloadBuilder& add(const char* list, const std::string& name, const std::string& volume, const std::string& path) {
    Json container = {{"name", name}, {"image", "busybox:1"}};
    if (!volume.empty()) container["volumeMounts"] = Json::array({Json{{"name", volume}, {"mountPath", path}}});
    pod()[list].push_back(std::move(container));
    return *this;
  }

  Json json_;
};

inline WorkloadBuilder a_workload() { return {}; }

/// The workload with what an API server fills in where the author (or a webhook) left it out.
inline Json as_stored(Json workload) {
  const auto add = [](Json& object, const char* key, const Json& value) {
    if (!object.contains(key)) object[key] = value;
  };
  Json& pod = workload["spec"]["template"]["spec"];
  add(pod, "dnsPolicy", "ClusterFirst");
  add(pod, "restartPolicy", "Always");
  add(pod, "securityContext", Json::object());
  add(pod, "terminationGracePeriodSeconds", 30);
  for (const char* list : {"containers", "initContainers"}) {
    if (!pod.contains(list)) continue;
    for (Json& container : pod[list]) {
      add(container, "imagePullPolicy", "IfNotPresent");
      add(container, "resources", Json::object());
      add(container, "terminationMessagePath", "/dev/termination-log");
      add(container, "terminationMessagePolicy", "File");
      if (!container.contains("env")) continue;
      for (Json& variable : container["env"]) {
        if (variable.contains("valueFrom") && variable["valueFrom"].contains("fieldRef")) {
          add(variable["valueFrom"]["fieldRef"], "apiVersion", "v1");
        }
      }
    }
  }
  if (!pod.contains("volumes")) return workload;
  for (Json& volume : pod["volumes"]) {
    if (volume.contains("secret")) add(volume["secret"], "defaultMode", 420);
    if (volume.contains("hostPath")) add(volume["hostPath"], "type", "");
    if (!volume.contains("projected")) continue;
    add(volume["projected"], "defaultMode", 420);
    for (Json& source : volume["projected"]["sources"]) {
      if (!source.contains("downwardAPI")) continue;
      for (Json& item : source["downwardAPI"]["items"]) add(item["fieldRef"], "apiVersion", "v1");
    }
  }
  return workload;
}

}  // namespace stash::test
