#include "unit/support/metrics_document.h"

#include <catch2/catch.hpp>

#include "controller/metrics.h"
#include "controller/session_metrics.h"
#include "unit/support/objects.h"

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

namespace {

/// With a value for everything that it can tell.
template <class Object>
Object telling_all(std::span<const GaugeOf<Object>> gauges) {
  Object object{.ns = "demo", .name = "x"};
  for (const GaugeOf<Object>& gauge : gauges) object.*gauge.value = 1;
  return object;
}

}  // namespace

TEST_CASE("docs/metrics.md says type, labels and help of the controller's metrics", "[controller][metrics]") {
  Metrics metrics;
  metrics.count_reconcile("BackupSession", "ok", std::chrono::milliseconds(4));
  metrics.set_queue_depth("BackupSession", 2, 7);
  metrics.count_api_call("patch", "409");
  ObjectGauges objects;
  objects.backups = {telling_all(backup_gauges())};
  objects.repositories = {telling_all(repository_gauges())};
  INFO("docs/metrics.md is out of date; run: make golden");
  CHECK(wrong_rows(metrics.render(objects, true)) == std::vector<std::string>{});
}

TEST_CASE("docs/metrics.md says type, labels and help of the sessions' metrics", "[controller][metrics]") {
  const auto ended = [](auto session) {
    return session.phase("Succeeded").with([](auto& s) { s.status.session_duration = "1m5s"; });
  };
  INFO("docs/metrics.md is out of date; run: make golden");
  CHECK(wrong_rows(render_session_metrics(ended(a_backup_session()), a_backup_configuration()).value()) ==
        std::vector<std::string>{});
  CHECK(wrong_rows(render_session_metrics(ended(a_restore_session())).value()) == std::vector<std::string>{});
}
