#include "base/hash.h"

#include <catch2/catch.hpp>

using namespace stash;

TEST_CASE("the published FNV-1a values are computed", "[base][hash]") {
  CHECK(fnv1a("") == 0xcbf29ce484222325u);
  CHECK(fnv1a("a") == 0xaf63dc4c8601ec8cu);
  CHECK(fnv1a("foobar") == 0x85944171f73967e8u);
}

TEST_CASE("a name within the limit stays as it is", "[base][hash]") {
  CHECK(shorten_name("web", 3) == "web");
  CHECK(shorten_name("", 10).empty());
}

TEST_CASE("a long name is cut to the limit and ends in its hash", "[base][hash]") {
  const std::string name = "stash-backup-" + std::string(80, 'x');
  const std::string shortened = shorten_name(name, 52);
  CHECK(shortened.size() == 52);
  CHECK(shortened.starts_with("stash-backup-xxx"));
  CHECK(shortened == shorten_name(name, 52));
  CHECK(shortened != shorten_name(name + "y", 52));
  CHECK(shortened.substr(43).find_first_not_of("-0123456789abcdef") == std::string::npos);
}

TEST_CASE("a cut never leaves a dash or a dot before the hash's dash", "[base][hash]") {
  const std::string shortened = shorten_name("abc-.-.-----------------------", 14);
  CHECK(shortened.starts_with("abc-"));
  CHECK(shortened.size() == 12);
}

TEST_CASE("a name without its dots has its own hash", "[base][hash]") {
  CHECK(undotted_name("web-v1", 20) == "web-v1");
  CHECK(undotted_name("web.v1", 20).starts_with("web-v1-"));
  CHECK(undotted_name("web.v1", 20).size() == 15);
  CHECK(undotted_name("web.v.1", 20) != undotted_name("web.v-1", 20));
  CHECK(undotted_name("web.v1.of-the-warehouse", 20) != undotted_name("web-v1.of-the-warehouse", 20));
}

TEST_CASE("even a limit without room for the hash is kept", "[base][hash]") {
  for (std::size_t limit = 0; limit < 12; ++limit) CHECK(shorten_name("a-very-long-name", limit).size() <= limit);
}
