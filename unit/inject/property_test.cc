#include <catch2/catch.hpp>
#include <random>

#include "unit/inject/scene.h"

// Promises that hold for every workload, tried on generated ones.
namespace stash::test {
namespace {

constexpr unsigned kWorkloads = 300;

class WorkloadGenerator {
 public:
  explicit WorkloadGenerator(unsigned seed) : random_(seed) {}

  Json workload() {
    WorkloadBuilder workload;
    for (unsigned i = below(4); i > 0; --i) workload.volume("volume-" + std::to_string(i), source());
    for (unsigned i = below(one_in(20) ? 60 : 4); i > 0; --i) {
      workload.container("app-" + std::to_string(i), "source-data", "/data");
    }
    for (unsigned i = below(3); i > 0; --i) workload.init_container("init-" + std::to_string(i));
    if (one_in(3)) workload.volume("tmp-dir", source()).container("tmp-user", "tmp-dir", "/tmp");
    if (one_in(4)) workload.pull_secret("mine");
    if (one_in(4)) workload.pod_security_context({{"runAsUser", below(3) * 1000}});
    if (one_in(4)) workload.pod_security_context({{"runAsNonRoot", true}});
    for (unsigned i = below(3); i > 0; --i) workload.annotation(strange_key(), "~1/\"\\ \xc3\xa9");
    for (unsigned i = below(3); i > 0; --i) workload.template_annotation(strange_key(), "x");
    workload.with([this](Json& w) { decorate(w); });
    return one_in(2) ? as_stored(workload) : workload.json();
  }

  /// Puts a wrong value somewhere.
  Json broken(Json workload) {
    static const std::vector<Json> kWrong = {nullptr,
                                             true,
                                             -1,
                                             1e300,
                                             "text",
                                             Json::array(),
                                             Json::object(),
                                             Json::array({nullptr, 1, "x"}),
                                             Json{{"", {{"~/", nullptr}}}},
                                             std::string("\xff\xfe")};
    std::vector<Json*> places;
    collect(workload, places);
    for (unsigned i = 1 + below(3); i > 0; --i) {
      std::vector<Json*> now;
      collect(workload, now);
      *now[below(static_cast<unsigned>(now.size()))] = kWrong[below(static_cast<unsigned>(kWrong.size()))];
    }
    return workload;
  }

  Scene scene() {
    Scene scene;
    scene.with_settings([this](auto& s) {
      if (one_in(2)) s.image_pull_secrets = {"mine", "ours"};
    });
    if (!one_in(4)) {
      auto configuration = a_backup_configuration();
      if (one_in(3)) configuration.temp_dir({"Memory", "1000Mi", one_in(2)});
      if (one_in(3)) configuration.container_settings({{"resources", {{"limits", {{"cpu", "1000m"}}}}}});
      scene.backup(configuration);
    }
    if (one_in(2)) {
      scene.repository(a_repository("other").pvc("claim").secret("s2"));
      scene.restore(a_restore_session().repository(one_in(2) ? "repo" : "other"));
    }
    return scene;
  }

 private:
  unsigned below(unsigned limit) {
    return limit == 0 ? 0 : std::uniform_int_distribution<unsigned>(0, limit - 1)(random_);
  }
  bool one_in(unsigned times) { return below(times) == 0; }

  Json source() { return one_in(2) ? Json{{"emptyDir", Json::object()}} : Json{{"fromTheFuture", {{"x", {1, 2}}}}}; }
  std::string strange_key() {
    static const std::vector<std::string> kKeys = {"a/b~c",        "~0", "~1", "", "stash.appscode.com/other",
                                                   "\xe2\x80\xae", "-",  "0"};
    return kKeys[below(static_cast<unsigned>(kKeys.size()))];
  }
  void decorate(Json& w) {
    Json& pod = w["spec"]["template"]["spec"];
    if (one_in(2)) w["spec"]["fieldOfTomorrow"] = {{"deep", {{"er", nullptr}}}};
    if (one_in(2)) pod["hostUsers"] = false;
    if (one_in(3) && pod.contains("initContainers")) pod["initContainers"][0]["restartPolicy"] = "Always";
    if (one_in(3)) pod["containers"][0]["envFrom"] = {Json{{"secretRef", {{"name", "x"}}}}};
    if (one_in(5)) w["spec"]["template"]["metadata"].erase("labels");
    if (w["spec"]["template"]["metadata"].empty()) w["spec"]["template"].erase("metadata");
    if (one_in(3))
      w["metadata"]["managedFields"] = {Json{{"manager", "x"}, {"fieldsV1", {{"f:spec", Json::object()}}}}};
  }
  static void collect(Json& value, std::vector<Json*>& places) {
    places.push_back(&value);
    if (value.is_structured()) {
      for (Json& child : value) collect(child, places);
    }
  }

