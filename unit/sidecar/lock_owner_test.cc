#include "sidecar/lock_owner.h"

#include <catch2/catch.hpp>

#include "unit/support/fake_restic.h"
#include "unit/support/objects.h"

namespace stash::sidecar {
namespace {

TEST_CASE("of a time that was told a while ago only a clock that is far ahead is doubted",
          "[sidecar][lock_owner][F52][I12]") {
  const TimePoint told{std::chrono::hours(500'000)};
  using std::chrono::minutes;
  for (const minutes later : {minutes(0), minutes(2), minutes(19)})
    CHECK_FALSE(clock_doubt(skew_since(told, told + later)));
  for (const minutes later : {minutes(20), minutes(60), minutes(-60)})
    CHECK(clock_doubt(skew_since(told, told + later)));
}

TEST_CASE("whose lock is in the way is read from restic's message, old and new", "[sidecar][lock_owner][F38][I12]") {
  CHECK(parse_lock_owner(test::kLocked) == LockOwner{29513, "vm", "root", "40b9a799"});
  CHECK(parse_lock_owner("repo already locked, waiting up to 1m0s for the lock\n"
                         "{\"message_type\":\"exit_error\",\"code\":11,\"message\":\"unable to create lock in backend: "
                         "repository is already locked exclusively by PID 12 on web-0 by "
                         "2c1f9b1e-0a4c-4f0e-9f39-3f4f2a6d8f11 (UID 999, GID 999)\\nlock was created at 2026-11-23 "
                         "12:53:03 (1.2s ago)\\nstorage ID 0ad6f2c199\\n\"}\n") ==
        LockOwner{12, "web-0", "2c1f9b1e-0a4c-4f0e-9f39-3f4f2a6d8f11", "0ad6f2c199"});
}

TEST_CASE("a restic that found no name for its user has none", "[sidecar][lock_owner]") {
  CHECK(parse_lock_owner("repository is already locked by PID 7 on app-6f-x by  (UID 0, GID 0)\nlock was created at "
                         "then\nstorage ID 40b9a799\n") == LockOwner{7, "app-6f-x", "", "40b9a799"});
}

TEST_CASE("a message that names no lock, or not enough of it, names no owner", "[sidecar][lock_owner][F38][I12]") {
  for (const char* text :
       {"", "unable to create lock in backend: circuit breaker open", "repository is already locked",
        "repository is already locked by PID x on vm by root (UID 0, GID 0)\nstorage ID 40b9a799",
        "repository is already locked by PID 7 on vm by root (UID 0, GID 0)\nstorage ID 40b9",
        "repository is already locked by PID 7 on vm by root (UID 0, GID 0)\nstorage ID ../../etc"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_lock_owner(text));
  }
}

TEST_CASE(
    "a clock that is two minutes from the API server's is good enough to tell a lock's age, and says why not else",
    "[sidecar][lock_owner][F52][I12]") {
  using namespace std::chrono_literals;
  for (const Nanoseconds skew : {Nanoseconds(0), Nanoseconds(2min), Nanoseconds(-2min)}) CHECK_FALSE(clock_doubt(skew));
  CHECK(clock_doubt(121s) ==
        "the age of locks cannot be told: this node's clock is 121 s ahead of the API server's; set the node's clock");
  CHECK(clock_doubt(-1h) ==
        "the age of locks cannot be told: this node's clock is 3600 s behind the API server's; set the node's clock");
  CHECK(clock_doubt(std::nullopt) ==
        "the age of locks cannot be told: the API server has told no time to compare this node's clock with");
}

TEST_CASE("only pods that are known to be gone are dead owners", "[sidecar][lock_owner][I12]") {
  Json session = test::a_backup_session().json();
  session["status"]["lostPods"] = Json::array({{{"podName", "app-6f-x"}, {"podUID", "uid-1"}}, {{"podUID", "uid-2"}}});
  DeadOwners dead;
  add_lost_pods(dead, session);
  CHECK(is_dead({7, "app-6f-x", "", "40b9a799"}, dead));
  CHECK(is_dead({7, "web-0", "uid-2", "40b9a799"}, dead));
  CHECK_FALSE(is_dead({7, "web-0", "", "40b9a799"}, dead));
  CHECK_FALSE(is_dead({7, "app-6f-y", "uid-3", "40b9a799"}, dead));
  CHECK_FALSE(is_dead({7, "", "", "40b9a799"}, dead));
}

}  // namespace
}  // namespace stash::sidecar
