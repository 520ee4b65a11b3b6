#include "controller/history.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "api/names.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

/// Newest first: {"c Running", "b Succeeded", ...}
Texts removed(const Texts& newest_first, int limit) {
  std::vector<api::BackupSession> sessions;
  for (std::size_t i = 0; i < newest_first.size(); ++i) {
    const std::string& text = newest_first[i];
    const auto blank = text.find(' ');
    sessions.push_back(
        a_backup_session(text.substr(0, blank)).created(kCreated - hours(i)).phase(text.substr(blank + 1)));
  }
  Texts names;
  for (const auto& meta : beyond_history(sessions, limit)) names.push_back(meta.name);
  return names;
}

}  // namespace

TEST_CASE("the newest sessions stay, as many as the limit says", "[controller][history]") {
  CHECK(removed({"c Succeeded", "b Failed", "a Succeeded"}, 2) == Texts{"a"});
  CHECK(removed({"c Succeeded", "b Failed", "a Succeeded"}, 3).empty());
}

TEST_CASE("a running session counts, but the last result stays visible", "[controller][history]") {
  CHECK(removed({"c Running", "b Succeeded", "a Succeeded"}, 2) == Texts{"a"});
  CHECK(removed({"c Running", "b Succeeded", "a Succeeded"}, 1) == Texts{"a"});
}

TEST_CASE("an unfinished session is never removed", "[controller][history]") {
  CHECK(removed({"d Succeeded", "c Running", "b Pending", "a "}, 1).empty());
}

TEST_CASE("a skipped session does not push out the result before it", "[controller][history]") {
  CHECK(removed({"b Skipped", "a Succeeded"}, 1).empty());
  CHECK(removed({"d Skipped", "c Skipped", "b Succeeded", "a Succeeded"}, 1) == Texts{"a", "c"});
}

TEST_CASE("a skipped session goes when a later one ran", "[controller][history]") {
  CHECK(removed({"b Succeeded", "a Skipped"}, 1) == Texts{"a"});
}

TEST_CASE("of two sessions of one second the one that ended later stays", "[controller][history][F54][I8]") {
  const auto ended_after = [](const std::string& name, seconds time) {
    return a_backup_session(name).phase("Succeeded").with([&](api::BackupSession& session) {
      session.status.conditions = {
          {.type = std::string(api::names::kCompleted), .status = "True", .last_transition = kCreated + time}};
    });
  };
  const auto gone = beyond_history({ended_after("b", seconds(1)), ended_after("a", seconds(7))}, 1);
  REQUIRE(gone.size() == 1);
  CHECK(gone.front().name == "b");
}

TEST_CASE("a session that was skipped for one of the same second stays", "[controller][history][F29][I8]") {
  for (const char* running : {"a", "z"}) {
    CHECK(beyond_history({a_backup_session(running).phase("Running"), a_backup_session("m").phase("Skipped")}, 1)
              .empty());
  }
}

TEST_CASE("a limit below one keeps the last result", "[controller][history]") {
  CHECK(removed({"b Succeeded", "a Succeeded"}, 0) == Texts{"a"});
  CHECK(removed({"b Succeeded", "a Succeeded"}, -3) == Texts{"a"});
}

TEST_CASE("a session is followed by a newer one that has ended as it has", "[controller][history]") {
  const auto at_hour = [](int hour, const char* phase) {
    return std::make_shared<const Json>(
        a_backup_session(fmt::format("s{}", hour)).created(kCreated + std::chrono::hours(hour)).phase(phase).json());
  };
  const auto ran = at_hour(1, "Succeeded"), skipped = at_hour(2, "Skipped"), running = at_hour(3, "Running");
  const auto failed = at_hour(4, "Failed"), skipped_later = at_hour(5, "Skipped");
  CHECK_FALSE(is_followed(*ran, {ran, skipped, running}));
  CHECK(is_followed(*ran, {ran, failed}));
  CHECK_FALSE(is_followed(*failed, {ran, failed, skipped_later}));
  CHECK(is_followed(*skipped, {skipped, failed, skipped_later}));
  CHECK_FALSE(is_followed(*skipped, {skipped, failed}));
  CHECK_FALSE(is_followed(*running, {failed}));
  CHECK_FALSE(is_followed(*ran, {at_hour(1, "Failed")}));
  Json going = *failed;
  going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK_FALSE(is_followed(*ran, {std::make_shared<const Json>(going)}));
}
