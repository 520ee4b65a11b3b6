#include "api/meta.h"

#include <catch2/catch.hpp>

using namespace stash;
using namespace stash::api;

TEST_CASE("metadata is read, and what has a wrong type stays empty", "[api][meta]") {
  const Json object{
      {"metadata",
       {{"name", "app"},
        {"namespace", "demo"},
        {"uid", "u"},
        {"resourceVersion", "7"},
        {"generation", 3},
        {"creationTimestamp", "2023-11-14T22:13:20Z"},
        {"deletionTimestamp", "2023-11-14T22:13:21Z"},
        {"labels", {{"a", "b"}, {"n", 5}}},
        {"annotations", "none"},
        {"finalizers", {"stash.appscode.com", 7}},
        {"ownerReferences",
         {{{"apiVersion", "v1"}, {"kind", "K"}, {"name", "o"}, {"uid", "ou"}, {"controller", true}}, 5}}}}};
  ObjectMeta expected;
  expected.name = "app";
  expected.ns = "demo";
  expected.uid = "u";
  expected.resource_version = "7";
  expected.generation = 3;
  expected.created = TimePoint(std::chrono::seconds(1700000000));
  expected.being_deleted = true;
  expected.labels = {{"a", "b"}};
  expected.finalizers = {"stash.appscode.com"};
  expected.owners = {{"v1", "K", "o", "ou", true}, {}};
  CHECK(meta_of(object) == expected);
  CHECK(meta_of(Json(5)) == ObjectMeta{});
  CHECK(meta_of(Json{{"metadata", nullptr}}) == ObjectMeta{});
}

TEST_CASE("a condition keeps its transition time until its status changes", "[api][meta]") {
  const TimePoint then{std::chrono::seconds(100)}, now{std::chrono::seconds(200)};
  std::vector<Condition> conditions;

  CHECK(set_condition(conditions, {"Ready", "False", "NoSecret", "m", 1, then}));
  CHECK_FALSE(set_condition(conditions, {"Ready", "False", "NoSecret", "m", 2, now}));
  CHECK(conditions == std::vector<Condition>{{"Ready", "False", "NoSecret", "m", 2, then}});

  CHECK(set_condition(conditions, {"Ready", "False", "NoSecret", "another", 2, now}));
  CHECK(conditions.front().last_transition == then);

  CHECK(set_condition(conditions, {"Ready", "True", "Ready", "", 2, now}));
  CHECK(conditions.front().last_transition == now);

  CHECK(find_condition(conditions, "Ready") == &conditions.front());
  CHECK(find_condition(conditions, "Other") == nullptr);
}
