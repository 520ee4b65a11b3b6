#include <catch2/catch.hpp>

#include "unit/inject/scene.h"

// When the image of an injected container follows an upgrade of ours, and when it stays.
namespace stash::test {
namespace {

Scene a_scene(const std::string& image) {
  Scene scene;
  scene.image(image).backup(a_backup_configuration());
  return scene;
}

std::string image_of(const Json& container) { return string_at(container, {"image"}); }

TEST_CASE("an upgrade of ours restarts nobody's pods", "[inject][image][F84][I3]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  CHECK(a_scene("stash:2").inject(live, &live).patch.empty());
}

TEST_CASE("a change outside the template keeps the image", "[inject][image]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  Json scaled = live;
  scaled["spec"]["replicas"] = 5;
  CHECK(a_scene("stash:2").inject(scaled, &live).patch.empty());
}

TEST_CASE("an author who sends the template without the sidecar gets the one that was there",
          "[inject][image][F86][I2]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  const Json sent = as_stored(a_workload());
  CHECK(as_stored(a_scene("stash:2").injected(sent, &live)) == live);
}

TEST_CASE("a change of the template brings the new image, and nothing else", "[inject][image]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  Json changed = live;
  changed["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:2";
  CHECK(
      document(a_scene("stash:2").inject(changed, &live).patch) ==
      Json::array({Json{{"op", "replace"}, {"path", "/spec/template/spec/containers/1/image"}, {"value", "stash:2"}}}));
}

TEST_CASE("a change of what is desired brings the new image", "[inject][image]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  Scene scene;
  scene.image("stash:2").backup(a_backup_configuration().container_settings({{"nice", {{"adjustment", 3}}}}));
  CHECK(image_of(sidecar_in(scene.injected(live, &live))) == "stash:2");
}

TEST_CASE("a restore that begins brings the new image to the sidecar too", "[inject][image]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  const Json restoring = a_scene("stash:2").restore(a_restore_session()).injected(live, &live);
  CHECK(image_of(sidecar_in(restoring)) == "stash:2");
  CHECK(image_of(init_container_in(restoring)) == "stash:2");
}

TEST_CASE("a container that keeps an older image or older resources is said to wait", "[inject][image]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  CHECK_FALSE(a_scene("stash:1").inject(live, &live).upgrade_waits);
  CHECK(a_scene("stash:2").inject(live, &live).upgrade_waits);
  Json changed = live;
  changed["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:2";
  CHECK_FALSE(a_scene("stash:2").inject(changed, &live).upgrade_waits);

  Json requesting = a_workload();
  requesting["spec"]["template"]["spec"]["containers"][0]["resources"] = {{"requests", {{"cpu", "1"}}}};
  const auto with_cpu = [](const std::string& cpu) {
    return a_scene("stash:1").with_settings(
        [&](inject::Settings& settings) { settings.resources.requests = {{"cpu", cpu}}; });
  };
  const Json running = as_stored(with_cpu("10m").injected(requesting));
  CHECK_FALSE(with_cpu("0.01").inject(running, &running).upgrade_waits);
  CHECK(with_cpu("20m").inject(running, &running).upgrade_waits);
}

TEST_CASE("nothing waits where nothing of ours is, nor where it cannot be planned now", "[inject][image]") {
  const Json bare = as_stored(a_workload());
  CHECK_FALSE(Scene().image("stash:2").inject(bare, &bare).upgrade_waits);
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  CHECK_FALSE(a_scene("stash:2").no_repository().inject(live, &live).upgrade_waits);
}

TEST_CASE("a write that asks for the upgrade brings the new image, and nothing else", "[inject][image]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  CHECK(
      document(a_scene("stash:2").upgrading().inject(live, &live).patch) ==
      Json::array({Json{{"op", "replace"}, {"path", "/spec/template/spec/containers/1/image"}, {"value", "stash:2"}}}));
  CHECK(a_scene("stash:1").upgrading().inject(live, &live).patch.empty());
}

TEST_CASE("a workload that is created with an old image gets the new one", "[inject][image]") {
  const Json exported = a_scene("stash:1").injected(a_workload());
  CHECK(image_of(sidecar_in(a_scene("stash:2").injected(exported))) == "stash:2");
}

TEST_CASE("somebody who changes only the image of the sidecar gets the old one back", "[inject][image]") {
  const Json live = as_stored(a_scene("stash:1").injected(a_workload()));
  Json changed = live;
  changed["spec"]["template"]["spec"]["containers"][1]["image"] = "mine:1";
  CHECK(a_scene("stash:2").injected(changed, &live) == live);
}

TEST_CASE("a stored object of any shape is no obstacle", "[inject][image]") {
  for (const Json& before : {Json(nullptr), Json("x"), Json::object(), Json::array()}) {
    CHECK(a_scene("stash:1").inject(a_workload(), &before).has_sidecar);
  }
}

}  // namespace
}  // namespace stash::test
