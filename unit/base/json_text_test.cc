#include "base/json_text.h"

#include <catch2/catch.hpp>

using namespace stash;

namespace {

const std::string kText =
    R"({"a":{"keep":1,"drop":{"x":[1,2]}},"list":[{"name":"ours","drop":1},{"name":"other","drop":2}],
    "notes":{"a/1":"one","ours/2":"two","z/3":"three"},"flag":true,"nothing":null,"text":"\u00e4"})";

const Skim kSkim{.members = {{"a", {.leave_out = {"drop"}}},
                             {"list", {.leave_out = {"drop"}, .unless_named = {"ours"}}},
                             {"notes", {.only_prefix = "ours/"}}}};

}  // namespace

TEST_CASE("what is taken of a text is what the parser reads there", "[base][json]") {
  const Json whole = parse_json(kText).value();
  CHECK(JsonText::of(kText)->take({}) == whole);
  CHECK(JsonText::of(kText)->take({"a"}) == whole["a"]);
  CHECK(JsonText::of(kText)->take({"a", "keep"}) == 1);
  for (const std::string_view missing : {"b", "nothing"}) CHECK(JsonText::of(kText)->take({missing}).is_null());
  CHECK(JsonText::of(kText)->take({"text", "deeper"}).is_null());
}

TEST_CASE("a skim leaves out what it names, and of members with other names all but a trace", "[base][json]") {
  auto text = JsonText::of(kText).value();
  REQUIRE(text.skims());
  const Json skimmed = text.take({}, &kSkim);
  CHECK(skimmed["a"] == Json{{"keep", 1}, {"drop", nullptr}});
  CHECK(skimmed["list"] == Json::array({{{"name", "ours"}, {"drop", 1}}, {{"name", "other"}, {"drop", nullptr}}}));
  CHECK(skimmed["notes"] == Json{{"a/1", ""}, {"ours/2", "two"}});
  CHECK(skimmed["flag"] == true);
}

TEST_CASE("a large text is read as a whole, and says so", "[base][json]") {
  Json large = parse_json(kText).value();
  large["padding"] = std::string(100'000, 'x');
  auto text = JsonText::of(dump_json(large)).value();
  CHECK_FALSE(text.skims());
  CHECK(text.string_at({"text"}) == "\u00e4");
  CHECK(text.bool_at({"flag"}));
  CHECK(text.take({"a"}, &kSkim) == large["a"]);
  CHECK(text.take({"list"}, &kSkim) == large["list"]);
}

TEST_CASE("a view into a text is the fallback where nothing of its type is", "[base][json]") {
  const std::string padding(GENERATE(0, 100'000), ' ');
  auto text = JsonText::of(kText + padding).value();
  CHECK(text.string_at({"text"}) == "\u00e4");
  CHECK(text.string_at({"flag"}).empty());
  CHECK(text.string_at({"a", "b", "c"}).empty());
  CHECK_FALSE(text.bool_at({"text"}));
  CHECK(text.is_null({"nothing"}));
  CHECK(text.is_null({"a", "missing"}));
  CHECK_FALSE(text.is_null({"a"}));
  for (const std::string_view no_object : {"list", "text", "missing"}) CHECK_FALSE(text.enter(no_object));
  REQUIRE(text.enter("a"));
  CHECK(text.is_null({"text"}));
  CHECK(text.take({"keep"}) == 1);
}

TEST_CASE("of a key twice the last one counts, wherever it is looked for", "[base][json]") {
  const std::string text = R"({"a":{"b":"one"},"a":{"b":"two"}})";
  CHECK(JsonText::of(text)->string_at({"a", "b"}) == "two");
  CHECK(JsonText::of(text)->take({"a"}) == Json{{"b", "two"}});
  CHECK(parse_json(text)->at("a") == Json{{"b", "two"}});
}
