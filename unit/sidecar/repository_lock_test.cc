#include <catch2/catch.hpp>

#include "sidecar/lock_owner.h"

namespace stash::sidecar {
namespace {

const TimePoint kNow{std::chrono::seconds(1'000'000)};

RepositoryLock lock(const std::string& host, std::chrono::minutes old) {
  return {{7, host, "", "aa00"}, kNow - old, false};
}

TEST_CASE("a lock is read as restic prints it", "[sidecar][lock_owner]") {
  const auto found =
      parse_lock("aa00",
                 "{\n  \"time\": \"2026-11-23T12:53:03.5Z\",\n  \"exclusive\": true,\n  "
                 "\"hostname\": \"web-0\",\n  \"username\": \"uid-1\",\n  \"pid\": 12,\n  \"uid\": 0\n}\n");
  REQUIRE(found);
  CHECK(found->owner == LockOwner{12, "web-0", "uid-1", "aa00"});
  CHECK(found->exclusive);
  CHECK(format_time(found->time) == "2026-11-23T12:53:03Z");
  CHECK_FALSE(parse_lock("aa00", "Fatal: no such lock"));
  CHECK_FALSE(parse_lock("aa00", R"({"time": "never"})"));
}

TEST_CASE("a lock that is left is explained", "[sidecar][lock_owner]") {
  using std::chrono::minutes;
  CHECK(why_left(lock("other", minutes(40)), "web-0", false, kNow)
            .starts_with("nothing is removed from a pod that is called "
                         "web-0: another pod of that name"));
  CHECK(why_left(lock("app-x", minutes(1)), "app-x", true, kNow) == "its restic runs in this pod now");
  CHECK(why_left(lock("other", minutes(1)), "app-x", true, kNow) == "it is fresh: a restic of that host works now");
  CHECK(why_left(lock("other", minutes(10)), "app-x", true, kNow)
            .starts_with("its owner may be gone; if so, restic removes"));
  CHECK(why_left(lock("other", minutes(40)), "app-x", true, kNow).starts_with("it is old"));
}

}  // namespace
}  // namespace stash::sidecar
