#include "sidecar/restore_rules.h"

#include <catch2/catch.hpp>

namespace stash::sidecar {
namespace {

api::RestoreRule rule(std::vector<std::string> hosts, std::vector<std::string> paths) {
  return {std::move(hosts), "", {}, std::move(paths), {}, {}};
}
const Snapshot kSnapshot{"d2769cc2175c", "d2769cc2", "2026-11-23T12:54:48Z", "host-0", {"/source/data"}, {}};

TEST_CASE("the rule that names the host wins over the rule for any host", "[sidecar][restore_rules]") {
  const std::vector<api::RestoreRule> rules{rule({}, {"/any"}), rule({"host-0"}, {"/mine/"}),
                                            rule({"host-0"}, {"/second"})};
  CHECK(restore_items(rules, "host-0") == std::vector<RestoreItem>{{"", "host-0", "/mine", {}, {}}});
  CHECK(restore_items(rules, "host-1") == std::vector<RestoreItem>{{"", "host-1", "/any", {}, {}}});
}

TEST_CASE("sourceHost says whose data is taken", "[sidecar][restore_rules]") {
  api::RestoreRule other = rule({}, {"/a", "/b"});
  other.source_host = "host-7";
  CHECK(restore_items({other}, "host-0") ==
        std::vector<RestoreItem>{{"", "host-7", "/a", {}, {}}, {"", "host-7", "/b", {}, {}}});
}

TEST_CASE("a rule that would restore nothing is an error, not a success", "[sidecar][restore_rules]") {
  CHECK(restore_items({}, "host-0").error().message ==
        "no rule of the RestoreSession is for host host-0: add one with paths, and without targetHosts");
  CHECK_FALSE(restore_items({rule({"host-1"}, {"/a"})}, "host-0"));
  CHECK(restore_items({rule({}, {})}, "host-0").error().message ==
        "the rule for host host-0 names neither paths nor snapshots, so it would restore nothing");
}

TEST_CASE("contradicting rules are refused by name", "[sidecar][restore_rules]") {
  api::RestoreRule both = rule({}, {"/a"});
  both.snapshots = {"d2769cc2"};
  CHECK(restore_items({both}, "host-0").error().message.find("both paths and snapshots") != std::string::npos);
  api::RestoreRule patterns = rule({}, {"/a"});
  patterns.include = {"*.txt"};
  patterns.exclude = {"*.tmp"};
  CHECK(restore_items({patterns}, "host-0").error().message.find("both include and exclude") != std::string::npos);
  CHECK_FALSE(restore_items({rule({}, {"relative"})}, "host-0"));
}

TEST_CASE("the newest of the snapshots found is restored", "[sidecar][restore_rules]") {
  Snapshot older = kSnapshot;
  older.id = "aa";
  older.time = "2026-11-22T12:54:48Z";
  CHECK(choose_snapshot({"", "host-0", "/source/data", {}, {}}, {kSnapshot, older}, {})->id == kSnapshot.id);
  CHECK(choose_snapshot({"d2769cc2", "", "", {}, {}}, {kSnapshot}, {}) == kSnapshot);
}

TEST_CASE("when there is no such snapshot, what there is is told", "[sidecar][restore_rules]") {
  CHECK(choose_snapshot({"", "host-1", "/source/data", {}, {}}, {}, {kSnapshot, kSnapshot}).error() ==
        Error{ErrorCode::not_found,
              "the repository has no snapshot of host host-1 with the path /source/data; it has host-0:/source/data "
              "(2); create a RestoreSession whose rule names one of these (sourceHost and paths, or snapshots), or, to "
              "start the application without a restore, delete this RestoreSession"});
  CHECK(choose_snapshot({"beef", "", "", {}, {}}, {}, {}).error().message ==
        "the repository has no snapshot beef; it has no snapshots at all; to start the application without a restore, "
        "delete this RestoreSession");
}

TEST_CASE("an incomplete snapshot is restored only when it is named by its id", "[sidecar][restore_rules]") {
  Snapshot older = kSnapshot;
  older.id = "aa";
  older.time = "2026-11-22T12:54:48Z";
  Snapshot incomplete = kSnapshot;
  incomplete.tags = {"stash-session=u1", "stash-incomplete"};
  const RestoreItem latest{"", "host-0", "/source/data", {}, {}};
  CHECK(choose_snapshot(latest, {older, incomplete}, {})->id == "aa");
  CHECK(list_incomplete({older, incomplete}) == "d2769cc2 of 2026-11-23T12:54:48Z");
  CHECK(list_incomplete({older}).empty());
  CHECK(choose_snapshot({"d2769cc2", "", "", {}, {}}, {incomplete}, {}) == incomplete);
  CHECK(
      choose_snapshot(latest, {incomplete}, {}).error() ==
      Error{ErrorCode::not_found,
            "of host host-0 with the path /source/data the repository has incomplete snapshots only "
            "(stash-incomplete: d2769cc2 of 2026-11-23T12:54:48Z), whose backups could not read all files; to restore "
            "one of them all the same, create a RestoreSession whose rule names it by its id in snapshots instead of "
            "paths, or, to start the application without a restore, delete this RestoreSession"});
}

TEST_CASE("only the asked path is written, as a pattern that matches nothing else", "[sidecar][restore_rules]") {
  Snapshot two = kSnapshot;
  two.paths = {"/source/da[t]a", "/etc"};
  CHECK(patterns_for({"", "host-0", "/source/da[t]a", {}, {}}, two) == Patterns{{"/source/da\\[t\\]a"}, {}});
  CHECK(patterns_for({"d2", "", "", {}, {}}, two) == Patterns{{"/source/da\\[t\\]a", "/etc"}, {}});
  CHECK(patterns_for({"", "h", "/", {}, {}}, two) == Patterns{});
}

TEST_CASE("a rule with patterns takes nothing from other paths of the snapshot", "[sidecar][restore_rules][F72][I13]") {
  Snapshot several = kSnapshot;
  several.paths = {"/data", "/data/sub", "/l[o]gs"};
  CHECK(patterns_for({"", "h", "/data", {}, {"*.tmp"}}, several) == Patterns{{}, {"*.tmp", "/l\\[o\\]gs"}});
  CHECK(patterns_for({"", "h", "/data", {"*.conf"}, {}}, several) == Patterns{{"*.conf", "!/l\\[o\\]gs"}, {}});
  CHECK(patterns_for({"d2", "", "", {"*.conf"}, {}}, several) == Patterns{{"*.conf"}, {}});
  const auto within_another = patterns_for({"", "h", "/data/sub", {}, {"*.tmp"}}, several);
  REQUIRE_FALSE(within_another);
  CHECK(within_another.error() ==
        Error{ErrorCode::invalid,
              "snapshot d2769cc2 holds /data as well as /data/sub: a rule with include or exclude cannot keep to the "
              "latter. Create a RestoreSession whose rule has neither, or one that names the snapshot in snapshots "
              "instead of paths"});
}

TEST_CASE("a path outside of all volumes is refused before anything is written", "[sidecar][restore_rules][F72][I13]") {
  const std::vector<api::VolumeMount> mounts{{"data", "/source/data/", ""}};
  CHECK(check_within_volumes({"/source/data", "/source/data/sub", "/source"}, mounts));
  CHECK_FALSE(check_within_volumes({"/"}, {{"data", "", ""}}));  // found by fuzzing: no path was a prefix of all
  CHECK_FALSE(check_within_volumes({"/anything"}, {}));
  const auto refused = check_within_volumes({"/source/database"}, mounts);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("lies in none of the volumes of spec.target.volumeMounts (/source/data)") !=
        std::string::npos);
}

}  // namespace
}  // namespace stash::sidecar
