#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::api;

namespace {

template <class Kind>
Kind decoded(std::string_view text) {
  const Result<Kind> kind = decode<Kind>(parse_json(text).value());
  if (!kind) FAIL(kind.error().message);
  return *kind;
}

}  // namespace

TEST_CASE("a BackupConfiguration as Stash's guide has it", "[api][wire]") {
  const auto configuration = decoded<BackupConfiguration>(R"({
    "apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupConfiguration",
    "metadata": {"name": "deployment-backup", "namespace": "demo"},
    "spec": {
      "repository": {"name": "gcs-repo"},
      "schedule": "*/1 * * * *",
      "target": {
        "ref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "stash-demo"},
        "volumeMounts": [{"name": "source-data", "mountPath": "/source/data"}],
        "paths": ["/source/data"]},
      "retentionPolicy": {"name": "keep-last-5", "keepLast": 5, "prune": true}}})");
  BackupConfiguration expected;
  expected.metadata.name = "deployment-backup";
  expected.metadata.ns = "demo";
  expected.spec.repository = "gcs-repo";
  expected.spec.schedule = "*/1 * * * *";
  expected.spec.target = BackupTarget{
      {"apps/v1", "Deployment", "stash-demo"}, {"/source/data"}, {{"source-data", "/source/data", ""}}, {}};
  expected.spec.retention_policy.name = "keep-last-5";
  expected.spec.retention_policy.keep_last = 5;
  expected.spec.retention_policy.prune = true;
  CHECK(configuration == expected);
}

TEST_CASE("paths are also read from their older name, when there are none", "[api][wire]") {
  const auto paths = [](std::string_view target) {
    return decoded<BackupConfiguration>(fmt::format(R"({{"spec":{{"target":{}}}}})", target)).spec.target->paths;
  };
  CHECK(paths(R"({"directories":["/old"]})") == std::vector<std::string>{"/old"});
  CHECK(paths(R"({"directories":["/old"],"paths":[]})") == std::vector<std::string>{"/old"});
  CHECK(paths(R"({"directories":["/old"],"paths":["/new"]})") == std::vector<std::string>{"/new"});
}

TEST_CASE("a size limit may be a number", "[api][wire]") {
  CHECK(decoded<BackupConfiguration>(R"({"spec":{"tempDir":{"sizeLimit":1073741824}}})").spec.temp_dir.size_limit ==
        "1073741824");
  CHECK(decoded<BackupConfiguration>(R"({"spec":{"tempDir":{"sizeLimit":"1Gi"}}})").spec.temp_dir.size_limit == "1Gi");
}

TEST_CASE("a Repository keeps the volume source beside the mount path", "[api][wire]") {
  const auto repository = decoded<Repository>(R"({"spec":{"backend":{"storageSecretName":"s",
      "local":{"mountPath":"/safe/data","subPath":"a","nfs":{"server":"x","path":"/"}}}}})");
  CHECK(repository.spec.backend.local == LocalBackend{{{"nfs", {{"server", "x"}, {"path", "/"}}}}, "/safe/data", "a"});
  CHECK(backend_kind(repository.spec.backend) == "local");
}

TEST_CASE("a misspelt volume source is not handed on to a pod", "[api][wire]") {
  const auto repository =
      decoded<Repository>(R"({"spec":{"backend":{"local":{"mountPath":"/x","hostpath":{"path":"/"}}}}})");
  CHECK(repository.spec.backend.local->volume_source == Json::object());
}

TEST_CASE("the first backend of Stash's order wins", "[api][wire]") {
  CHECK(backend_kind(decoded<Repository>(R"({"spec":{"backend":{"rest":{},"b2":{},"s3":{}}}})").spec.backend) == "s3");
  CHECK(backend_kind(decoded<Repository>(R"({"spec":{"backend":{"rest":{},"swift":{}}}})").spec.backend) == "swift");
  CHECK(backend_kind(Backend{}) == "");
}

TEST_CASE("buckets are named differently on the wire", "[api][wire]") {
  const BucketBackend expected{"b", "/p", 3};
  CHECK(decoded<Repository>(R"({"spec":{"backend":{"gcs":{"bucket":"b","prefix":"/p","maxConnections":3}}}})")
            .spec.backend.gcs == expected);
  CHECK(decoded<Repository>(R"({"spec":{"backend":{"b2":{"bucket":"b","prefix":"/p","maxConnections":3}}}})")
            .spec.backend.b2 == expected);
  CHECK(decoded<Repository>(R"({"spec":{"backend":{"azure":{"container":"b","prefix":"/p","maxConnections":3}}}})")
            .spec.backend.azure == expected);
  CHECK(decoded<Repository>(R"({"spec":{"backend":{"swift":{"container":"b","prefix":"/p"}}}})").spec.backend.swift ==
        BucketBackend{"b", "/p", 0});
}

