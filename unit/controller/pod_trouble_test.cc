#include "controller/pod_trouble.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "controller/rollout.h"
#include "controller/trimmed_pod.h"
#include "unit/controller/worlds.h"
#include "unit/inject/scene.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

const std::string kHash = "stash.appscode.com/last-applied-backupconfiguration-hash";

/// Deployment (or another kind) with the sidecar, two replicas, generation 2 seen, nothing ready.
struct Place {
  const api::WorkloadKind& kind;
  Json workload = Scene().backup(a_backup_configuration()).injected(a_workload());
  std::vector<Json> pods, events;
  TimePoint now = kCreated + minutes(20);

  explicit Place(const char* name = "Deployment") : kind(*api::workload_kind("apps", name)) {
    workload["metadata"]["generation"] = 2;
    workload["spec"]["replicas"] = 2;
    workload["status"] = {{"observedGeneration", 2}, {"replicas", 2}, {"updatedReplicas", 1}, {"readyReplicas", 1}};
    if (kind.hosts == api::HostScheme::nodes) workload["status"]["desiredNumberScheduled"] = 2;
  }

  Place& refused(const std::string& sentence, minutes ago = minutes(5)) {
    workload["status"]["conditions"] = {{{"type", "ReplicaFailure"},
                                         {"status", "True"},
                                         {"message", sentence},
                                         {"lastTransitionTime", format_time(now - ago)}}};
    return *this;
  }
  /// A pod of the template as it is, whose sidecar is in that state.
  Json& pod(const std::string& name, const Json& sidecar_state, seconds age = minutes(2)) {
    Json pod = {{"metadata", {{"name", name}, {"uid", "uid-" + name}, {"creationTimestamp", format_time(now - age)}}},
                {"spec", workload["spec"]["template"]["spec"]},
                {"status", {{"phase", "Pending"}}}};
    pod["metadata"]["annotations"] = workload["spec"]["template"]["metadata"]["annotations"];
    pod["status"]["containerStatuses"] = {{{"name", "busybox"}, {"state", {{"running", Json::object()}}}},
                                          {{"name", "stash"}, {"state", sidecar_state}}};
    pods.push_back(std::move(pod));
    return pods.back();
  }
  /// As the edge hands them over.
  std::vector<Json> kept() const {
    std::vector<Json> trimmed;
    std::ranges::transform(pods, std::back_inserter(trimmed), trimmed_pod);
    return trimmed;
  }
  PodTroubleWorld world() const {
    return {.kind = kind, .workload = workload, .pods = kept(), .events = events, .injected = kCreated, .now = now};
  }
  std::optional<PodTrouble> trouble() const { return pod_trouble(world()); }
  std::string told() const { return unclear_refusal(world()); }
};

const Json kRunning = {{"running", Json::object()}};
Json waiting(const char* reason, const char* message = "") {
  return {{"waiting", {{"reason", reason}, {"message", message}}}};
}

}  // namespace

TEST_CASE("pods that are refused with the sidecar are trouble, with the API server's sentence",
          "[controller][trouble]") {
  Place place;
  CHECK_FALSE(place.trouble());
  place.refused("violates PodSecurity");
  CHECK(place.trouble() == PodTrouble{inject::Reason::pods_refused, "violates PodSecurity"});
}

TEST_CASE("a refusal is given time, for a rollout frees its quota as it goes", "[controller][trouble]") {
  Place place;
  place.refused("violates PodSecurity", minutes(0));
  CHECK_FALSE(place.trouble());
  place.now += seconds(30);
  CHECK(place.trouble());
}

TEST_CASE("a refusal that leaves it open who is to blame does not touch pods that run with the sidecar",
          "[controller][trouble]") {
  Place place;
  place.refused("denied by policy").pod("a", kRunning);
  CHECK_FALSE(place.trouble());
  place.pods[0]["metadata"]["annotations"][kHash] = "of an older template";
  CHECK(place.trouble());
  place.pods.clear();
  place.pod("b", kRunning);
  place.refused("must specify limits.cpu for: stash");
  CHECK(place.trouble());
}

TEST_CASE("a refusal that leaves it open who is to blame is told, while pods run with the sidecar",
          "[controller][trouble][F66][I8]") {
  Place place;
  place.refused("denied by policy", minutes(0)).pod("a", kRunning);
  CHECK(place.told().empty());
  place.now += seconds(30);
  CHECK(place.told() == "denied by policy");
  place.refused("exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5");
  CHECK(place.told().empty());
  place.refused("must specify limits.cpu for: stash");
  CHECK(place.told().empty());  // that is trouble
  place.workload["status"].erase("conditions");
  CHECK(place.told().empty());
}

