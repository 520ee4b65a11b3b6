"""The CRDs in a real kube-apiserver: what it accepts, what it refuses and with which words, what it keeps and shows."""
import json
import subprocess

import pytest

from stash_e2e import paths
from stash_e2e.kube import CommandFailed

ALPHA, BETA = "stash.appscode.com/v1alpha1", "stash.appscode.com/v1beta1"


def make(ns, kind, spec, name="x", version=BETA, **more):
    return dict({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": ns}, "spec": spec}, **more)


def repository(ns, backend, **more):
    return make(ns, "Repository", dict({"backend": dict(backend, storageSecretName="secret")}, **more), version=ALPHA)


def restore(ns, rules, target=None):
    return make(ns, "RestoreSession", {"repository": {"name": "r"}, "rules": rules, **({"target": target} if target else {})})


def refusal(kube, manifest):
    with pytest.raises(CommandFailed) as refused:
        kube.apply(manifest)
    return str(refused.value)


def patch(kube, ns, kind, name, change, *more):
    return kube.kubectl("patch", kind, name, "-n", ns, "--type=merge", "-p", json.dumps(change), *more)


def table(kube, ns, kind, *more):
    """{column: cell} of the only object of that kind."""
    head, row = kube.kubectl("get", kind, "-n", ns, *more).splitlines()
    starts = [i for i, c in enumerate(head) if c != " " and (i == 0 or head[i - 1] == " ")] + [None]
    return {head[a:b].strip(): row[a:b].strip() for a, b in zip(starts, starts[1:])}


BACKENDS = [
    {"local": {"mountPath": "/safe/data", "hostPath": {"path": "/data"}}},
    {"local": {"mountPath": "/safe/data", "persistentVolumeClaim": {"claimName": "repo"}, "subPath": "a/b"}},
    {"local": {"mountPath": "/safe/data", "nfs": {"server": "nfs.demo.svc", "path": "/"}}},
    {"local": {"mountPath": "/safe/data", "storageos": {"volumeName": "v", "fsType": "ext4"}}},
    {"local": {"mountPath": "/stashed", "emptyDir": {}}},
    {"s3": {"endpoint": "http://minio.demo.svc:9000", "bucket": "b", "prefix": "/p", "region": "eu"}},
    {"gcs": {"bucket": "b", "prefix": "/p", "maxConnections": 3}},
    {"azure": {"container": "c", "prefix": "/p", "maxConnections": 3}},
    {"swift": {"container": "c", "prefix": "/p"}},
    {"b2": {"bucket": "b", "prefix": "/p"}},
    {"rest": {"url": "http://rest.demo.svc:8000/x"}},
]


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: "-".join([*b, *list(b.values())[0]][:3]))
def test_every_backend_is_accepted(kube, ns, backend, webhook):
    kube.apply(repository(ns, backend))


def test_a_repository_is_served_in_both_versions(kube, ns):
    kube.apply(repository(ns, {"gcs": {"bucket": "b"}}))
    for version in ("v1alpha1", "v1beta1"):
        found = json.loads(kube.raw(f"/apis/stash.appscode.com/{version}/namespaces/{ns}/repositories/x"))
        assert found["spec"]["backend"]["gcs"] == {"bucket": "b"}


@pytest.mark.parametrize("spec, words", [
    (({"local": {"mountPath": "/safe", "hostPath": {"path": "/d"}}}, {"wipeOut": True}), "wipeOut cannot be true with a local backend"),
    (({"b2": {"bucket": "b"}}, {"wipeOut": True}), "wipeOut cannot be true with a b2 backend"),
    (({"local": {"mountPath": "/stash", "hostPath": {"path": "/d"}}}, {}), "must not be /stash or below it"),
    (({"local": {"mountPath": "/stash/data", "hostPath": {"path": "/d"}}}, {}), "must not be /stash or below it"),
])
def test_a_repository_that_cannot_work_is_refused_with_a_reason(kube, ns, spec, words):
    backend, more = spec
    assert words in refusal(kube, repository(ns, backend, **more))


def test_wipe_out_of_a_cloud_backend_is_accepted(kube, ns):
    kube.apply(repository(ns, {"gcs": {"bucket": "b"}}, wipeOut=True))


@pytest.mark.parametrize("rules, words", [
    ([{"paths": ["/a"]}, {"targetHosts": [], "paths": ["/b"]}], "only one rule may have empty targetHosts"),
    ([{"targetHosts": ["h0", "h1"]}, {"targetHosts": ["h1"]}], "a host is in targetHosts of two rules"),
    ([{"targetHosts": ["h0", "h0"]}], "Duplicate value"),
    ([{"paths": ["/a"], "snapshots": ["12345678"]}], "cannot have both snapshots and paths"),
])
@pytest.mark.parametrize("place", ["rules", "target.rules"])
def test_contradicting_rules_are_refused_with_a_reason(kube, ns, rules, words, place):
    manifest = restore(ns, rules) if place == "rules" else restore(ns, [], {"rules": rules})
    assert words in refusal(kube, manifest)


def test_many_rules_and_hosts_are_accepted(kube, ns):
    kube.apply(restore(ns, [{"targetHosts": [f"web-{i}"], "sourceHost": f"web-{49 - i}", "paths": ["/d"]} for i in range(49)]
                       + [{"paths": ["/d"]}]))
    hosts = [[f"gke-demo-pool-1-{r}-{i}" for i in range(50)] for r in range(10)]
    kube.apply(dict(restore(ns, [{"targetHosts": h, "paths": ["/d"]} for h in hosts]), metadata={"name": "y", "namespace": ns}))


@pytest.mark.parametrize("kind, spec, change", [
    ("RestoreSession", {"repository": {"name": "r"}, "rules": [{"paths": ["/a"]}]}, {"rules": [{"paths": ["/b"]}]}),
    ("RestoreSession", {"repository": {"name": "r"}}, {"fromTheFuture": {"a": 1}}),
    ("RestoreSession", {"fromTheFuture": {"a": 1}}, {"fromTheFuture": {"a": 2}}),
    ("RestoreSession", {"repository": {"name": "r"}}, {"timeOut": "5m"}),
    ("BackupSession", {"invoker": {"kind": "BackupConfiguration", "name": "c"}}, {"invoker": {"name": "d"}}),
], ids=["rules", "unknown", "unknown-value", "known", "backup"])
def test_the_spec_of_a_session_is_immutable(kube, ns, kind, spec, change):
    kube.apply(make(ns, kind, spec))
    with pytest.raises(CommandFailed, match="spec: Invalid value.*spec is immutable"):
        patch(kube, ns, kind.lower(), "x", {"spec": change})
    with pytest.raises(CommandFailed, match="spec is immutable"):
        patch(kube, ns, kind.lower(), "x", {"spec": None})
    patch(kube, ns, kind.lower(), "x", {"metadata": {"labels": {"a": "b"}, "finalizers": ["stash.appscode.com/old"]}})
    patch(kube, ns, kind.lower(), "x", {"status": {"phase": "Running"}}, "--subresource=status")
    patch(kube, ns, kind.lower(), "x", {"metadata": {"finalizers": None}})


def test_a_backup_configuration_of_any_release_is_accepted_and_kept_whole(kube, ns):
    spec = {
        "schedule": "*/5 * * * *", "driver": "SomethingElse", "repository": {"name": "r", "namespace": ns}, "paused": False,
        "task": {"name": "t", "params": [{"name": "a", "value": "b"}]},
        "target": {"ref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "namespace": ns}, "directories": ["/old"],
                   "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": True, "fromTheFuture": 1}],
                   "alias": "a", "args": ["--x"], "exclude": ["*.tmp"], "replicas": 2, "snapshotClassName": "s"},
        "retentionPolicy": {"keepLast": 5, "keepTags": ["a"], "dryRun": True},
        "runtimeSettings": {"container": {"resources": {"limits": {"memory": "1Gi"}}, "nice": {"adjustment": 5},
                                          "ionice": {"class": 2, "classData": 4}, "env": [{"name": "A", "value": "b"}]},
                            "pod": {"nodeSelector": {"a": "b"}, "priority": 3}},
        "tempDir": {"medium": "Memory", "sizeLimit": 1073741824, "disableCaching": True, "disableCache": True},
        "interimVolumeTemplate": {"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"]}},
        "backupHistoryLimit": 3, "timeOut": "1h", "retryConfig": {"maxRetry": 2, "delay": "5m"},
        "hooks": {"preBackup": {"exec": {"command": ["sync"]}, "containerName": "app"},
                  "postBackup": {"httpPost": {"path": "/", "port": "http", "form": [{"key": "a", "values": ["b"]}]},
                                 "executionPolicy": "Always", "fromTheFuture": {"deep": [1]}}},
        "fromTheFuture": {"deep": [{"a": 1}]},
    }
    kube.apply(make(ns, "BackupConfiguration", spec))
    assert kube.get("backupconfiguration", "x", ns)["spec"] == spec


