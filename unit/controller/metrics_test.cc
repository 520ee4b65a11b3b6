#include "controller/metrics.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

namespace {

using namespace stash;
using namespace stash::controller;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("each object has a line per metric, under one heading", "[controller][metrics]") {
  Metrics metrics;
  ObjectGauges objects;
  objects.backups = {{.ns = "a",
                      .name = "x",
                      .repository = "r",
                      .target_kind = "Deployment",
                      .target_name = "w",
                      .info = 1,
                      .missed_schedules = 2},
                     {.ns = "b", .name = "x", .missed_schedules = 0}};
  objects.repositories = {{.ns = "a", .name = "r", .size = 1500}};
  const std::string text = metrics.render(objects, true);
  CHECK(contains(text,
                 "# TYPE stash_backup_configuration_missed_schedules gauge\n"
                 "stash_backup_configuration_missed_schedules{namespace=\"a\",name=\"x\"} 2\n"
                 "stash_backup_configuration_missed_schedules{namespace=\"b\",name=\"x\"} 0\n"));
  CHECK(contains(text,
                 "stash_backup_configuration_info{namespace=\"a\",name=\"x\",repository=\"r\","
                 "target_kind=\"Deployment\",target_name=\"w\"} 1\n"));
  CHECK(contains(text, "stash_repository_status_size_bytes{namespace=\"a\",name=\"r\"} 1500\n"));
  CHECK_FALSE(contains(text, "stash_backup_configuration_last_success"));
}

TEST_CASE("the lines of an object go with it", "[controller][metrics]") {
  Metrics metrics;
  ObjectGauges objects;
  objects.backups = {{.ns = "a", .name = "x", .ready = 1}};
  CHECK(contains(metrics.render(objects, true), "stash_backup_configuration_ready"));
  CHECK_FALSE(contains(metrics.render({}, true), "stash_backup_configuration_ready"));
}

TEST_CASE("the controller's own work is counted", "[controller][metrics]") {
  Metrics metrics;
  metrics.count_reconcile("BackupSession", "conflict", std::chrono::milliseconds(4));
  metrics.set_queue_depth("BackupSession", 2, 7);
  metrics.count_api_call("patch", "409");
  const std::string text = metrics.render({}, false);
  CHECK(contains(text, "stash_controller_reconciles_total{kind=\"BackupSession\",result=\"conflict\"} 1\n"));
  CHECK(contains(text, "stash_controller_reconcile_duration_seconds_bucket{kind=\"BackupSession\",le=\"0.005\"} 1\n"));
  CHECK(contains(text, "stash_controller_queue_depth{kind=\"BackupSession\",state=\"due\"} 2\n"));
  CHECK(contains(text, "stash_controller_queue_depth{kind=\"BackupSession\",state=\"delayed\"} 7\n"));
  CHECK(contains(text, "stash_controller_api_requests_total{code=\"409\",verb=\"patch\"} 1\n"));
  CHECK(contains(text, "stash_controller_synced 0\n"));
}