TEST_CASE("a refusal that is not the sidecar's fault is no trouble of ours", "[controller][trouble]") {
  Place place;
  place.refused("exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5");
  CHECK_FALSE(place.trouble());
}

TEST_CASE("StatefulSets and DaemonSets tell a refusal by events, while a pod is missing",
          "[controller][trouble][F66][I1]") {
  for (const char* kind : {"StatefulSet", "DaemonSet"}) {
    Place place(kind);
    place.events = {{{"reason", "FailedCreate"},
                     {"message", "denied by policy"},
                     {"firstTimestamp", format_time(place.now - minutes(2))},
                     {"lastTimestamp", format_time(place.now)}}};
    CHECK(place.trouble() == PodTrouble{inject::Reason::pods_refused, "denied by policy"});
    place.events[0]["lastTimestamp"] = format_time(kCreated - seconds(1));  // before the sidecar was there
    CHECK_FALSE(place.trouble());
    place.events[0]["lastTimestamp"] = format_time(place.now);
    place.pod("a", waiting("ContainerCreating"));
    place.pod("b", waiting("ContainerCreating"));
    CHECK_FALSE(place.trouble());
  }
}

TEST_CASE("an image of ours that cannot be pulled is trouble after a minute, or ten while other pods have it",
          "[controller][trouble][F50][I1]") {
  Place place;
  place.pod("a", waiting("ImagePullBackOff", "Back-off pulling image \"stash:1\""), seconds(59));
  CHECK_FALSE(place.trouble());
  place.now += seconds(1);
  CHECK(place.trouble() ==
        PodTrouble{inject::Reason::image_pull_failed, "ImagePullBackOff: Back-off pulling image \"stash:1\""});
  place.pod("b", kRunning);
  CHECK_FALSE(place.trouble());
  place.now += minutes(9);
  CHECK(place.trouble());
}

TEST_CASE("a sidecar that the kubelet cannot start is trouble after a minute, or ten while it runs in other pods",
          "[controller][trouble][F70][I1]") {
  const std::string word =
      GENERATE(as<std::string>{}, "CreateContainerConfigError", "CreateContainerError", "RunContainerError");
  Place place;
  place.pod("a", waiting(word.c_str(), "secret \"no\" not found"), seconds(59));
  CHECK_FALSE(place.trouble());
  place.now += seconds(1);
  CHECK(place.trouble() == PodTrouble{inject::Reason::sidecar_start_failed, word + ": secret \"no\" not found"});
  place.pod("b", kRunning);
  CHECK_FALSE(place.trouble());
  place.now += minutes(9);
  CHECK(place.trouble());
}

TEST_CASE("a sidecar between two tries to start it is trouble, one that crashed is not", "[controller][trouble]") {
  Place place;
  Json& ours = place.pod("a", waiting("CrashLoopBackOff"))["status"]["containerStatuses"][1];
  ours["lastState"]["terminated"]["reason"] = "Error";
  CHECK_FALSE(place.trouble());
  ours["lastState"]["terminated"]["reason"] = "StartError";
  CHECK(place.trouble().value().reason == inject::Reason::sidecar_start_failed);
}

TEST_CASE("where the application's container cannot be started either, it is not the sidecar",
          "[controller][trouble]") {
  Place place;
  Json& pod = place.pod("a", waiting("CreateContainerConfigError"));
  pod["status"]["containerStatuses"][0]["state"] = waiting("CreateContainerError");
  CHECK_FALSE(place.trouble());
}

TEST_CASE("a pod that ran for long is given the same time when its sidecar does not start again",
          "[controller][trouble]") {
  Place place;
  Json& pod = place.pod("a", waiting("CreateContainerConfigError"), minutes(600));
  pod["status"]["conditions"] = {
      {{"type", "ContainersReady"}, {"status", "False"}, {"lastTransitionTime", format_time(place.now - seconds(59))}}};
  CHECK_FALSE(place.trouble());
  place.now += seconds(1);
  CHECK(place.trouble());
}

TEST_CASE("where the application's image cannot be pulled either, it is not the sidecar", "[controller][trouble]") {
  Place place;
  Json& pod = place.pod("a", waiting("ImagePullBackOff"));
  pod["status"]["containerStatuses"][0]["state"] = waiting("ErrImagePull");
  CHECK_FALSE(place.trouble());
}

TEST_CASE("pods of another template, or with another image of ours, do not count", "[controller][trouble]") {
  Place place;
  place.pod("a", waiting("ImagePullBackOff"))["metadata"]["annotations"][kHash] = "other";
  place.pod("b", waiting("ImagePullBackOff"))["spec"]["containers"][1]["image"] = "stash:0";
  place.workload["status"]["updatedReplicas"] = 0;
  CHECK_FALSE(place.trouble());
}