TEST_CASE("a Repository's size is read and written under both names", "[api][wire]") {
  CHECK(decoded<Repository>(R"({"status":{"size":"1 B"}})").status.total_size == "1 B");
  CHECK(decoded<Repository>(R"({"status":{"size":"1 B","totalSize":"2 B"}})").status.total_size == "2 B");
  RepositoryStatus status;
  status.total_size = "2 B";
  status.integrity = false;
  status.snapshot_count = 4;
  CHECK(encode_status(status) == Json{{"size", "2 B"},
                                      {"totalSize", "2 B"},
                                      {"integrity", false},
                                      {"snapshotCount", 4},
                                      {"snapshotsRemovedOnLastCleanup", 0}});
}

TEST_CASE("an observed generation may be a number or text with a hash", "[api][wire]") {
  CHECK(decoded<Repository>(R"({"status":{"observedGeneration":7}})").status.observed_generation == 7);
  CHECK(decoded<Repository>(R"({"status":{"observedGeneration":"7$123"}})").status.observed_generation == 7);
  CHECK(decoded<Repository>(R"({"status":{"observedGeneration":"$123"}})").status.observed_generation == 0);
  CHECK(decoded<Repository>(R"({"status":{"observedGeneration":"99999999999999999999"}})").status.observed_generation ==
        0);
}

TEST_CASE("what other releases keep in a status is read over and never written", "[api][wire]") {
  const auto repository = decoded<Repository>(R"({"status":{"snapshotCount":2,"backupCount":7,
      "lastSuccessfulBackupTime":"2019-08-22T10:00:00Z","lastBackupDuration":"2.9s"}})");
  CHECK(repository.status.snapshot_count == 2);
  CHECK(encode_status(repository.status) == Json{{"snapshotCount", 2}, {"snapshotsRemovedOnLastCleanup", 0}});

  const auto backup = decoded<BackupSession>(R"({"status":{"phase":"Running","observedGeneration":"2$1234",
      "sessionDeadline":"2023-01-01T00:00:00Z","targets":[{"ref":{"kind":"Deployment","name":"d","namespace":"demo"},
      "stats":[{"hostname":"host-0"}]}]}})");
  const Json written = encode_status(backup.status, {"apps/v1", "Deployment", "d"});
  CHECK(written["stats"] == Json::array({{{"hostname", "host-0"}}}));
  CHECK_FALSE(written.contains("observedGeneration"));
  CHECK_FALSE(written.contains("sessionDeadline"));
  CHECK_FALSE(written["targets"][0]["ref"].contains("namespace"));

  const auto restore = decoded<RestoreSession>(R"({"status":{"phase":"Running","observedGeneration":3,
      "sessionDeadline":"2023-01-01T00:00:00Z"}})");
  CHECK(encode_status(restore.status) == Json{{"phase", "Running"}});
  const auto kept = decoded<RestoreSession>(R"({"status":{"stats":[{"hostname":"host-0","phase":"Succeeded",
      "snapshots":[{"name":"abc","path":"/data"}]}]}})");
  CHECK(kept.status.stats.front().phase == "Succeeded");
}

TEST_CASE("a session's hosts are read from stats, or from its only target", "[api][wire]") {
  const auto old =
      decoded<BackupSession>(R"({"status":{"totalHosts":2,"stats":[{"hostname":"host-0","phase":"Succeeded",
      "duration":"2.9s","snapshots":[{"name":"12345678","directory":"/a","size":"1 B","uploaded":"2 B","processingTime":"0:01",
      "fileStats":{"totalFiles":4,"newFiles":3,"modifiedFiles":2,"unmodifiedFiles":1}}]}]}})");
  const HostStats host{"host-0", "Succeeded", {}, {{"12345678", "/a", "1 B", "2 B", "0:01", FileStats{4, 3, 2, 1}}},
                       "2.9s",   ""};
  CHECK(old.status.stats == std::vector{host});
  CHECK(old.status.total_hosts == 2);

  const auto later =
      decoded<BackupSession>(R"({"status":{"targets":[{"ref":{"kind":"Deployment","name":"d"},"totalHosts":2,
      "phase":"Running","stats":[{"hostname":"host-0","phase":"Succeeded","duration":"2.9s","snapshots":[{"name":"12345678",
      "path":"/a","totalSize":"1 B","uploaded":"2 B","processingTime":"0:01",
      "fileStats":{"totalFiles":4,"newFiles":3,"modifiedFiles":2,"unmodifiedFiles":1}}]}]}]}})");
  CHECK(later.status.stats == std::vector{host});
  CHECK(later.status.total_hosts == 2);

  // targets[] of our own sessions is a copy and may be behind.
  const auto both = decoded<BackupSession>(R"({"status":{"stats":[{"hostname":"h","phase":"Running"}],
      "targets":[{"stats":[{"hostname":"h","phase":"Pending"}]}]}})");
  CHECK(both.status.stats.front().phase == "Running");

  const auto batch =
      decoded<BackupSession>(R"({"status":{"targets":[{"stats":[{"hostname":"a"}]},{"stats":[{"hostname":"b"}]}]}})");
  CHECK(batch.status.stats.empty());
}

