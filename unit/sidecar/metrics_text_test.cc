#include "sidecar/metrics_text.h"

#include <catch2/catch.hpp>
#include <sstream>

namespace stash::sidecar {
namespace {

const MetricLabels kLabels{"Restic", {"apps/v1", "Deployment", "we\"b"}, "demo", "repo", "host-0"};

/// "name{labels} value" lines, without HELP and TYPE.
std::vector<std::string> samples(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream input(text);
  for (std::string line; std::getline(input, line);) {
    if (!line.starts_with('#')) lines.push_back(line);
  }
  return lines;
}
/// Each name of a sample has been introduced as a gauge, with a help text.
void check_format(const std::string& text) {
  for (const std::string& sample : samples(text)) {
    const std::string name = sample.substr(0, sample.find('{'));
    CHECK(text.find("# TYPE " + name + " gauge\n" + name) != std::string::npos);
    CHECK(text.find("# HELP " + name + " ") != std::string::npos);
  }
  CHECK(text.ends_with("\n"));
}

const std::string kHost =
    R"({driver="Restic",kind="Deployment",group="apps",name="we\"b",namespace="demo",repository="repo",hostname="host-0"} )";
const std::string kRepository = R"({name="repo",namespace="demo",backend="s3",bucket="b",prefix="a/b"} )";
const RepositoryMetrics kIntact{"s3", "b", "a/b", true, 99, 5, 1};

TEST_CASE("a backup's metrics carry all of Stash's names and labels", "[sidecar][metrics]") {
  BackupMetrics backup{true, true, std::chrono::milliseconds(2500), 10485766, 4096, 1.5, {7, 1, 2, 4}};
  const std::string text = render_backup_metrics(kLabels, backup, kIntact);
  check_format(text);
  CHECK(samples(text) == std::vector<std::string>{
                             "stash_backup_setup_success" + kHost + "1",
                             "stash_backup_host_backup_success" + kHost + "1",
                             "stash_backup_host_backup_duration_seconds" + kHost + "2.5",
                             "stash_backup_host_data_size_bytes" + kHost + "10485766",
                             "stash_backup_host_data_uploaded_bytes" + kHost + "4096",
                             "stash_backup_host_data_processing_time_seconds" + kHost + "1.5",
                             "stash_backup_host_files_total" + kHost + "7",
                             "stash_backup_host_files_new" + kHost + "1",
                             "stash_backup_host_files_modified" + kHost + "2",
                             "stash_backup_host_files_unmodified" + kHost + "4",
                             "stash_repository_integrity" + kRepository + "1",
                             "stash_repository_size_bytes" + kRepository + "99",
                             "stash_repository_snapshot_count" + kRepository + "5",
                             "stash_repository_snapshot_cleaned" + kRepository + "1",
                         });
}

TEST_CASE("a failed backup pushes no sizes of its own, but what is known of the repository", "[sidecar][metrics]") {
  const std::string text = render_backup_metrics(kLabels, {true, false, std::chrono::seconds(3)}, kIntact);
  check_format(text);
  CHECK(samples(text) == std::vector<std::string>{
                             "stash_backup_setup_success" + kHost + "1",
                             "stash_backup_host_backup_success" + kHost + "0",
                             "stash_backup_host_backup_duration_seconds" + kHost + "3",
                             "stash_repository_integrity" + kRepository + "1",
                             "stash_repository_size_bytes" + kRepository + "99",
                             "stash_repository_snapshot_count" + kRepository + "5",
                             "stash_repository_snapshot_cleaned" + kRepository + "1",
                         });
  CHECK(samples(render_backup_metrics(kLabels, {}, std::nullopt)) ==
        std::vector<std::string>{"stash_backup_setup_success" + kHost + "0",
                                 "stash_backup_host_backup_success" + kHost + "0",
                                 "stash_backup_host_backup_duration_seconds" + kHost + "0"});
}

TEST_CASE("a restore's metrics carry Stash's names and labels", "[sidecar][metrics]") {
  const std::string text = render_restore_metrics(kLabels, true, std::chrono::seconds(4));
  check_format(text);
  CHECK(samples(text) == std::vector<std::string>{"stash_restore_host_restore_success" + kHost + "1",
                                                  "stash_restore_host_restore_duration_seconds" + kHost + "4"});
  CHECK(samples(render_restore_metrics(kLabels, false, {}))[0] == "stash_restore_host_restore_success" + kHost + "0");
}

TEST_CASE("a repository's metrics say what its status knows, and never a password", "[sidecar][metrics]") {
  api::Repository repository;
  repository.spec.backend.local = api::LocalBackend{Json::object(), "/safe/data", "/sub/"};
  CHECK(repository_metrics(repository).prefix == "/safe/data/sub");
  CHECK(repository_metrics(repository).snapshots == std::nullopt);
  repository.status.last_backup_time = TimePoint{};
  repository.status.snapshot_count = 4;
  repository.status.total_size = "1.500 KiB";
  const RepositoryMetrics metrics = repository_metrics(repository);
  CHECK(metrics.backend == "local");
  CHECK(metrics.bucket.empty());
  CHECK(metrics.snapshots == 4);
  CHECK(metrics.removed == 0);
  CHECK(metrics.size_bytes == 1536u);
  for (const char* junk : {"", "x", "1", "1 XB", "-1 B", "1e300 B"}) {
    repository.status.total_size = junk;
    CHECK(repository_metrics(repository).size_bytes == std::nullopt);
  }

  api::Repository cloud;
  cloud.spec.backend.b2 = api::BucketBackend{"bucket", "a/b", 0};
  CHECK(repository_metrics(cloud).bucket == "bucket");
  CHECK(repository_metrics(cloud).prefix == "a/b");
  api::Repository rest;
  rest.spec.backend.rest = api::RestBackend{"https://user:canary@host:8000/a/b/"};
  CHECK(repository_metrics(rest).bucket == "host:8000");
  CHECK(repository_metrics(rest).prefix == "a/b");
  rest.spec.backend.rest = api::RestBackend{"https://user:can/ary@host/a"};
  CHECK(repository_metrics(rest).bucket.empty());
  CHECK(repository_metrics(rest).prefix.empty());
}

TEST_CASE("each object and host is a group of its own at the Pushgateway", "[sidecar][metrics]") {
  CHECK(push_url("http://gw:56789/", "app", "demo", "host-0") ==
        "http://gw:56789/metrics/job/app/namespace/demo/hostname/host-0");
  CHECK(push_url("http://gw", "a/b", "demo", "") ==
        "http://gw/metrics/job@base64/YS9i/namespace/demo/hostname@base64/=");
}

}  // namespace
}  // namespace stash::sidecar
