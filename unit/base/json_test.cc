#include "base/json.h"

#include <catch2/catch.hpp>

using namespace stash;

namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

const Json kPod = {{"spec", {{"replicas", 3}, {"paused", true}, {"containers", {"a", "b"}}, {"ratio", 1.5}}},
                   {"name", "web"}};

}  // namespace

TEST_CASE("text that is no JSON is refused with the byte where reading stopped", "[base][json]") {
  CHECK(parse_json(R"({"a": tru})").error() == Error{ErrorCode::invalid, "not JSON, at byte 10 of 10"});
  CHECK(parse_json("").error().code == ErrorCode::invalid);
  CHECK(parse_json("{} {}").error().code == ErrorCode::invalid);
  CHECK(parse_json("\"\xff\"").error().code == ErrorCode::invalid);
  CHECK(parse_json("1e999").error().code == ErrorCode::invalid);
}

TEST_CASE("a parse error does not repeat the text, which may hold a secret", "[base][json]") {
  CHECK(parse_json(R"({"token": "hunter2" "x"})").error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("JSON of 512 levels is read, deeper is refused", "[base][json][F64][I17]") {
  CHECK(parse_json(nested(512)).has_value());
  CHECK(parse_json(nested(513)).error() == Error{ErrorCode::invalid, "JSON nested deeper than 512 levels"});
  CHECK(parse_json(nested(1'000'000)).error().code == ErrorCode::invalid);
}

TEST_CASE("a document means the same whether it is read quickly or, being large, slowly", "[base][json]") {
  // Numbers at the ends of their types and beyond, a key twice, escapes, and what is beside a document.
  for (const std::string_view text :
       {"0", "-0", "-1", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "-9223372036854775808", "-9223372036854775809", "1.0", "1e2", "-0.0", "5e-324",
        "123456789012345678901234567890", R"({"a": 1, "b": {"c": []}, "a": "last"})",
        R"("\u00e9\ud83d\ude00\u0000\n\/")", "[true, false, null, [], {}, \"\"]", "\xef\xbb\xbf{}", "  [1]\t\r\n "}) {
    CAPTURE(text);
    const Result<Json> quick = parse_json(text);
    const Result<Json> slow = parse_json(std::string(text) + std::string(100'000, ' '));
    REQUIRE(quick.has_value());
    REQUIRE(slow.has_value());
    CHECK(*quick == *slow);
    CHECK(dump_json(*quick) == dump_json(*slow));
  }
  for (const std::string_view text :
       {"01", "1.", "[1,]", "{\"a\" 1}", "\"\\ud800\"", "\"\x01\"", "nul", "[1] 2", "\"\\x\""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text));
    CHECK_FALSE(parse_json(std::string(text) + std::string(100'000, ' ')));
  }
}

TEST_CASE("brackets inside strings are no depth", "[base][json]") {
  const std::string text = "\"" + std::string(2'000, '[') + "\\\"" + std::string(2'000, '{') + "\"";
  CHECK(parse_json(text).has_value());
}

TEST_CASE("a string with invalid UTF-8 is written with a replacement character", "[base][json]") {
  CHECK(dump_json(Json("a\xff")) == "\"a\xef\xbf\xbd\"");
}

TEST_CASE("a document is written as its library writes it", "[base][json]") {
  const auto by_library = [](const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); };
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text = {'a', static_cast<char>(first), static_cast<char>(second), 'z'};
      if (dump_json(text) != by_library(text)) FAIL(first << " " << second);
    }
  }
  const Json containers = {{"", nullptr},
                           {"a\"b\n", {{"\u00e9", Json::array()}, {"o", Json::object()}}},
                           {"l", {1, -2, 2.5, 1e300, true, ""}}};
  for (const Json& value :
       {Json(), containers, containers["l"], Json::array(), Json::object(), Json({Json::array(), Json::object()}),
        Json(std::numeric_limits<double>::infinity()), Json(std::numeric_limits<std::uint64_t>::max())}) {
    CHECK(dump_json(value) == by_library(value));
  }
}

TEST_CASE("a text is written as its library writes it, whatever is in it and wherever", "[base][json]") {
  for (std::size_t at = 0; at < 20; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text(20, 'x');
      text[at] = static_cast<char>(byte);
      if (dump_json(text) != Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)) FAIL(at << " " << byte);
    }
  }
}

TEST_CASE("a document is written behind what is there", "[base][json]") {
  std::string text = "data: ";
  append_json(text, {{"a", std::string(5'000, '"')}});
  append_json(text, -7);
  CHECK(text == "data: " + dump_json({{"a", std::string(5'000, '"')}}) + "-7");
}

TEST_CASE("one text after the other is read, whatever the one before it was", "[base][json]") {
  CHECK(parse_json(R"({"a": [1, "x"]})").value() == Json{{"a", {1, "x"}}});
  CHECK_FALSE(parse_json(R"({"a": [1, "x")").has_value());
  CHECK_FALSE(parse_json(nested(513)).has_value());
  const std::string large = "\"" + std::string(40'000, 'x') + "\"";
  CHECK(parse_json(large).value() == Json(std::string(40'000, 'x')));
  CHECK(parse_json("[2]").value() == Json::array({2}));
}

TEST_CASE("a view of what is missing or of another type is the fallback", "[base][json]") {
  CHECK(at(kPod, {"spec", "nothing"}) == nullptr);
  CHECK(at(kPod, {"name", "deeper"}) == nullptr);
  CHECK(at(kPod, {}) == &kPod);
  CHECK(string_at(kPod, {"name"}) == "web");
  CHECK(string_at(kPod, {"spec"}, "none") == "none");
  CHECK(text_at(kPod, {"name"}).data() == kPod["name"].get_ref<const std::string&>().data());
  CHECK(text_at(kPod, {"spec"}, "none") == "none");
  CHECK(int_at(kPod, {"spec", "replicas"}) == 3);
  CHECK(int_at(kPod, {"spec", "ratio"}, 7) == 7);
  CHECK(int_at(Json(-5), {}) == -5);
  CHECK(int_at(Json(std::uint64_t{1} << 63), {}, 7) == 7);
  CHECK(bool_at(kPod, {"spec", "paused"}));
  CHECK(bool_at(kPod, {"name"}, true));
  CHECK(array_at(kPod, {"spec", "containers"}).size() == 2);
  CHECK(array_at(kPod, {"name"}) == Json::array());
  CHECK(object_at(kPod, {"spec"}).size() == 4);
  CHECK(object_at(Json(), {"spec"}) == Json::object());
}

TEST_CASE("a key is escaped for a JSON pointer", "[base][json]") { CHECK(escape_pointer("a/b~c") == "a~1b~0c"); }
