#include "cli/diff.h"

#include <catch2/catch.hpp>

using namespace stash::cli;

TEST_CASE("equal texts have no difference", "[cli][diff]") {
  CHECK(unified_diff("a\nb\n", "a\nb\n").empty());
  CHECK(unified_diff("", "").empty());
}

TEST_CASE("an added line stands among its neighbours", "[cli][diff]") {
  CHECK(unified_diff("a\nb\nc\nd\ne\n", "a\nb\nc\nnew\nd\ne\n", 1) == "@@ -3,2 +3,3 @@\n c\n+new\n d\n");
}

TEST_CASE("changes that are far apart are two hunks, near ones are one", "[cli][diff]") {
  const std::string before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
  CHECK(unified_diff(before, "x\n2\n3\n4\n5\n6\n7\n8\ny\n", 1) ==
        "@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -8,2 +8,2 @@\n 8\n-9\n+y\n");
  CHECK(unified_diff(before, "x\n2\n3\ny\n5\n6\n7\n8\n9\n", 1) == "@@ -1,5 +1,5 @@\n-1\n+x\n 2\n 3\n-4\n+y\n 5\n");
}

TEST_CASE("a text that begins or ends to exist is all added or removed", "[cli][diff]") {
  CHECK(unified_diff("", "a\n") == "@@ -1,0 +1,1 @@\n+a\n");
  CHECK(unified_diff("a\n", "") == "@@ -1,1 +1,0 @@\n-a\n");
}

TEST_CASE("colours are for terminals only", "[cli][diff]") {
  CHECK(painted_diff("@@ -1,1 +1,1 @@\n-a\n+b\n c\n", false) == "@@ -1,1 +1,1 @@\n-a\n+b\n c\n");
  CHECK(painted_diff("-a\n+b\n c\n", true) == "\x1b[31m-a\x1b[0m\n\x1b[32m+b\x1b[0m\n c\n");
}