  std::mt19937 random_;
};

// Everything outside the lists and annotations that we add to.
Json without_our_places(Json workload) {
  for (const char* path :
       {"/metadata/annotations", "/spec/template/metadata/annotations", "/spec/template/spec/containers",
        "/spec/template/spec/initContainers", "/spec/template/spec/volumes", "/spec/template/spec/imagePullSecrets"}) {
    const Json::json_pointer pointer(path);
    if (!workload.contains(pointer)) continue;
    workload[pointer.parent_pointer()].erase(pointer.back());
  }
  Json& pod_template = workload["spec"]["template"];
  if (pod_template.contains("metadata") && pod_template["metadata"].empty()) pod_template.erase("metadata");
  return workload;
}

bool is_subsequence(const Json& small, const Json& large) {
  auto next = large.begin();
  for (const Json& element : small) {
    next = std::find(next, large.end(), element);
    if (next == large.end()) return false;
    ++next;
  }
  return true;
}

TEST_CASE("injection is idempotent, reversible and touches nothing of the author's",
          "[inject][property][F61][F67][I2]") {
  for (unsigned seed = 0; seed < kWorkloads; ++seed) {
    INFO("seed " << seed);
    WorkloadGenerator generator(seed);
    const Json original = generator.workload();
    const Scene scene = generator.scene();

    const auto injection = scene.inject(original);
    CHECK(injection.findings.empty());
    const Json injected = original.patch(document(injection.patch));
    CHECK(text_of(injection.patch) == dump_json(document(injection.patch)));
    CHECK(inject::has_sidecar(injected) == injection.has_sidecar);
    CHECK(inject::has_init_container(injected) == injection.has_init_container);

    CHECK(scene.inject(injected).patch.empty());
    const Json stored = as_stored(injected);
    CHECK(scene.inject(stored).patch.empty());
    CHECK(scene.inject(stored, &stored).patch.empty());
    CHECK(scene.inject(stored, &original).patch.empty());

    CHECK(Scene().injected(injected) == original);
    CHECK(Scene().injected(stored) == as_stored(original));

    CHECK(without_our_places(injected) == without_our_places(original));
    for (const char* list : {"containers", "initContainers", "volumes", "imagePullSecrets"}) {
      CHECK(is_subsequence(array_at(original, {"spec", "template", "spec", list}),
                           array_at(injected, {"spec", "template", "spec", list})));
    }
  }
}

TEST_CASE("from any scene to any other the way is the same as from nothing", "[inject][property]") {
  for (unsigned seed = 0; seed < kWorkloads; ++seed) {
    INFO("seed " << seed);
    WorkloadGenerator generator(seed);
    const Json original = generator.workload();
    const Scene first = generator.scene();
    const Scene second = generator.scene();
    const Json by_detour = second.injected(as_stored(first.injected(original)));
    CHECK(second.inject(by_detour).patch.empty());
    CHECK(Scene().injected(by_detour) == as_stored(original));
    auto names = names_in(by_detour, "volumes");
    auto direct = names_in(second.injected(original), "volumes");
    std::ranges::sort(names);
    std::ranges::sort(direct);
    CHECK(names == direct);
  }
}

TEST_CASE("what was made for another workload before changes nothing", "[inject][property]") {
  for (unsigned seed = 0; seed < kWorkloads; ++seed) {
    INFO("seed " << seed);
    WorkloadGenerator generator(seed);
    const Scene scene = generator.scene();
    scene.inject(generator.workload());
    const Json next = generator.workload();
    CHECK(text_of(scene.inject(next).patch) == text_of(scene.anew().inject(next).patch));
  }
}

TEST_CASE("no JSON makes injection throw, and every patch of it applies", "[inject][property][F64][I17]") {
  for (unsigned seed = 0; seed < kWorkloads * 5; ++seed) {
    INFO("seed " << seed);
    WorkloadGenerator generator(seed);
    const Scene scene = generator.scene();
    const Json original = generator.workload();
    const Json broken = generator.broken(seed % 2 == 0 ? original : scene.injected(original));
    inject::Injection injection;
    REQUIRE_NOTHROW(injection = scene.inject(broken));
    Json patched;
    REQUIRE_NOTHROW(patched = broken.patch(document(injection.patch)));
    REQUIRE_NOTHROW(injection = scene.inject(patched));
    CHECK(injection.patch.empty());
    REQUIRE_NOTHROW(injection = Scene().inject(broken, &original));
    REQUIRE_NOTHROW(patched = broken.patch(document(injection.patch)));
  }
}

}  // namespace
}  // namespace stash::test
