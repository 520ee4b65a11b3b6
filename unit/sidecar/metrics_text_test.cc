#include "sidecar/metrics_text.h"

#include <catch2/catch.hpp>

namespace stash::sidecar {
namespace {

const MetricLabels kLabels{"Restic", {"apps/v1", "Deployment", "we\"b"}, "demo", "repo", "host-0"};

TEST_CASE("a host's metrics carry Stash's names and labels", "[sidecar][metrics]") {
  BackupMetrics backup;
  backup.success = true;
  backup.duration = std::chrono::milliseconds(2500);
  backup.size_bytes = 10485766;
  const std::string text =
      render_backup_metrics(kLabels, backup, RepositoryMetrics{"local", true, 99, 5, std::nullopt});
  const std::string labels =
      R"({driver="Restic",kind="Deployment",group="apps",name="we\"b",namespace="demo",repository="repo",hostname="host-0"})";
  CHECK(text.find("# TYPE stash_backup_host_backup_success gauge\nstash_backup_host_backup_success" + labels +
                  " 1\n") != std::string::npos);
  CHECK(text.find("stash_backup_host_backup_duration_seconds" + labels + " 2.5\n") != std::string::npos);
  CHECK(text.find("stash_backup_host_data_size_bytes" + labels + " 10485766\n") != std::string::npos);
  CHECK(text.find("stash_repository_integrity{name=\"repo\",namespace=\"demo\",backend=\"local\"} 1\n") !=
        std::string::npos);
  CHECK(text.find("stash_repository_snapshot_cleaned") == std::string::npos);
  CHECK(text.ends_with("\n"));
}

TEST_CASE("a failed backup pushes no sizes", "[sidecar][metrics]") {
  const std::string text = render_backup_metrics(kLabels, {}, std::nullopt);
  CHECK(text.find("stash_backup_host_backup_success{") != std::string::npos);
  CHECK(text.find("data_size") == std::string::npos);
  CHECK(text.find("stash_repository") == std::string::npos);
}

TEST_CASE("a restore's metrics", "[sidecar][metrics]") {
  CHECK(render_restore_metrics(kLabels, false, {}).find("stash_restore_host_restore_success{") != std::string::npos);
}

TEST_CASE("each object and host is a group of its own at the Pushgateway", "[sidecar][metrics]") {
  CHECK(push_url("http://gw:56789/", "app", "demo", "host-0") ==
        "http://gw:56789/metrics/job/app/namespace/demo/hostname/host-0");
  CHECK(push_url("http://gw", "a/b", "demo", "") ==
        "http://gw/metrics/job@base64/YS9i/namespace/demo/hostname@base64/=");
}

}  // namespace
}  // namespace stash::sidecar
