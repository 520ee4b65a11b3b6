#include "sidecar/restore_patterns.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

namespace stash::sidecar {
namespace {

constexpr std::string_view kPath = "/source/data/logs/old é.txt";

TEST_CASE("an include takes what it matches, and all below a directory that it matches",
          "[sidecar][restore_patterns]") {
  const auto* const pattern = GENERATE("/source", "/source/data/", "logs", "data/logs", "*.txt", "old*", "old ?.txt",
                                       "*l*d*", "/source/*/logs", "/**/logs", "/source/**/*.txt", "data/**/logs", "**",
                                       "/source/data/logs/old é.txt", R"(old \é.txt)", "./logs/../logs");
  CAPTURE(pattern);
  CHECK(is_taken(kPath, {pattern}, {}) == Taken::yes);
  CHECK(is_taken(kPath, {"nothing", pattern}, {}) == Taken::yes);
  CHECK(is_taken(kPath, {}, {"nothing", pattern}) == Taken::no);
}

TEST_CASE("an include leaves what it does not match, and an exclude takes it", "[sidecar][restore_patterns]") {
  const auto* const pattern = GENERATE("/logs", "/data", "log", "*.tx", "old ??.txt", "source/logs",
                                       "/source/data/logs/*/x", R"(old \*.txt)", "/**/nothing", "LOGS", "");
  CAPTURE(pattern);
  CHECK(is_taken(kPath, {pattern}, {}) == Taken::no);
  CHECK(is_taken(kPath, {}, {pattern}) == Taken::yes);
}

TEST_CASE("a path with special characters that is escaped is taken as it is", "[sidecar][restore_patterns]") {
  CHECK(is_taken("/a/[x]*?\\", {R"(/a/\[x\]\*\?\\)"}, {}) == Taken::yes);
  CHECK(is_taken("/a/x", {R"(/a/\[x\])"}, {}) == Taken::no);
}

TEST_CASE("without patterns everything is taken", "[sidecar][restore_patterns]") {
  CHECK(is_taken(kPath, {}, {}) == Taken::yes);
}

TEST_CASE("an include with a leading ! leaves what one before it takes, and the last of them decides",
          "[sidecar][restore_patterns]") {
  CHECK(is_taken(kPath, {"*.txt", "!/source/data"}, {}) == Taken::no);
  CHECK(is_taken(kPath, {"*.txt", "!/source/dat"}, {}) == Taken::yes);
  CHECK(is_taken(kPath, {"!logs", "*.txt"}, {}) == Taken::yes);
  CHECK(is_taken(kPath, {"*.txt", "![l]ogs"}, {}) == Taken::no);
  CHECK(is_taken(kPath, {"*.txt", "![l"}, {}) == Taken::unknown);
  CHECK(is_taken(kPath, {"[l]ogs", "!logs"}, {}) == Taken::no);
}

// As of restic 0.14.0.
TEST_CASE("a class of characters is one of them, of its ranges, or none of these",
          "[sidecar][restore_patterns][F44][I13]") {
  const auto [pattern, name, matches] = GENERATE(table<std::string, const char*, bool>({
      {"[l]ogs", "logs", true},
      {"[z]ogs", "logs", false},
      {"[k-m]ogs", "logs", true},
      {"[^k]ogs", "logs", true},
      {"[^l]ogs", "logs", false},
      {"[!z]ogs", "!ogs", true},
      {"[!z]ogs", "logs", false},
      {R"([\-]d)", "-d", true},
      {R"(x[\]]y)", "x]y", true},
      {"[é]", "é", true},
      {"[à-ü]", "é", true},
      {"[a-z]", "é", false},
      {"*[0-9].log", "a1b2.log", true},
      {"[b-a]", "a", false},
      {"[l]og", "logs", false},
      {"/**/[l]ogs", "logs", true},
      {R"(\[l]ogs)", "logs", false},
  }));
  CAPTURE(pattern, name);
  CHECK(is_taken(fmt::format("/0/{}", name), {pattern}, {}) == (matches ? Taken::yes : Taken::no));
}

TEST_CASE("what a malformed class of characters or an exclude with ! decides is not known, and what another decides is",
          "[sidecar][restore_patterns]") {
  const auto* const malformed = GENERATE("[l", "[]", "[]a]", "[a-", "[a-]", "[-a]", "l[/]ogs", "[^", R"([\)");
  CAPTURE(malformed);
  CHECK(is_taken(kPath, {malformed}, {}) == Taken::unknown);
  CHECK(is_taken(kPath, {}, {malformed}) == Taken::unknown);
  CHECK(is_taken(kPath, {malformed, "data"}, {}) == Taken::yes);
  CHECK(is_taken(kPath, {}, {malformed, "data"}) == Taken::no);
  CHECK(is_taken(kPath, {}, {"data", "!logs"}) == Taken::unknown);
}

TEST_CASE("a pattern of many stars is decided at once", "[sidecar][restore_patterns]") {
  std::string stars;
  for (int i = 0; i < 30; ++i) stars += "*a";
  CHECK(is_taken("/" + std::string(200, 'a') + "b", {stars}, {}) == Taken::no);
  std::string directories, names;
  for (int i = 0; i < 50; ++i) directories += "/**/a";
  for (int i = 0; i < 49; ++i) names += "/a";
  CHECK(is_taken(names, {directories}, {}) == Taken::no);
  CHECK(is_taken(names + "/b/a/c", {directories}, {}) == Taken::yes);
}

}  // namespace
}  // namespace stash::sidecar