TEST_CASE("pods whose images something rewrote count, so that an unclear refusal does not restart them",
          "[controller][trouble][F61][F66][I1][I4]") {
  Place place;
  place.refused("denied by policy").pod("a", kRunning);
  const auto image = [&place](const char* text) { place.pods[0]["spec"]["containers"][1]["image"] = text; };
  SECTION("in a drain: the workload says that none is older") { image("mirror.example/flat@sha256:ab"); }
  SECTION("in a rollout: name and tag tell") {
    place.workload["status"]["updatedReplicas"] = 0;
    image("mirror.example/stash:1");
  }
  CHECK_FALSE(place.trouble());
  CHECK(place.told() == "denied by policy");
  place.workload["metadata"]["generation"] = 3;  // its counts are of the template before
  image("stash:0");
  CHECK(place.trouble());
}

TEST_CASE("pods of a ReplicaSet follow its template whatever their images are", "[controller][trouble][F61][I4]") {
  Place place("ReplicaSet");
  place.pod("a", kRunning)["spec"]["containers"][1]["image"] = "mirror.example/flat@sha256:ab";
  CHECK(all_pods_follow(place.world()));
  place.pods[0]["metadata"]["annotations"][kHash] = "older";
  CHECK_FALSE(all_pods_follow(place.world()));
}

TEST_CASE("a volume that only the sidecar mounts and that cannot be mounted is trouble", "[controller][trouble]") {
  const auto event = [](const std::string& volumes) {
    return Json{{"reason", "FailedMount"},
                {"message", "Unable to attach or mount volumes: unmounted volumes=[" + volumes +
                                "], unattached volumes=[], failed to process volumes=[]: context deadline exceeded"},
                {"involvedObject", {{"uid", "uid-a"}}}};
  };
  Place place;
  place.pod("a", waiting("ContainerCreating"), minutes(3));
  REQUIRE(pod_that_waits_for_volumes(
              {.kind = place.kind, .workload = place.workload, .pods = place.kept(), .now = place.now}) != nullptr);
  place.events = {event("stash-local")};
  CHECK(place.trouble().value().reason == inject::Reason::volume_mount_failed);
  for (const char* others : {"source-data stash-local", "source-data", ""}) {
    place.events = {event(others)};
    CHECK_FALSE(place.trouble());
  }
}

TEST_CASE("pods that no node takes are trouble after five minutes, unless one runs", "[controller][trouble]") {
  Place place;
  Json& pod = place.pod("a", Json::object(), minutes(5));
  pod["status"] = {{"phase", "Pending"},
                   {"conditions",
                    {{{"type", "PodScheduled"},
                      {"status", "False"},
                      {"reason", "Unschedulable"},
                      {"message", "0/1 nodes are available"}}}}};
  CHECK(place.trouble() == PodTrouble{inject::Reason::pods_unschedulable, "0/1 nodes are available"});
  place.pod("b", kRunning);
  CHECK_FALSE(place.trouble());
}

TEST_CASE("a workload whose pods all follow its template is looked at no closer", "[controller][trouble]") {
  Place place;
  place.pod("a", waiting("ImagePullBackOff"));
  place.workload["status"]["updatedReplicas"] = 2;
  place.workload["status"]["readyReplicas"] = 2;
  CHECK(is_settled(place.kind, place.workload));
  CHECK_FALSE(place.trouble());
  place.workload["metadata"]["generation"] = 3;
  CHECK_FALSE(is_settled(place.kind, place.workload));
}

TEST_CASE("nothing that an API server may return makes the diagnosis throw", "[controller][trouble]") {
  Place place;
  place.pods = {nullptr, 5, Json::array(), {{"status", "x"}}, {{"spec", {{"containers", 1}}}}};
  place.events = {nullptr, "x", {{"reason", "FailedMount"}}, {{"reason", "FailedCreate"}, {"message", 5}}};
  CHECK_NOTHROW(place.trouble());
  place.refused("");
  CHECK_NOTHROW(place.trouble());
}

TEST_CASE("of a status only that is kept which decisions read", "[controller][trouble]") {
  Place place;
  place.refused("no");
  place.workload["status"]["collisionCount"] = 5;
  CHECK(trimmed_status(place.kind, place.workload) == Json{{"observedGeneration", 2},
                                                           {"replicas", 2},
                                                           {"updatedReplicas", 1},
                                                           {"readyReplicas", 1},
                                                           {"conditions", place.workload["status"]["conditions"]}});
  const Json without = {{"status", {{"replicas", 2}, {"conditions", {{{"type", "Available"}}}}}}};
  CHECK(trimmed_status(place.kind, without) == Json::object());
  CHECK(trimmed_status(place.kind, {{"status", {{"updateRevision", "web-1"}, {"currentRevision", "web-0"}}}}) ==
        Json{{"updateRevision", "web-1"}});
}
