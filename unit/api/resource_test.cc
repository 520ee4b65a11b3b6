#include "api/resource.h"

#include <catch2/catch.hpp>

using namespace stash::api;

TEST_CASE("the core group has no name in apiVersion", "[api][resource]") {
  CHECK(kPods.api_version() == "v1");
  CHECK(kDeployments.api_version() == "apps/v1");
  CHECK(kRepositories.api_version() == "stash.appscode.com/v1alpha1");
}

TEST_CASE("an object's text names its namespace when it has one", "[api][resource]") {
  for (const ObjectRef& ref : {ObjectRef{"demo", "app"}, ObjectRef{"", "demo"}})
    CHECK(object_ref(to_string(ref)) == ref);
  CHECK(to_string(ObjectRef{"demo", "app"}) == "demo/app");
  CHECK(to_string(ObjectRef{"", "demo"}) == "demo");
}
