#include "controller/obstacle.h"

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

TargetWorld good() { return a_target("BackupConfiguration demo/app-backup", "stash"); }

std::string reason(const TargetWorld& target) {
  const auto obstacle = find_obstacle(target);
  return obstacle ? obstacle->reason : "";
}

}  // namespace

TEST_CASE("where all is well there is no obstacle", "[controller][obstacle]") { CHECK(!find_obstacle(good())); }

TEST_CASE("a cause is named before its consequences", "[controller][obstacle]") {
  TargetWorld target = good();
  target.pods = std::vector<PodFacts>{};
  CHECK(reason(target) == "NoPod");
  target.workload->replicas = 0;
  CHECK(reason(target) == "ScaledToZero");
  target.workload->has_container = false;
  CHECK(reason(target) == "ContainerNotInjected");
  target.findings = {{inject::Reason::pod_security, "Deployment demo/stash-demo", "hostPath is not allowed"}};
  CHECK(find_obstacle(target)->message == "hostPath is not allowed");
  target.workload.reset();
  CHECK(reason(target) == "TargetNotAvailable");
  target.not_opted_in = "label it";
  CHECK(reason(target) == "NamespaceNotOptedIn");
  target.secret = Presence::absent;
  CHECK(reason(target) == "BackendSecretNotAvailable");
  target.repository_found = a_repository().gcs("", "/").build();
  CHECK(reason(target) == "Invalid");
  target.repository_found.reset();
  CHECK(reason(target) == "RepositoryNotAvailable");
}

TEST_CASE("only what waiting cannot cure is hopeless", "[controller][obstacle]") {
  TargetWorld target = good();
  target.not_opted_in = "label it";
  target.workload.reset();
  CHECK_FALSE(find_obstacle(target)->hopeless);
  target.repository_found.reset();
  CHECK(find_obstacle(target)->hopeless);
}

TEST_CASE("an opt-out does not stop a container that is there already", "[controller][obstacle]") {
  TargetWorld target = good();
  target.not_opted_in = "label it";
  CHECK(!find_obstacle(target));
}

TEST_CASE("what changes often is kept out of the message", "[controller][obstacle]") {
  TargetWorld target = good();
  target.pods = std::vector{PodFacts{"web-1", "u1", "Pending", false, ""},
                            PodFacts{"web-2", "u2", "Running", false, "container stash: ImagePullBackOff"}};
  const auto obstacle = find_obstacle(target);
  REQUIRE(obstacle);
  CHECK(obstacle->message == "no pod of Deployment demo/stash-demo runs the container stash");
  CHECK(obstacle->detail == "pod web-2 is Running, container stash: ImagePullBackOff");
}

TEST_CASE("facts of a pod tell whether our container runs and what troubles it", "[controller][obstacle]") {
  const Json pod = {{"metadata", {{"name", "web-1"}, {"uid", "u"}}},
                    {"status",
                     {{"phase", "Running"},
                      {"containerStatuses",
                       {{{"name", "app"}, {"state", {{"running", Json::object()}}}},
                        {{"name", "stash"},
                         {"state", {{"waiting", {{"reason", "CrashLoopBackOff"}}}}},
                         {"lastState", {{"terminated", {{"reason", "OOMKilled"}}}}}}}}}}};
  CHECK(pod_facts(pod, "stash") ==
        PodFacts{"web-1", "u", "Running", false, "container stash: CrashLoopBackOff (it ended with OOMKilled)"});
  CHECK(pod_facts(pod, "app").runs_container);
  CHECK(pod_facts(Json(), "stash") == PodFacts());
}

TEST_CASE("a selector becomes the text that list requests take", "[controller][obstacle]") {
  const Json workload = {{"spec",
                          {{"selector",
                            {{"matchLabels", {{"app", "web"}, {"tier", "front"}}},
                             {"matchExpressions",
                              {{{"key", "zone"}, {"operator", "In"}, {"values", {"a", "b"}}},
                               {{"key", "old"}, {"operator", "NotIn"}, {"values", Json::array({"yes"})}},
                               {{"key", "here"}, {"operator", "Exists"}},
                               {{"key", "gone"}, {"operator", "DoesNotExist"}}}}}}}}};
  CHECK(selector_text(workload) == "app=web,tier=front,zone in (a,b),old notin (yes),here,!gone");
  CHECK(selector_text(Json::object()).empty());
}

TEST_CASE("a namespace without injection is told the command that changes it", "[controller][obstacle]") {
  inject::Settings settings = some_settings();
  settings.excluded_namespaces = {"kube-system"};
  const auto labelled = [](const char* value) { return Json({{"stash.appscode.com/injection", value}}); };
  CHECK(reason_not_opted_in(settings, "demo", labelled("enabled")).empty());
  CHECK(reason_not_opted_in(settings, "demo", Json::object()) ==
        "namespace demo has not opted in, so nothing is injected there; run: kubectl label namespace demo "
        "stash.appscode.com/injection=enabled");
  CHECK(reason_not_opted_in(settings, "demo", labelled("disabled")).ends_with("=enabled --overwrite"));
  CHECK(reason_not_opted_in(settings, "kube-system", labelled("enabled")) ==
        "namespace kube-system belongs to the cluster or to Stash itself, so nothing is injected there");
  settings.opt_in = false;
  CHECK(reason_not_opted_in(settings, "demo", Json::object()).empty());
  CHECK(reason_not_opted_in(settings, "demo", labelled("disabled"))
            .ends_with("run: kubectl label namespace demo stash.appscode.com/injection-"));
}
