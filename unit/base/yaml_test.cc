#include "base/yaml.h"

#include <catch2/catch.hpp>

using stash::Json;
using stash::to_yaml;

TEST_CASE("nested values become block YAML", "[base][yaml]") {
  CHECK(to_yaml(Json{{"a", {{"b", 1}, {"c", Json::array({1, {{"d", true}, {"e", "x"}}, Json::array({1, 2})})}}},
                     {"empty", Json::object()}}) ==
        "a:\n"
        "  b: 1\n"
        "  c:\n"
        "  - 1\n"
        "  - d: true\n"
        "    e: x\n"
        "  - [1,2]\n"
        "empty: {}\n");
}

TEST_CASE("texts that YAML would read as something else are quoted", "[base][yaml]") {
  for (const auto* text : {"", "true", "No", "y", "null", "5", "1e3", "~", "a: b", "a #b", "- a", "*x", "{{x", "größe",
                           "two\nlines", "end "}) {
    CHECK(to_yaml(text) == stash::dump_json(text));
  }
  for (const auto* text : {"apps/v1", "Where it is, in short.", "x-kubernetes-list-type"}) CHECK(to_yaml(text) == text);
  CHECK(to_yaml(Json{{"y", "n"}}) == "\"y\": \"n\"\n");
}
