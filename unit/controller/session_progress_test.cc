#include "controller/session_progress.h"

#include <catch2/catch.hpp>

#include "api/codec.h"
#include "api/names.h"
#include "controller/plan.h"
#include "controller/reasons.h"

using namespace stash;
using namespace stash::controller;

namespace {

Json host(std::string_view phase, Json progress = nullptr) {
  Json host = {{"hostname", "host"}, {"phase", phase}};
  if (!progress.is_null()) host["progress"] = std::move(progress);
  return host;
}

StatusDraft status_of(std::string_view phase) { return {{{"status", {{"phase", phase}}}}, {}, TimePoint{}}; }

}  // namespace

TEST_CASE("a host at work shows percent, bytes, the time that remains and its step", "[controller][progress]") {
  const Json stats = {host("Running", {{"step", "backup /data"},
                                       {"percentDone", 42},
                                       {"bytesDone", 3 << 20},
                                       {"totalBytes", 7 << 20},
                                       {"secondsRemaining", 70}})};
  CHECK(session_progress(stats, 1) ==
        api::SessionProgress{"0/1", "42%", "3.000 MiB / 7.000 MiB", "1m10s", "backup /data"});
}

TEST_CASE("hosts are averaged, and while one has not begun nobody knows how long it takes", "[controller][progress]") {
  const Json running =
      host("Running", {{"percentDone", 50}, {"bytesDone", 5}, {"totalBytes", 10}, {"secondsRemaining", 7}});
  const Json done = host("Succeeded", {{"percentDone", 100}, {"bytesDone", 10}, {"totalBytes", 10}});
  CHECK(session_progress({running, done, host("Pending")}, 4) ==
        api::SessionProgress{"1/4", "37%", "15 B / 20 B", "", ""});
  CHECK(session_progress({running, done}, 2).remaining == "7s");
}

TEST_CASE("when all have ended only what was done is told", "[controller][progress]") {
  const Json done = host("Succeeded", {{"bytesDone", 10}, {"totalBytes", 10}});
  CHECK(session_progress({done, done}, 2) == api::SessionProgress{"2/2", "100%", "20 B", "", ""});
}

TEST_CASE("a host that failed has done what it had done, and nothing when it never told", "[controller][progress]") {
  const Json done = host("Succeeded", {{"bytesDone", 10}, {"totalBytes", 10}});
  const Json broke_off = host("Failed", {{"percentDone", 30}, {"bytesDone", 3}, {"totalBytes", 10}});
  CHECK(session_progress(Json::array({broke_off}), 1) == api::SessionProgress{"1/1", "30%", "3 B", "", ""});
  CHECK(session_progress({done, broke_off}, 2) == api::SessionProgress{"2/2", "65%", "13 B", "", ""});
  CHECK(session_progress(Json::array({host("Failed")}), 1) == api::SessionProgress{"1/1", "0%", "", "", ""});
  CHECK(session_progress({done, host("Failed")}, 2).percent == "50%");
}

TEST_CASE("a sidecar that tells no progress leaves it open", "[controller][progress][F84][I8]") {
  CHECK(session_progress({host("Running"), host("Pending")}, 2) == api::SessionProgress{"0/2", "", "", "", ""});
  CHECK(session_progress(Json::array(), 0) == api::SessionProgress{});
}

TEST_CASE("forged numbers give no nonsense", "[controller][progress][F77][I17]") {
  const Json forged =
      host("Running",
           {{"percentDone", 4'000'000'000}, {"bytesDone", -5}, {"totalBytes", "many"}, {"secondsRemaining", 1e300}});
  CHECK(session_progress({forged, 7, nullptr}, 1).percent == "33%");
}

TEST_CASE("the reason of a session is one word, and none that repeats the phase", "[controller][progress]") {
  StatusDraft succeeded = status_of("Succeeded");
  succeeded.set(api::names::kCompleted, "True", "Succeeded", "1 of 1");
  CHECK(session_reason(succeeded, reasons::kHostBackupFailed).empty());

  StatusDraft failed = status_of("Failed");
  failed.set(api::names::kCompleted, "True", "Failed", "host-0: wrong password");
  CHECK(session_reason(failed, reasons::kHostBackupFailed) == "FailedHostBackup");
  failed.set(api::names::kCompleted, "True", reasons::kDeadline, "too late");
  CHECK(session_reason(failed, reasons::kHostBackupFailed) == "DeadlineExceeded");

  StatusDraft skipped = status_of("Skipped");
  skipped.set(api::names::kBackupSkipped, "True", reasons::kPaused, "paused");
  skipped.set(api::names::kCompleted, "True", "Skipped", "paused");
  CHECK(session_reason(skipped, reasons::kHostBackupFailed) == "Paused");

  StatusDraft running = status_of("Running");
  running.set(api::names::kCompleted, "False", reasons::kRunning, "a pod works");
  CHECK(session_reason(running, reasons::kHostBackupFailed).empty());
  StatusDraft waiting = status_of("Pending");
  waiting.set(api::names::kCompleted, "False", reasons::kScaledToZero, "no replicas");
  CHECK(session_reason(waiting, reasons::kHostBackupFailed) == "ScaledToZero");
}

TEST_CASE("what is not known any more goes from the status", "[controller][progress]") {
  StatusDraft status = status_of("Succeeded");
  status.json["reason"] = "Running";
  status.json["progress"] = {{"hosts", "0/1"}, {"step", "check"}};
  set_progress(status, Json::array({host("Succeeded")}), 1, reasons::kHostBackupFailed);
  CHECK_FALSE(status.json.contains("reason"));
  CHECK(status.json["progress"] == Json{{"hosts", "1/1"}, {"percent", "100%"}});
}

TEST_CASE("what the progress no longer has is taken away, for a patch of an object is merged into what is there",
          "[controller][session_progress][I5]") {
  const Json session = {
      {"metadata", {{"namespace", "demo"}, {"name", "s"}, {"resourceVersion", "1"}}},
      {"status",
       {{"phase", "Running"}, {"progress", {{"hosts", "0/1"}, {"step", "init"}, {"remaining", "3m"}, {"later", 1}}}}}};
  Plan plan;
  write_status(plan, api::kBackupSessions, session,
               {{"phase", "Succeeded"}, {"progress", {{"hosts", "1/1"}, {"percent", "100%"}, {"later", 1}}}});
  REQUIRE(plan.writes.size() == 1);
  Json patched = session;
  patched.merge_patch(plan.writes[0].body);
  CHECK(patched["status"]["progress"] == Json{{"hosts", "1/1"}, {"percent", "100%"}, {"later", 1}});
}