TEST_CASE("a session's status is written for older and newer readers", "[api][wire]") {
  BackupSessionStatus status{
      "Running", 1, "", {{"host-0", "Running", Claim{"p", "u", stash::test::kCreated}, {}, "", ""}}, {}};
  const Json host{{"hostname", "host-0"},
                  {"phase", "Running"},
                  {"claim", {{"podName", "p"}, {"podUID", "u"}, {"heartbeatTime", "2023-11-14T22:13:20Z"}}}};
  CHECK(encode_host(status.stats.front()) == host);
  CHECK(encode_status(status, stash::test::kTarget) ==
        Json{{"phase", "Running"},
             {"totalHosts", 1},
             {"stats", {host}},
             {"targets",
              Json::array({{{"ref", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "stash-demo"}}},
                            {"totalHosts", 1},
                            {"phase", "Running"},
                            {"stats", {host}}}})}});
}

TEST_CASE("a snapshot is written with both names of its size and all its file numbers", "[api][wire]") {
  const HostStats host{"h",  "Succeeded", {}, {{"12345678", "/a", "1 B", "0 B", "0:01", FileStats{1, 0, 0, 1}}},
                       "1s", ""};
  CHECK(encode_host(host) ==
        Json{{"hostname", "h"},
             {"phase", "Succeeded"},
             {"duration", "1s"},
             {"snapshots",
              Json::array({{{"name", "12345678"},
                            {"path", "/a"},
                            {"size", "1 B"},
                            {"totalSize", "1 B"},
                            {"uploaded", "0 B"},
                            {"processingTime", "0:01"},
                            {"fileStats",
                             {{"totalFiles", 1}, {"newFiles", 0}, {"modifiedFiles", 0}, {"unmodifiedFiles", 1}}}}})}});
}

TEST_CASE("a session that we create says to whom it belongs in every release's way", "[api][wire]") {
  CHECK(encode(stash::test::a_backup_session("s", "app").build()) ==
        Json{{"apiVersion", "stash.appscode.com/v1beta1"},
             {"kind", "BackupSession"},
             {"metadata",
              {{"name", "s"},
               {"namespace", "demo"},
               {"labels",
                {{"app.kubernetes.io/component", "stash-backup"},
                 {"app.kubernetes.io/managed-by", "stash.appscode.com"},
                 {"stash.appscode.com/backup-configuration", "app"},
                 {"stash.appscode.com/invoker-type", "BackupConfiguration"},
                 {"stash.appscode.com/invoker-name", "app"}}}}},
             {"spec",
              {{"backupConfiguration", {{"name", "app"}}},
               {"invoker", {{"apiGroup", "stash.appscode.com"}, {"kind", "BackupConfiguration"}, {"name", "app"}}}}}});
}

TEST_CASE("rules of a RestoreSession are read from its target first", "[api][wire]") {
  const auto sources = [](std::string_view spec) {
    std::vector<std::string> sources;
    for (const RestoreRule& rule : decoded<RestoreSession>(fmt::format(R"({{"spec":{}}})", spec)).spec.rules) {
      sources.push_back(rule.source_host);
    }
    return sources;
  };
  using Sources = std::vector<std::string>;
  CHECK(sources(R"({"rules":[{"sourceHost":"a"}]})") == Sources{"a"});
  CHECK(sources(R"({"rules":[{"sourceHost":"a"}],"target":{"rules":[]}})") == Sources{"a"});
  CHECK(sources(R"({"rules":[{"sourceHost":"a"}],"target":{"rules":[{"sourceHost":"b"},{"sourceHost":"c"}]}})") ==
        Sources{"b", "c"});
}

TEST_CASE("a rule is read whole", "[api][wire]") {
  const auto session =
      decoded<RestoreSession>(R"({"spec":{"rules":[{"targetHosts":["host-3","host-4"],"sourceHost":"host-1",
      "paths":["/source/data"],"snapshots":["12345678"],"include":["*.a"],"exclude":["*.b"]},{"targetHosts":[],"sourceHost":""}]}})");
  CHECK(
      session.spec.rules ==
      std::vector<RestoreRule>{{{"host-3", "host-4"}, "host-1", {"12345678"}, {"/source/data"}, {"*.a"}, {"*.b"}}, {}});
}

TEST_CASE("a restore that needs jobs is recognised", "[api][wire]") {
  const auto has_jobs = [](std::string_view target) {
    return decoded<RestoreSession>(fmt::format(R"({{"spec":{{"target":{}}}}})", target)).spec.target->has_jobs;
  };
  CHECK_FALSE(has_jobs("{}"));
  CHECK_FALSE(has_jobs(R"({"volumeClaimTemplates":[],"replicas":null})"));
  CHECK(has_jobs(R"({"replicas":3})"));
  CHECK(has_jobs(R"({"volumeClaimTemplates":[{}]})"));
}
