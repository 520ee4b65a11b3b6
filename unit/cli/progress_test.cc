#include "cli/progress.h"

#include <catch2/catch.hpp>

using namespace stash;
using namespace stash::cli;

namespace {

Json session(Json status) {
  return {{"kind", "BackupSession"},
          {"metadata", {{"name", "web-1"}, {"namespace", "demo"}}},
          {"status", std::move(status)}};
}

}  // namespace

TEST_CASE("progress is what the status says", "[cli][progress]") {
  const Progress progress = progress_of(session({{"phase", "Running"},
                                                 {"progress",
                                                  {{"hosts", "1/3"},
                                                   {"percent", "42%"},
                                                   {"bytes", "1.500 GiB / 3.000 GiB"},
                                                   {"remaining", "1m10s"},
                                                   {"step", "backing up /data"}}}}));
  CHECK(fraction_of(progress) == 0.42);
  CHECK(progress_line(progress, 200) ==
        "[##########..............]  42%  1/3 hosts  1.500 GiB / 3.000 GiB  1m10s left  backing up /data");
  CHECK(progress_line(progress, 30) == "[##########..............]  42");
  CHECK(progress_note(progress) == "Running  1/3 hosts  backing up /data");
}

TEST_CASE("without it hosts are counted", "[cli][progress]") {
  const Progress progress = progress_of(session(
      {{"phase", "Running"},
       {"totalHosts", 3},
       {"stats", {{{"hostname", "host-0"}, {"phase", "Succeeded"}}, {{"hostname", "host-1"}, {"phase", "Running"}}}}}));
  CHECK(progress.hosts == "1/3");
  CHECK(progress_line(progress, 200) == "[########................]  1/3 hosts  Running");
}

TEST_CASE("a session that nobody has seen says whom it waits for", "[cli][progress]") {
  CHECK(progress_line(progress_of(session(Json::object())), 80) == "waiting for stash-controller");
  CHECK(fraction_of(progress_of(session(Json::object()))) == std::nullopt);
}

Json condition(const std::string& type, const std::string& message) {
  return {{"type", type}, {"status", "False"}, {"reason", "x"}, {"message", message}};
}

TEST_CASE("one that waits says why, in a sentence and in a word", "[cli][progress]") {
  const Json waiting = session({{"phase", "Pending"},
                                {"reason", "NotClaimed"},
                                {"conditions", {condition("Ready", "no pod has taken host-0")}}});
  CHECK(progress_line(progress_of(waiting), 80) == "Pending  no pod has taken host-0 (NotClaimed)");
  const Json older = session({{"phase", "Pending"}, {"conditions", {condition("Completed", "waits")}}});
  CHECK(progress_line(progress_of(older), 80) == "Pending  waits");
}

TEST_CASE("a session that was skipped says what stood in its way", "[cli][progress]") {
  const Json skipped = session(
      {{"phase", "Skipped"}, {"conditions", {condition("Ready", "over"), condition("BackupSkipped", "it is paused")}}});
  CHECK(verdict(skipped) == "BackupSession demo/web-1 Skipped: it is paused");
}

Json restore(const std::string& phase, const std::string& reason, const std::vector<Json>& hosts) {
  Json made = session({{"phase", phase}, {"reason", reason}, {"stats", hosts}});
  made["kind"] = "RestoreSession";
  return made;
}

Json host(const std::string& phase, int attempts) {
  return {{"hostname", "host-0"}, {"phase", phase}, {"attempts", attempts}};
}

TEST_CASE("a restore that failed has not ended while its pod has attempts left", "[cli][progress]") {
  const auto ended = [](const std::vector<Json>& hosts) {
    return has_ended(restore("Failed", "HostRestoreFailed", hosts));
  };
  CHECK_FALSE(ended({host("Failed", 1)}));
  CHECK_FALSE(ended({host("Failed", 4)}));
  CHECK_FALSE(ended({host("Failed", 5), host("Failed", 2)}));
  CHECK(ended({host("Failed", 5), host("Succeeded", 1)}));
  // Nothing was begun, so no pod waits with it.
  CHECK(ended({host("Failed", 0)}));
  CHECK(ended({}));
}

TEST_CASE("nobody waits for the attempts that are left past the deadline or behind a newer restore",
          "[cli][progress]") {
  CHECK(has_ended(restore("Failed", "Superseded", {host("Failed", 1)})));
  Json late = restore("Failed", "DeadlineExceeded", {host("Failed", 1)});
  late["status"]["conditions"] = Json::array({{{"type", "DeadlineExceeded"}, {"status", "True"}}});
  CHECK(has_ended(late));
}

TEST_CASE("a session ends in its phase when nothing is tried again", "[cli][progress]") {
  for (const char* phase : {"Succeeded", "Failed", "Skipped", "Unknown", "Invalid"})
    CHECK(has_ended(session({{"phase", phase}})));
  for (const char* phase : {"", "Pending", "Running"}) CHECK_FALSE(has_ended(session({{"phase", phase}})));
}

TEST_CASE("a restore that is tried again says which attempt it is", "[cli][progress]") {
  CHECK(progress_note(progress_of(restore("Running", "", {host("Running", 2)}))) ==
        "Running  0/1 hosts  attempt 2 of 5");
  CHECK(progress_note(progress_of(restore("Running", "", {host("Running", 1)}))) == "Running  0/1 hosts");
}

TEST_CASE("odd numbers do not break the bar", "[cli][progress]") {
  CHECK(fraction_of({.percent = "250%"}) == 1.0);
  CHECK(fraction_of({.percent = "x%"}) == std::nullopt);
  CHECK(fraction_of({.hosts = "0/0"}) == std::nullopt);
  CHECK(fraction_of({.hosts = "1/"}) == std::nullopt);
}

TEST_CASE("a long line is cut between characters", "[cli][progress]") {
  CHECK(progress_line({.phase = "Pending", .message = "ööö"}, 11) == "Pending  öö");
}

TEST_CASE("the end is told by host, without columns that say nothing", "[cli][progress]") {
  const Json ended =
      session({{"phase", "Succeeded"},
               {"sessionDuration", "4.2s"},
               {"stats",
                {{{"hostname", "host-0"},
                  {"phase", "Succeeded"},
                  {"duration", "3.04s"},
                  {"snapshots", {{{"name", "4f1e7c66"}, {"path", "/data"}, {"totalSize", "1.000 MiB"}}}}}}}});
  CHECK(render_hosts(ended, false) ==
        "HOST     PHASE       DURATION   SNAPSHOTS\n"
        "host-0   Succeeded   3s         4f1e7c66 of /data (1.000 MiB)\n");
  CHECK(verdict(ended) == "BackupSession demo/web-1 Succeeded after 4.2s");
}

TEST_CASE("a failure names its reason", "[cli][progress]") {
  CHECK(verdict(session({{"phase", "Failed"},
                         {"reason", "HostFailed"},
                         {"conditions", {condition("Completed", "host-0: wrong password")}}})) ==
        "BackupSession demo/web-1 Failed: host-0: wrong password (HostFailed)");
  CHECK(verdict(session({{"phase", "Failed"}, {"reason", "HostFailed"}})) ==
        "BackupSession demo/web-1 Failed: HostFailed");
}
