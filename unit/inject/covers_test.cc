#include "inject/covers.h"

#include <catch2/catch.hpp>

#include "api/quantity.h"

using stash::Json;
using stash::inject::covers;
namespace api = stash::api;

TEST_CASE("a live container covers the wanted one in spite of what the API server filled in", "[inject][covers]") {
  const Json wanted = {{"name", "stash"}, {"args", {"run-backup"}}};
  Json live = wanted;
  live["terminationMessagePath"] = "/dev/termination-log";
  live["resources"] = Json::object();
  CHECK(covers(live, wanted));
  CHECK_FALSE(covers(wanted, live));
}

TEST_CASE("environment and mounts may have more entries, in any order", "[inject][covers]") {
  const Json wanted = {{"env", {Json{{"name", "A"}, {"value", "1"}}, Json{{"name", "B"}, {"value", "2"}}}},
                       {"volumeMounts", {Json{{"name", "v"}, {"mountPath", "/v"}}}}};
  const Json live = {
      {"env", {Json{{"name", "X"}}, Json{{"name", "B"}, {"value", "2"}}, Json{{"name", "A"}, {"value", "1"}}}},
      {"volumeMounts", {Json{{"name", "w"}, {"mountPath", "/w"}}, Json{{"name", "v"}, {"mountPath", "/v"}}}}};
  CHECK(covers(live, wanted));
  Json other_value = live;
  other_value["env"][2]["value"] = "3";
  CHECK_FALSE(covers(other_value, wanted));
}

TEST_CASE("arguments and capabilities must be exactly those wanted", "[inject][covers]") {
  CHECK_FALSE(covers({{"args", {"a", "b"}}}, {{"args", {"a"}}}));
  CHECK_FALSE(covers({{"args", {"b", "a"}}}, {{"args", {"a", "b"}}}));
}

TEST_CASE("quantities are compared by value, for the API server rewrites them", "[inject][covers]") {
  const auto with_cpu = [](const char* cpu) { return Json{{"resources", {{"limits", {{"cpu", cpu}}}}}}; };
  CHECK(covers(with_cpu("1"), with_cpu("1000m")));
  CHECK(covers(with_cpu("500m"), with_cpu("0.5")));
  CHECK_FALSE(covers(with_cpu("501m"), with_cpu("0.5")));
  CHECK(covers({{"emptyDir", {{"sizeLimit", "1Gi"}}}}, {{"emptyDir", {{"sizeLimit", "1024Mi"}}}}));
  CHECK_FALSE(covers({{"args", "1"}}, {{"args", "1000m"}}));
}

TEST_CASE("quantities are read as Kubernetes reads them", "[inject][quantity]") {
  CHECK(api::same_quantity("1Ki", "1024"));
  CHECK(api::same_quantity("1k", "1e3"));
  CHECK(api::same_quantity("1E", "1000P"));
  CHECK(api::same_quantity("12E-1", "1.2"));
  CHECK(api::same_quantity("-1", "-1000m"));
  CHECK(api::same_quantity("1000n", "1u"));
  for (const char* bad : {"", "-", ".", "1 ", "1KiB", "Ki", "1i", "NaN", "0x10", "1.5.2", "1e99", "∞",
                          "18446744073709551616", "1e", "1 Ki"}) {
    INFO(bad);
    CHECK_FALSE(api::parse_quantity(bad));
  }
}
