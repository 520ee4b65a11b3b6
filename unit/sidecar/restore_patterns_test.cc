#include "sidecar/restore_patterns.h"

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
  CHECK(is_taken(kPath, {"*.txt", "![l]ogs"}, {}) == Taken::unknown);
  CHECK(is_taken(kPath, {"[l]ogs", "!logs"}, {}) == Taken::no);
}

TEST_CASE("what a class of characters or an exclude with ! decides is not known, and what another decides is",
          "[sidecar][restore_patterns]") {
  CHECK(is_taken(kPath, {"[l]ogs"}, {}) == Taken::unknown);
  CHECK(is_taken(kPath, {}, {"[l]ogs"}) == Taken::unknown);
  CHECK(is_taken(kPath, {"[l]ogs", "data"}, {}) == Taken::yes);
  CHECK(is_taken(kPath, {}, {"[l]ogs", "data"}) == Taken::no);
  CHECK(is_taken(kPath, {}, {"data", "!logs"}) == Taken::unknown);
}

TEST_CASE("a pattern of many stars is decided at once", "[sidecar][restore_patterns]") {
  std::string stars;
  for (int i = 0; i < 30; ++i) stars += "*a";
  CHECK(is_taken("/" + std::string(200, 'a') + "b", {stars}, {}) == Taken::no);
}

}  // namespace
}  // namespace stash::sidecar