def test_almost_nothing_is_required(kube, ns):
    kube.apply(make(ns, "Repository", {}, version=ALPHA), make(ns, "BackupConfiguration", {}), make(ns, "BackupSession", {}),
               make(ns, "RestoreSession", {}))


@pytest.mark.parametrize("spec, words", [
    ({"schedule": 5}, "spec.schedule"),
    ({"target": {"volumeMounts": [{"name": "v"}]}}, "mountPath: Required"),
    ({"task": {"params": [{"name": "v"}]}}, "value: Required"),
])
def test_wrong_types_and_missing_parts_of_kubernetes_types_are_refused(kube, ns, spec, words):
    assert words in refusal(kube, make(ns, "BackupConfiguration", spec))


def test_statuses_of_old_and_new_releases_are_kept(kube, ns):
    kube.apply(make(ns, "BackupSession", {"backupConfiguration": {"name": "c"}}), repository(ns, {"gcs": {"bucket": "b"}}))
    stats = [{"hostname": "host-0", "phase": "Succeeded", "duration": "2.9s", "claim": {"podName": "p", "podUID": "u"},
              "snapshots": [{"name": "12345678", "directory": "/old", "size": "1 B", "fromTheFuture": 1}]}]
    status = {"phase": "Running", "observedGeneration": "2$123456", "stats": stats,
              "targets": [{"ref": {"kind": "Deployment", "name": "d"}, "totalHosts": 1, "stats": stats}],
              "conditions": [{"type": "A", "status": "True", "lastTransitionTime": None}], "fromTheFuture": True}
    patch(kube, ns, "backupsession", "x", {"status": status}, "--subresource=status")
    found = kube.get("backupsession", "x", ns)["status"]
    assert found["stats"] == stats and found["targets"] == status["targets"]
    assert found["observedGeneration"] == "2$123456" and found["fromTheFuture"] is True
    patch(kube, ns, "repository", "x", {"status": {"observedGeneration": 3, "size": "1 B"}}, "--subresource=status")


