#include "base/text.h"

#include <catch2/catch.hpp>

using namespace stash;

TEST_CASE("text is trimmed at its ends of the blanks that are named, and of no others", "[base][text]") {
  CHECK(trimmed(" \ta b\r\n") == "a b");
  CHECK(trimmed("\n a ", " ") == "\n a");
  CHECK(trimmed(" \n") == "");
  CHECK(trimmed("") == "");
}

TEST_CASE("text is split at each separator, and nothing is left out", "[base][text]") {
  using Parts = std::vector<std::string_view>;
  CHECK(split("a,,b", ',') == Parts{"a", "", "b"});
  CHECK(split(",", ',') == Parts{"", ""});
  CHECK(split("", ',') == Parts{""});
}

TEST_CASE("text is cut between characters", "[base][text]") {
  CHECK(first_bytes("abc", 3) == "abc");
  CHECK(first_bytes("abc", 2) == "ab");
  CHECK(first_bytes("a\xC3\xA4", 2) == "a");
  CHECK(first_bytes("\xF0\x9F\x90\xA7", 3).empty());
}

TEST_CASE("only A to Z become lower case", "[base][text]") {
  CHECK(lower_case("StatefulSet-1[\xc4") == "statefulset-1[\xc4");
}

TEST_CASE("of many texts ten are told, and how many more there are", "[base][text]") {
  std::vector<std::string> texts(12, "a");
  CHECK(first_of({"a", "b"}, "; ") == "a; b");
  CHECK(first_of({"a", "b"}, ", ", 3) == "a, b, 3 more");
  CHECK(first_of({}, ", ", 3) == "3 more");
  CHECK(first_of(texts, "") == "aaaaaaaaaaaa");
  texts.emplace_back("a");
  CHECK(first_of(texts, "") == "aaaaaaaaaaand 3 more");
  CHECK(first_of(texts, "", 4) == "aaaaaaaaaaand 7 more");
}
