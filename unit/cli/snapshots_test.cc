#include "cli/snapshots.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;

TEST_CASE("restic's list becomes snapshots, oldest first, with the session that took them", "[cli][snapshots]") {
  const auto found = snapshots_of_restic(
      R"([{"id":"bb00000000","short_id":"bb000000","time":"2026-11-23T12:00:00.5Z","hostname":"host-0","paths":["/data"],
          "tags":["stash-session=uid-2","stash-incomplete"]},
         {"id":"aa00000000","short_id":"aa000000","time":"2026-11-23T13:00:00+02:00","hostname":"host-0","paths":["/data"]}])");
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK((*found)[0].id == "aa000000");
  CHECK_FALSE((*found)[0].incomplete);
  CHECK((*found)[1].incomplete);
  CHECK((*found)[1].session == "uid-2");
}

TEST_CASE("what is no list of restic's is an error", "[cli][snapshots]") {
  CHECK_FALSE(snapshots_of_restic("no json"));
  CHECK_FALSE(snapshots_of_restic(R"([{"id":"bb00000000","time":"yesterday"}])"));
}

TEST_CASE("sessions remember their snapshots, in the shapes of all versions", "[cli][snapshots]") {
  Json ours = a_backup_session("s-1").json();
  ours["status"] = {
      {"stats",
       {{{"hostname", "host-0"}, {"phase", "Succeeded"}, {"snapshots", {{{"name", "aa000000"}, {"path", "/data"}}}}}}}};
  Json later = a_backup_session("s-2").created(kCreated + std::chrono::hours(1)).json();
  later["status"] = {{"targets",
                      {{{"stats",
                         {{{"hostname", "host-0"},
                           {"phase", "Failed"},
                           {"snapshots", {{{"name", "bb000000"}, {"directory", "/data"}}}}}}}}}}};
  const auto found = snapshots_of_sessions(Json::array({later, ours}));
  REQUIRE(found.size() == 2);
  CHECK(found[0] == SnapshotFacts{"aa000000", "host-0", kCreated, {"/data"}, false, "uid-s-1"});
  CHECK(found[1] == SnapshotFacts{"bb000000", "host-0", kCreated + std::chrono::hours(1), {"/data"}, true, "uid-s-2"});
}

TEST_CASE("a repository without snapshots says so", "[cli][snapshots]") {
  CHECK(render_snapshots({}, false, kCreated) == "No snapshots.\n");
}
