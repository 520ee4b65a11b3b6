#include "unit/support/metrics_document.h"

#include <catch2/catch.hpp>

#include "sidecar/metrics_text.h"

using namespace stash;
using namespace stash::sidecar;

TEST_CASE("docs/metrics.md says type, labels and help of what hosts push", "[sidecar][metrics]") {
  const MetricLabels labels{"Restic", {"apps/v1", "Deployment", "web"}, "demo", "repo", "host-0"};
  const BackupMetrics backup{true, true, std::chrono::milliseconds(2500), 10485766, 4096, 1.5, {7, 1, 2, 4}};
  INFO("docs/metrics.md is out of date; run: make golden");
  CHECK(test::wrong_rows(render_backup_metrics(labels, backup, RepositoryMetrics{"s3", "b", "a", true, 99, 5, 1})) ==
        std::vector<std::string>{});
  CHECK(test::wrong_rows(render_restore_metrics(labels, true, std::chrono::seconds(1))) == std::vector<std::string>{});
}
