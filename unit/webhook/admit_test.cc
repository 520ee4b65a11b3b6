#include "webhook/admit.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "inject/withdrawal.h"
#include "unit/support/objects.h"
#include "unit/support/review.h"
#include "unit/support/workload.h"

using namespace stash;
using namespace stash::test;
using namespace stash::webhook;

namespace {

const inject::Settings kSettings{.image = "stash:test", .opt_in = true, .allowed_host_paths = {"/"}};

Review review_of(const Json& object, const Json& old_object = nullptr) {
  return parse_review(a_review("apps", "Deployment", object, old_object).dump()).value();
}

/// Namespace demo, opted in, with a BackupConfiguration and a Repository for the workload.
std::optional<inject::World> a_world(const WorkloadKey&) {
  inject::World world;
  world.namespace_labels = {{"stash.appscode.com/injection", "enabled"}};
  world.configurations = {api::BackupConfiguration(a_backup_configuration())};
  world.repository = [](const std::string& name) { return name == "repo" ? a_repository().shared() : nullptr; };
  return world;
}

std::optional<inject::World> an_empty_world(const WorkloadKey&) {
  inject::World world;
  world.namespace_labels = {{"stash.appscode.com/injection", "enabled"}};
  world.repository = [](const std::string&) { return nullptr; };
  return world;
}

std::optional<inject::World> must_not_be_asked(const WorkloadKey&) {
  FAIL("nothing should be gathered for this review");
  return std::nullopt;
}

std::string label_of(const Answer& answer) { return answer.outcome + "/" + answer.reason; }

}  // namespace

TEST_CASE("a workload that a BackupConfiguration names gets its sidecar", "[webhook][admit]") {
  const Json workload = a_deployment();
  const Answer answer = admit(review_of(workload), kSettings, a_world);
  CHECK(label_of(answer) == "patched/injected");
  CHECK(answer.warnings.empty());
  CHECK(inject::has_sidecar(workload.patch(document(answer.patch))));
}

TEST_CASE("only a write by the manager of upgrades brings the image of this version", "[webhook][admit]") {
  const Json workload = a_deployment();
  const Json live = workload.patch(document(admit(review_of(workload), kSettings, a_world).patch));
  inject::Settings upgraded = kSettings;
  upgraded.image = "stash:next";
  Review review = review_of(live, live);
  for (const std::string manager : {"", "kubectl", "kube-controller-manager"}) {
    review.field_manager = manager;
    CHECK(admit(review, upgraded, a_world).patch.empty());
  }
  review.field_manager = "stash-sidecar-upgrade";
  const Json after = live.patch(document(admit(review, upgraded, a_world).patch));
  CHECK(after.dump().contains("stash:next"));
  CHECK_FALSE(after.dump().contains("stash:test"));
}

TEST_CASE("the patched workload, asked about again, is left alone", "[webhook][admit][F61][I2]") {
  const Json workload = a_deployment();
  const Json injected = workload.patch(document(admit(review_of(workload), kSettings, a_world).patch));
  CHECK(label_of(admit(review_of(injected), kSettings, a_world)) == "unchanged/nothing_to_do");
  CHECK(label_of(admit(review_of(injected, injected), kSettings, a_world)) == "unchanged/nothing_to_do");
}

TEST_CASE("an update that no longer wants a backup takes the sidecar away", "[webhook][admit]") {
  const Json workload = a_deployment();
  const Json injected = workload.patch(document(admit(review_of(workload), kSettings, a_world).patch));
  const Answer answer = admit(review_of(injected, injected), kSettings, an_empty_world);
  CHECK(label_of(answer) == "patched/removed");
  CHECK(injected.patch(document(answer.patch)) == workload);
}

TEST_CASE("a workload that nothing names is admitted as it is", "[webhook][admit]") {
  CHECK(label_of(admit(review_of(a_deployment()), kSettings, an_empty_world)) == "unchanged/nothing_to_do");
}

TEST_CASE("why a wanted sidecar is not injected is a warning", "[webhook][admit]") {
  const auto no_repository = [](const WorkloadKey& key) {
    auto world = a_world(key);
    world->repository = [](const std::string&) { return nullptr; };
    return world;
  };
  const Answer answer = admit(review_of(a_deployment()), kSettings, no_repository);
  CHECK(answer.patch.empty());
  CHECK(label_of(answer) == "unchanged/RepositoryMissing");
  REQUIRE(answer.warnings.size() == 1);
  CHECK(answer.warnings[0].starts_with("stash: BackupConfiguration demo/app-backup: "));
}

