#include "inject/patch.h"

#include <catch2/catch.hpp>

using stash::Json;
using stash::inject::Patch;

namespace {

// The operations, after checking that they lead to the edited workload.
Json operations(const Json& original, const Patch& patch) {
  const Json document = stash::inject::document(patch.operations());
  CHECK(original.patch(document) == patch.edited({}));
  CHECK(text_of(patch.operations()) == stash::dump_json(document));
  return document;
}

/// Each second one with its text.
auto shared(const Json& value) {
  static bool with_text = false;
  with_text = !with_text;
  return std::make_shared<const stash::inject::Value>(value, with_text ? stash::dump_json(value) : "");
}

Json op(const char* name, const char* path) { return {{"op", name}, {"path", path}}; }
Json op(const char* name, const char* path, const Json& value) {
  return {{"op", name}, {"path", path}, {"value", value}};
}

}  // namespace

TEST_CASE("a missing parent is added together with its first member", "[inject][patch]") {
  const Json original = {{"metadata", Json::object()}};
  Patch patch(original);
  patch.set({"metadata", "annotations", "a/b~c"}, "1");
  patch.set({"metadata", "annotations", "d/e"}, "2");
  CHECK(operations(original, patch) == Json::array({op("add", "/metadata/annotations", {{"a/b~c", "1"}}),
                                                    op("add", "/metadata/annotations/d~1e", "2")}));
}

TEST_CASE("setting what is there already is no operation", "[inject][patch]") {
  const Json original = {{"a", {{"b", 1}}}};
  Patch patch(original);
  patch.set({"a", "b"}, 1);
  CHECK(patch.operations().empty());
}

TEST_CASE("the last member goes together with its parents", "[inject][patch]") {
  const Json original = {{"kind", "x"}, {"metadata", {{"annotations", {{"a", "1"}}}}}};
  Patch patch(original);
  patch.unset({"metadata", "annotations", "a"});
  CHECK(operations(original, patch) == Json::array({op("remove", "/metadata")}));
}

TEST_CASE("a list is created for its first element and goes with its last", "[inject][patch]") {
  const Json original = {{"kind", "x"}};
  Patch patch(original);
  patch.append({"list"}, shared(1));
  patch.append({"list"}, shared(2));
  CHECK(operations(original, patch) == Json::array({op("add", "/list", Json::array({1})), op("add", "/list/-", 2)}));
  patch.erase({"list"}, 0);
  patch.erase({"list"}, 0);
  CHECK(patch.edited({}) == original);
}

TEST_CASE("edits of places that do not exist do nothing", "[inject][patch]") {
  const Json original = {{"list", {1}}, {"text", "x"}};
  Patch patch(original);
  patch.replace({"list"}, 7, shared(1));
  patch.replace_member({"list"}, 0, "image", "i");
  patch.erase({"text"}, 0);
  patch.erase({"nothing"}, 0);
  patch.unset({"text", "x"});
  CHECK(patch.operations().empty());
  CHECK(patch.edited({}) == original);
}

TEST_CASE("an edit finds what the edits before it have made", "[inject][patch]") {
  const Json original = {{"kind", "x"},
                         {"spec", {{"list", {{{"name", "a"}}, {{"name", "b"}}}}, {"map", {{"k", "1"}}}}},
                         {"nothing", nullptr}};
  Patch patch(original);
  patch.append({"spec", "list"}, shared({{"name", "c"}}));
  patch.replace_member({"spec", "list"}, 2, "image", "i");
  patch.replace_member({"spec", "list"}, 2, "name", "d");
  patch.replace_member({"spec", "list"}, 2, "name", "d");
  patch.replace({"spec", "list"}, 1, shared({{"name", "e"}}));
  patch.erase({"spec", "list"}, 0);
  patch.set({"spec", "map", "new"}, "2");
  patch.unset({"spec", "map", "k"});
  patch.set({"spec", "map", "new"}, "3");
  patch.append({"nothing"}, shared(1));
  CHECK(operations(original, patch).size() == 9);
  CHECK(patch.edited({"spec", "list"}) == Json::array({{{"name", "e"}}, {{"image", "i"}, {"name", "d"}}}));
  CHECK(patch.edited({"spec", "map"}) == Json{{"new", "3"}});
  CHECK(patch.edited({"spec", "list", "name"}) == Json());
  patch.unset({"spec", "map", "new"});
  CHECK(operations(original, patch).back() == op("remove", "/spec/map"));
  patch.erase({"spec", "list"}, 1);
  patch.erase({"spec", "list"}, 0);
  CHECK(operations(original, patch).back() == op("remove", "/spec"));
  CHECK(patch.edited({"spec", "list"}) == Json());
}
