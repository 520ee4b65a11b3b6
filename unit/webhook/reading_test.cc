// An injection reads a part of the workload only: its answer is that to the whole.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/support/objects.h"
#include "unit/support/review.h"
#include "unit/support/workload.h"
#include "webhook/admit.h"

using namespace stash;
using namespace stash::test;
using namespace stash::webhook;

namespace {

constexpr std::string_view kOlder = "stash:older", kNow = "stash:now";

inject::Settings settings(std::string_view image = kNow) {
  return {.image = std::string(image), .opt_in = true, .allowed_host_paths = {"/"}};
}

Gather world(std::vector<inject::SharedConfiguration> configurations) {
  return [configurations](const WorkloadKey&) {
    inject::World world;
    world.namespace_labels = {{"stash.appscode.com/injection", "enabled"}};
    world.configurations = configurations;
    world.repository = [](const std::string&) { return a_repository().shared(); };
    return std::optional(world);
  };
}

Gather one_backup() { return world({api::BackupConfiguration(a_backup_configuration())}); }

/// As an API server shows it: with what managers of fields and kubectl left on it, and a status.
Json a_lived_in_workload() {
  Json workload = a_usual_workload();
  Json& metadata = workload["metadata"];
  metadata["managedFields"] = {{{"manager", "kubectl"}, {"fieldsV1", {{"f:spec", Json::object()}}}}};
  metadata["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "{}";
  workload["status"]["replicas"] = 1;
  Json& container = workload["spec"]["template"]["spec"]["containers"][0];
  container["livenessProbe"]["httpGet"] = {{"path", "/"}, {"port", 80}};
  container["ports"] = {{{"containerPort", 80}}};
  return workload;
}

Answer answer_to(const Json& object, const Json& before, const Gather& gather, Reading reading,
                 std::string_view image = kNow) {
  const auto review = parse_review(a_review("apps", "Deployment", object, before).dump(), reading);
  return admit(review.value(), settings(image), gather);
}

/// The patch of either reading, which must be the same.
Json patch_of_both(const Json& object, const Json& before, const Gather& gather, std::string_view image = kNow) {
  const Answer part = answer_to(object, before, gather, Reading::for_injection, image);
  const Answer whole = answer_to(object, before, gather, Reading::whole, image);
  CHECK_FALSE(part.needs_whole);
  CHECK(part.patch == whole.patch);
  CHECK(part.warnings == whole.warnings);
  CHECK(part.reason == whole.reason);
  return document(part.patch);
}

}  // namespace

TEST_CASE("a part of a workload is enough to inject, to see that nothing is to do, and to take out again",
          "[webhook][review]") {
  const Json authors = a_lived_in_workload();
  const Json injected = authors.patch(patch_of_both(authors, nullptr, one_backup()));
  CHECK(patch_of_both(injected, nullptr, one_backup()).empty());
  CHECK(patch_of_both(injected, injected, one_backup()).empty());
  for (const Json& before : {Json(), injected}) {
    const Json back = injected.patch(patch_of_both(injected, before, world({})));
    CHECK(back["metadata"]["annotations"] == authors["metadata"]["annotations"]);
    CHECK(back["spec"] == authors["spec"]);
  }
}

TEST_CASE("annotations of others stay when ours go, and the map goes when it was ours alone", "[webhook][review]") {
  Json authors = a_lived_in_workload();
  const int others = GENERATE(0, 1, 2);
  authors["metadata"].erase("annotations");
  for (int i = 0; i < others; ++i) authors["metadata"]["annotations"][fmt::format("example.com/{}", i)] = "kept";
  const Json injected = authors.patch(patch_of_both(authors, nullptr, one_backup()));
  CHECK(injected.patch(patch_of_both(injected, injected, world({})))["metadata"] == authors["metadata"]);
  CHECK(injected.patch(patch_of_both(injected, nullptr, world({})))["metadata"] == authors["metadata"]);
}

TEST_CASE("what containers of the author run decides whether an update restarts the pods anyway", "[webhook][review]") {
  const Json authors = a_lived_in_workload();
  const Json injected = authors.patch(patch_of_both(authors, nullptr, one_backup(), kOlder));
  CHECK(patch_of_both(injected, injected, one_backup()).empty());  // an upgrade alone restarts nobody's pods
  const std::string member = GENERATE("env", "args", "command", "ports", "livenessProbe");
  CAPTURE(member);
  Json changed = injected;
  changed["spec"]["template"]["spec"]["containers"][0].erase(member);
  if (member == "command") changed["spec"]["template"]["spec"]["containers"][0]["command"] = {"new"};
  CHECK(changed.patch(patch_of_both(changed, injected, one_backup()))
            .at("/spec/template/spec/containers/1/image"_json_pointer) == kNow);
}

TEST_CASE("a container of ours is read whole, whatever somebody changed in it", "[webhook][review]") {
  const Json authors = a_lived_in_workload();
  const Json injected = authors.patch(patch_of_both(authors, nullptr, one_backup()));
  Json changed = injected;
  changed["spec"]["template"]["spec"]["containers"][1]["env"].erase(0);
  CHECK(changed.patch(patch_of_both(changed, nullptr, one_backup())) == injected);
}

TEST_CASE("what is left out still tells that ours are not all that is there", "[webhook][review]") {
  Json workload = a_deployment();
  Json& metadata = workload["spec"]["template"]["metadata"];
  metadata = {{"annotations", {{"stash.appscode.com/last-applied-backupconfiguration-hash", "1"}}},
              {"managedFields", Json::array()}};
  CHECK(workload.patch(patch_of_both(workload, nullptr, world({})))
            .at("/spec/template/metadata"_json_pointer)
            .contains("managedFields"));
}

TEST_CASE("a part is an answer for all but very large workloads", "[webhook][review]") {
  Json workload = a_lived_in_workload();
  workload["metadata"]["annotations"]["example.com/long"] = std::string(56'000, 'x');
  patch_of_both(workload, nullptr, one_backup());
}

TEST_CASE("a part is no answer where the size of the whole may matter", "[webhook][review]") {
  const auto with_note = [](std::size_t bytes) {
    return world({api::BackupConfiguration(a_backup_configuration().annotation("note", std::string(bytes, 'x')))});
  };
  const Json authors = a_lived_in_workload();
  patch_of_both(authors, nullptr, with_note(240'000));
  const auto near_the_limit = with_note(258'000);
  CHECK(answer_to(authors, nullptr, near_the_limit, Reading::for_injection).needs_whole);
  CHECK(answer_to(authors, nullptr, near_the_limit, Reading::whole).reason == "injected");
}
