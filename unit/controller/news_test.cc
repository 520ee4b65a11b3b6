#include "controller/news.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

namespace {

Json with(Json object, std::string_view pointer, Json value) {
  object[Json::json_pointer(std::string(pointer))] = std::move(value);
  object["metadata"]["resourceVersion"] = "2";
  return object;
}

Json running_session() {
  Json session = a_backup_session().phase("Running").host("host-0", "Running").host("host-1", "Pending").json();
  session["metadata"]["resourceVersion"] = "1";
  session["status"]["stats"][0]["claim"] = {{"podName", "web-0"}, {"podUID", "uid-web-0"}};
  return session;
}

}  // namespace

TEST_CASE("how far a pod has come, and what the controller wrote itself, is no news of a session",
          "[controller][news][F24][I20]") {
  const Json before = running_session();
  CHECK_FALSE(is_news_of_session(before, with(before, "/status/stats/0/progress", {{"percentDone", 7}})));
  CHECK_FALSE(is_news_of_session(before, with(before, "/status/conditions", Json::array())));
  CHECK_FALSE(is_news_of_session(before, with(before, "/metadata/labels/added", "1")));
  CHECK_FALSE(is_news_of_session(before, with(before, "/status/stats/1/phase", "Running")));
}

TEST_CASE("a host's result, its hook, and an order of the author are news of a session",
          "[controller][news][F30][I6][I9]") {
  const Json before = running_session();
  CHECK(is_news_of_session(before, with(before, "/status/stats/0/phase", "Succeeded")));
  CHECK(is_news_of_session(before, with(before, "/status/stats/0/phase", "Failed")));
  const Json asked =
      with(before, "/status/stats/0/hook", {{"action", "preBackup"}, {"phase", "Requested"}, {"requestTime", "1"}});
  CHECK(is_news_of_session(before, asked));
  CHECK(is_news_of_session(asked, with(asked, "/status/stats/0/hook/phase", "Succeeded")));
  CHECK(is_news_of_session(before, with(before, "/metadata/deletionTimestamp", "2026-01-01T00:00:00Z")));
  CHECK(is_news_of_session(before, with(before, "/metadata/uid", "another")));
}

TEST_CASE("of a Repository that stays the numbers in the status are no news, all else is",
          "[controller][news][F24][I20]") {
  const Json before = a_repository().json();
  CHECK_FALSE(is_news_of_repository(before, with(before, "/status/snapshotCount", 7)));
  CHECK(is_news_of_repository(before, with(before, "/status/conditions", {{{"type", "Ready"}}})));
  CHECK(is_news_of_repository(before, with(before, "/metadata/generation", 7)));
  CHECK(is_news_of_repository(before, with(before, "/metadata/labels/added", "1")));
  const Json going = with(before, "/metadata/deletionTimestamp", "2026-01-01T00:00:00Z");
  CHECK(is_news_of_repository(going, with(going, "/status/snapshotCount", 7)));
}

TEST_CASE("of a BackupConfiguration's status only the withdrawal of the sidecar is news",
          "[controller][news][F24][I20]") {
  const Json before = a_backup_configuration().json();
  CHECK_FALSE(is_news_of_configuration(before, with(before, "/status/lastSuccessfulTime", "2026-01-01T00:00:00Z")));
  CHECK_FALSE(is_news_of_configuration(before, with(before, "/status/conditions", {{{"type", "Ready"}}})));
  CHECK(is_news_of_configuration(before, with(before, "/status/withdrawal", {{"phase", "Withdrawn"}})));
  CHECK(is_news_of_configuration(before, with(before, "/metadata/generation", 7)));
  CHECK(is_news_of_configuration(before, with(before, "/metadata/labels/added", "1")));
  CHECK(is_news_of_configuration(before, with(before, "/metadata/deletionTimestamp", "2026-01-01T00:00:00Z")));
}

TEST_CASE("a pod works as long as a host says that it has it", "[controller][news]") {
  Json session = running_session();
  CHECK(working_pods(session) == std::vector<std::string>{"uid-web-0"});
  session["status"]["stats"][0]["phase"] = "Succeeded";
  CHECK(working_pods(session).empty());
}
