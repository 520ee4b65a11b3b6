#include <catch2/catch.hpp>

#include "api/codec.h"

using namespace stash;
using namespace stash::api;

namespace {

template <class Kind>
IgnoredFields ignored(std::string_view spec) {
  return ignored_fields<Kind>(Json{{"spec", parse_json(spec).value()}});
}

using Pointers = std::vector<std::string>;

}  // namespace

TEST_CASE("fields of later releases are named, those that mean nothing here too", "[api][ignored]") {
  const auto fields = ignored<BackupConfiguration>(R"({
      "schedule": "* * * * *", "driver": "VolumeSnapshotter", "timeOut": "1h", "backupHistoryLimit": 3,
      "hooks": {"preBackup": {"exec": {"command": ["sync"]}, "sleep": {}}}, "retryConfig": {"maxRetry": 3}, "task": {"name": "t"},
      "interimVolumeTemplate": {"spec": {}}, "retentionPolicy": {"keepLast": 5, "keepForever": true},
      "target": {"alias": "a", "args": ["-v"], "replicas": 2, "snapshotClassName": "s", "exclude": ["*.tmp"],
                 "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w", "readOnly": true}]},
      "runtimeSettings": {"container": {"nice": {"adjustment": 5}, "resources": {"anything": {"goes": 1}}, "cpu": 1},
                          "pod": {"nodeSelector": {"a": "b"}, "tolerations": [{}], "priorityClassName": "p",
                                  "affinity": {"a": {}}, "serviceAccountName": "s", "enableServiceLinks": false}},
      "tempDir": {"size": "1Gi", "disableCaching": true}, "retention/Policy": {}})");
  CHECK(fields.not_yet == Pointers{"/spec/driver", "/spec/interimVolumeTemplate", "/spec/runtimeSettings/pod/affinity",
                                   "/spec/runtimeSettings/pod/enableServiceLinks", "/spec/target/alias",
                                   "/spec/target/args", "/spec/target/replicas", "/spec/target/snapshotClassName",
                                   "/spec/target/volumeMounts/1/readOnly", "/spec/task"});
  CHECK(fields.unknown == Pointers{"/spec/hooks/preBackup/sleep", "/spec/retention~1Policy",
                                   "/spec/retentionPolicy/keepForever", "/spec/runtimeSettings/container/cpu",
                                   "/spec/tempDir/size"});
}

TEST_CASE("the fields of a RestoreSession that nothing acts on are named", "[api][ignored]") {
  const auto fields = ignored<RestoreSession>(R"json({
      "driver": "Restic", "timeOut": "1h", "task": {"name": "t", "params": [{"name": "a", "value": "b"}]},
      "interimVolumeTemplate": {"spec": {}},
      "target": {"alias": "a", "args": ["-v"], "replicas": 2, "volumeClaimTemplates": [{}],
                 "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": true, "mountPropagation": "Bidirectional",
                                   "subPathExpr": "$(A)", "recursiveReadOnly": "Enabled"}]},
      "runtimeSettings": {"container": {"nice": {"adjustment": 5}, "env": [{"name": "A"}], "resources": {}},
                          "pod": {"nodeSelector": {"a": "b"}, "tolerations": [{}], "priorityClassName": "p",
                                  "serviceAccountName": "s", "imagePullSecrets": []}},
      "tempDir": {"sizeLimit": "1Gi", "disableCaching": true}})json");
  CHECK(fields.not_yet ==
        Pointers{"/spec/interimVolumeTemplate", "/spec/runtimeSettings/pod/nodeSelector",
                 "/spec/runtimeSettings/pod/priorityClassName", "/spec/runtimeSettings/pod/tolerations",
                 "/spec/target/alias", "/spec/target/args", "/spec/target/replicas",
                 "/spec/target/volumeClaimTemplates", "/spec/target/volumeMounts/0/mountPropagation",
                 "/spec/target/volumeMounts/0/readOnly", "/spec/target/volumeMounts/0/recursiveReadOnly",
                 "/spec/target/volumeMounts/0/subPathExpr", "/spec/task"});
  CHECK(fields.unknown.empty());
}

TEST_CASE("a field that asks for nothing is not named", "[api][ignored]") {
  CHECK(ignored<BackupConfiguration>(R"({"driver": "Restic", "hooks": {}, "task": null, "fromTheFuture": null,
      "target": {"alias": "", "replicas": 0, "args": [], "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": false}]}})") ==
        IgnoredFields{});
  CHECK(ignored<Repository>(
            R"({"wipeOut": false, "backend": {"storageSecretName": "s", "local": {"hostPath": {"path": "/x"}}}})") ==
        IgnoredFields{});
}

TEST_CASE("an older name beside its newer one is named when it says something else", "[api][ignored]") {
  CHECK(ignored<BackupConfiguration>(R"({"target": {"paths": ["/a"], "directories": ["/b"]}})").not_yet ==
        Pointers{"/spec/target/directories"});
  CHECK(ignored<BackupConfiguration>(R"({"target": {"paths": ["/a"], "directories": ["/a"]}})") == IgnoredFields{});
  CHECK(ignored<BackupConfiguration>(R"({"target": {"directories": ["/b"]}})") == IgnoredFields{});
  CHECK(ignored<RestoreSession>(R"({"target": {"rules": [{"sourceHost": "a"}]}, "rules": [{"sourceHost": "b"}]})")
            .not_yet == Pointers{"/spec/rules"});
}

TEST_CASE("every backend is acted on; a misspelt field of one is named", "[api][ignored]") {
  CHECK(ignored<Repository>(R"({"backend": {"gcs": {"bucket": "b", "folder": "x"}, "local": {"hostpath": {}}}})") ==
        IgnoredFields{{}, {"/spec/backend/gcs/folder", "/spec/backend/local/hostpath"}});
}

TEST_CASE("ignored fields of rules are named with their index", "[api][ignored]") {
  CHECK(ignored<RestoreSession>(
            R"({"rules": [{"paths": ["/a"]}, {"pahts": ["/b"]}], "hooks": {"preRestore": {"exec": {}}}})") ==
        IgnoredFields{{}, {"/spec/rules/1/pahts"}});
}

TEST_CASE("an object that is no object has no ignored fields", "[api][ignored]") {
  CHECK(ignored_fields<Repository>(Json(5)) == IgnoredFields{});
  CHECK(ignored_fields<Repository>(Json{{"spec", 5}}) == IgnoredFields{});
}