TEST_CASE("before the caches are filled a workload is admitted unchanged, with a warning", "[webhook][admit][F1][I1]") {
  const Answer answer = admit(review_of(a_deployment()), kSettings, [](const WorkloadKey&) { return std::nullopt; });
  CHECK(label_of(answer) == "unsure/not_synced");
  CHECK(answer.patch.empty());
  CHECK(answer.warnings.size() == 1);
}

TEST_CASE("the gatherer is asked by the object's own name and the request's namespace", "[webhook][admit][F62][I1]") {
  Json workload = a_deployment();
  workload["metadata"].erase("namespace");
  Json envelope = a_review("apps", "Deployment", workload);
  envelope["request"]["name"] = "";
  std::string asked;
  admit(parse_review(envelope.dump()).value(), kSettings, [&](const WorkloadKey& key) {
    asked = fmt::format("{}/{}/{}/{}", key.ns, key.group, key.kind, key.name);
    return an_empty_world(key);
  });
  CHECK(asked == "demo/apps/Deployment/stash-demo");
}

TEST_CASE("what is not ours to change is admitted without a look", "[webhook][admit][F62][I1]") {
  Json envelope = a_review("apps", "Deployment", a_deployment());
  Json& request = envelope["request"];
  std::string reason;
  SECTION("another kind") {
    request["kind"]["kind"] = "Job";
    reason = "other_kind";
  }
  SECTION("another group") {
    request["kind"]["group"] = "batch";
    reason = "other_kind";
  }
  SECTION("a subresource") {
    request["subResource"] = "scale";
    reason = "subresource";
  }
  SECTION("a deletion") {
    request["operation"] = "DELETE";
    reason = "other_operation";
  }
  SECTION("a connection") {
    request["operation"] = "CONNECT";
    reason = "other_operation";
  }
  SECTION("no namespace") {
    request["namespace"] = "";
    reason = "no_namespace";
  }
  SECTION("no object") {
    request["object"] = nullptr;
    reason = "no_object";
  }
  SECTION("a workload being deleted") {
    request["object"]["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z";
    reason = "being_deleted";
  }
  const Answer answer = admit(parse_review(envelope.dump()).value(), kSettings, must_not_be_asked);
  CHECK(label_of(answer) == "skipped/" + reason);
  CHECK(answer.patch.empty());
  CHECK(answer.warnings.empty());
}

TEST_CASE("a workload of any shape is admitted", "[webhook][admit][F64][I1]") {
  for (
      const char* text :
      {"{}", R"({"metadata":null,"spec":null})", R"({"metadata":{"name":1},"spec":[]})",
       R"({"metadata":{"name":"stash-demo"},"spec":{"template":{"spec":{"containers":{"a":1},"volumes":"x"}}}})",
       R"({"metadata":{"name":"stash-demo"},"spec":{"template":{"spec":{"containers":[null,1,{"name":[]}]}}}})",
       R"({"metadata":{"name":"stash-demo","annotations":[1]},"spec":{"template":{"metadata":7,"spec":{"containers":[]}}}})"}) {
    const Answer answer = admit(review_of(Json::parse(text)), kSettings, a_world);
    INFO(text);
    CHECK(answer.patch.empty());
  }
}

TEST_CASE(
    "what the API server refused is tried again by the controller's nudge alone, and nothing else comes in a write "
    "that is to be as it is",
    "[webhook][admit][F66][I1]") {
  const Json workload = a_deployment();
  const auto refused_before = [](const WorkloadKey& key) {
    auto world = a_world(key);
    api::BackupConfiguration configuration = a_backup_configuration();
    configuration.status.withdrawal = api::Withdrawal{
        "Retrying", "WorkloadRefused", "no", 1, 1, inject::fingerprint(kSettings), 1, kCreated, kCreated};
    world->configurations = {configuration};
    return world;
  };
  Review review = review_of(workload, workload);
  for (const std::string manager : {"", "kubectl-set", "stash-sidecar-upgrade"}) {
    review.field_manager = manager;
    const Answer answer = admit(review, kSettings, refused_before);
    CHECK(label_of(answer) == "unchanged/WorkloadRefused");
    CHECK(answer.patch.empty());
  }
  review.field_manager = "stash";
  CHECK(label_of(admit(review, kSettings, refused_before)) == "patched/injected");
  review.field_manager = "stash-as-it-is";
  CHECK(label_of(admit(review, kSettings, must_not_be_asked)) == "skipped/as_it_is");
}