def test_a_host_cannot_be_listed_twice(kube, ns):
    kube.apply(make(ns, "BackupSession", {}))
    with pytest.raises(CommandFailed, match="Duplicate value"):
        patch(kube, ns, "backupsession", "x", {"status": {"stats": [{"hostname": "a"}, {"hostname": "a"}]}}, "--subresource=status")


def test_get_shows_what_users_look_for(kube, ns):
    # A controller may run already, and has its own opinion of this configuration.
    label = {"stash.appscode.com/backup-configuration": "web-backup"}
    kube.apply(repository(ns, {"gcs": {"bucket": "b"}}), make(ns, "RestoreSession", {"repository": {"name": "r"}}),
               make(ns, "BackupConfiguration", {"schedule": "*/5 * * * *", "paused": True, "task": {"name": "t"}}),
               make(ns, "BackupSession", {"invoker": {"kind": "BackupConfiguration", "name": "web-backup"}},
                    metadata={"name": "x", "namespace": ns, "labels": label}))
    for kind, status in {"repository": {"integrity": True, "totalSize": "1.5 KiB", "snapshotCount": 3, "lastBackupTime": "2020-01-01T00:00:00Z"},
                         "backupconfiguration": {"phase": "Ready"},
                         "backupsession": {"phase": "Succeeded", "sessionDuration": "3.5s", "reason": "None",
                                           "progress": {"hosts": "2/2", "percent": "100%", "bytes": "1.500 GiB", "remaining": "0s", "step": "check"}},
                         "restoresession": {"phase": "Running", "sessionDuration": "3.5s"}}.items():
        patch(kube, ns, kind, "x", {"status": status}, "--subresource=status")

    row = table(kube, ns, "repo")
    assert list(row) == ["NAME", "INTEGRITY", "SIZE", "SNAPSHOT-COUNT", "LAST-SUCCESSFUL-BACKUP", "AGE"]
    assert (row["INTEGRITY"], row["SIZE"], row["SNAPSHOT-COUNT"]) == ("true", "1.5 KiB", "3")
    row = table(kube, ns, "bc")
    assert list(row) == ["NAME", "TASK", "SCHEDULE", "PAUSED", "PHASE", "AGE"]
    assert (row["TASK"], row["SCHEDULE"], row["PAUSED"]) == ("t", "*/5 * * * *", "true")
    assert row["PHASE"] in ("Ready", "Invalid")
    row = table(kube, ns, "restore")
    progress = ["PHASE", "PROGRESS", "BYTES", "REMAINING", "HOSTS", "DURATION", "REASON"]
    assert list(row) == ["NAME", "REPOSITORY", *progress, "AGE"]
    row = table(kube, ns, "backupsessions", "-o", "wide")
    wide = ["STEP", "INVOKER-TYPE", "INVOKER-NAME"]
    assert list(row) in (["NAME", "BACKUPCONFIGURATION", *progress, "AGE", *wide], ["NAME", "BACKUPCONFIGURATION", *progress, *wide, "AGE"])
    assert (row["BACKUPCONFIGURATION"], row["PHASE"], row["DURATION"]) == ("web-backup", "Succeeded", "3.5s")
    assert [row[name] for name in ("PROGRESS", "BYTES", "REMAINING", "HOSTS", "REASON", "STEP")] == ["100%", "1.500 GiB", "0s", "2/2", "None", "check"]


def test_explain_describes_the_fields(kube):
    text = kube.kubectl("explain", "backupconfiguration.spec.target.paths")
    assert "one snapshot each" in text
    assert "keepLast" in kube.kubectl("explain", "bc.spec.retentionPolicy")


def test_categories_list_our_kinds(kube, ns):
    kube.apply(make(ns, "BackupConfiguration", {}), repository(ns, {"gcs": {"bucket": "b"}}))
    listed = kube.kubectl("get", "stash", "-n", ns, "-o", "name").split()
    assert listed == ["backupconfiguration.stash.appscode.com/x", "repository.stash.appscode.com/x"]


def test_the_chart_s_crds_can_be_applied_again(kube):
    crds = kube.helm("template", "stash", str(paths.CHART), "-s", "templates/crds/repositories.yaml")
    done = subprocess.run([str(paths.KUBECTL), "apply", "--server-side", "--force-conflicts", "-f", "-"], input=crds, env=kube.env, text=True,
                          capture_output=True, timeout=60, check=True)
    assert "serverside-applied" in done.stdout
