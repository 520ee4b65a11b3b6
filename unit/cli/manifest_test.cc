#include "cli/manifest.h"

#include <catch2/catch.hpp>

using namespace stash;
using namespace stash::cli;

TEST_CASE("documents and lists become objects", "[cli][manifest]") {
  const auto objects = read_manifests(
      "# a comment\n---\nkind: A\nspec: {n: 1}\n---\napiVersion: v1\nkind: List\nitems:\n- {kind: B}\n- {kind: "
      "C}\n---\n");
  REQUIRE(objects);
  CHECK(*objects == std::vector<Json>{{{"kind", "A"}, {"spec", {{"n", 1}}}}, {{"kind", "B"}}, {{"kind", "C"}}});
}

TEST_CASE("JSON is YAML too", "[cli][manifest]") {
  const auto objects = read_manifests(R"({"kind": "A", "spec": {"text": "1", "list": []}})");
  REQUIRE(objects);
  CHECK(*objects == std::vector<Json>{{{"kind", "A"}, {"spec", {{"text", "1"}, {"list", Json::array()}}}}});
}

TEST_CASE("plain scalars are read as kubectl reads them", "[cli][manifest]") {
  const auto objects = read_manifests(
      "kind: A\nmode: 0644\nyes: yes\noff: off\nnone: ~\nhalf: 0.5\nversion: 1.2.3\nquoted: \"5\"\nsingle: 'true'\n"
      "short: y\nno: N\nodd: yEs\ncpu: 100m\nport: 80\nminus: -3\nempty:\nblock: |\n  5\n");
  REQUIRE(objects);
  CHECK(objects->front() == Json{{"kind", "A"},
                                 {"mode", 420},
                                 {"yes", true},
                                 {"off", false},
                                 {"none", nullptr},
                                 {"half", 0.5},
                                 {"version", "1.2.3"},
                                 {"quoted", "5"},
                                 {"single", "true"},
                                 {"short", true},
                                 {"no", false},
                                 {"odd", "yEs"},
                                 {"cpu", "100m"},
                                 {"port", 80},
                                 {"minus", -3},
                                 {"empty", nullptr},
                                 {"block", "5\n"}});
}

TEST_CASE("merge keys are resolved as kubectl resolves them: a later key wins", "[cli][manifest]") {
  const auto objects = read_manifests(
      "kind: A\nx1: &x1 {a: 1, c: 3}\nx2: &x2 {a: 2, d: 4, <<: {e: 5}}\n"
      "one: {a: own, <<: *x1, c: after}\nmany:\n  <<: [*x1, *x2]\nquoted: {\"<<\": 1}\n");
  REQUIRE(objects);
  CHECK(objects->front()["one"] == Json{{"a", 1}, {"c", "after"}});
  CHECK(objects->front()["many"] == Json{{"a", 1}, {"c", 3}, {"d", 4}, {"e", 5}});
  CHECK(objects->front()["quoted"] == Json{{"<<", 1}});
  for (const char* wrong : {"kind: A\n<<: 5\n", "kind: A\n<<: [5]\n", "kind: A\n<<:\n"}) {
    CHECK(read_manifests(wrong).error().message ==
          "not YAML, at line 2: << merges a map or a list of maps, and nothing else");
  }
}

TEST_CASE("what is no object is refused, with its place", "[cli][manifest]") {
  CHECK(read_manifests("kind: A\n---\nname: x\n").error().message ==
        "document 2 is no Kubernetes object: it has no kind");
  CHECK(read_manifests("kind: List\nitems: [5]\n").error().message == "document 1: an item of the list has no kind");
  CHECK(read_manifests("a: [").error().message.starts_with("not YAML, at line "));
  CHECK(read_manifests("").value().empty());
}
