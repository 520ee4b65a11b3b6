#include <catch2/catch.hpp>

#include "api/names.h"
#include "unit/inject/scene.h"

// A RestoreSession that is deleted and made anew under its name, faster than its init container is taken out.
namespace stash::test {
namespace {

const Json& template_of(const Json& workload) { return object_at(workload, {"spec", "template"}); }

Scene with_restore(const std::string& uid, const std::string& phase, int attempts = 0) {
  return Scene().restore(a_restore_session().uid(uid).phase(phase).with([&](api::RestoreSession& session) {
    if (phase == "Failed") session.status.conditions = {{"Completed", "True", "Failed", "", 1, kCreated}};
    session.status.stats = {{.hostname = "host-0", .attempts = attempts}};
  }));
}

/// What a release that did not state the UID left.
Json by_an_earlier_release() {
  Json workload = with_restore("first", "Pending").injected(a_workload());
  workload["spec"]["template"]["metadata"]["annotations"].erase(std::string(api::names::kAppliedRestoreUid));
  return workload;
}

TEST_CASE("a restore that is made anew under its name restarts the pods, once", "[inject][restore][F22][I13]") {
  const Json workload = with_restore("first", "Pending").injected(a_workload());
  for (const char* phase : {"Pending", "Running"}) {
    INFO(phase);
    const Scene anew = with_restore("second", phase);
    const Json after = anew.injected(workload, &workload);
    CHECK(template_of(after) != template_of(workload));
    CHECK(init_container_in(after) == init_container_in(workload));
    CHECK(anew.inject(after, &after).patch.empty());
  }
}

TEST_CASE("no phase of a restore restarts the pods that were made for it", "[inject][restore][I4][I13]") {
  const Json workload = with_restore("first", "Pending").injected(a_workload());
  for (const char* phase : {"", "Pending", "Running", "Failed", "Succeeded"}) {
    INFO(phase);
    CHECK(with_restore("first", phase).inject(workload, &workload).patch.empty());
  }
}

TEST_CASE("a restore that has succeeded restarts nothing, whichever one its pods were made for",
          "[inject][restore][I4]") {
  const Json workload = with_restore("first", "Pending").injected(a_workload());
  CHECK(with_restore("second", "Succeeded", 1).inject(workload, &workload).patch.empty());
}

TEST_CASE("pods that an earlier release made for a restore restart only if it has not begun",
          "[inject][restore][F84][I13]") {
  const Json workload = by_an_earlier_release();
  for (const char* phase : {"Running", "Failed", "Succeeded"}) {
    INFO(phase);
    CHECK(with_restore("first", phase, 1).inject(workload, &workload).patch.empty());
  }
  const Json after = with_restore("first", "Pending").injected(workload, &workload);
  CHECK(template_of(after) != template_of(workload));
  CHECK(with_restore("first", "Pending").inject(after, &after).patch.empty());
}

TEST_CASE("a restore made anew that failed before it got a pod does not begin with the next pod",
          "[inject][restore][F22][I13]") {
  const Json workload = with_restore("first", "Pending").injected(a_workload());
  CHECK(with_restore("second", "Failed").injected(workload) == a_workload().json());
}

TEST_CASE("a restore made anew that the pods of the old one began holds the application",
          "[inject][restore][F22][I13]") {
  const Json workload = with_restore("first", "Pending").injected(a_workload());
  CHECK(init_container_in(with_restore("second", "Failed", 1).injected(workload)).is_object());
}

}  // namespace
}  // namespace stash::test
