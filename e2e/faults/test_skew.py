"""Programs and CRDs of different ages side by side (F84), as during an upgrade, after a downgrade, or where somebody keeps the CRDs
himself. What an older or a newer build would write is written by hand."""
import contextlib
import copy
import json

import pytest

from stash_e2e.kube import wait_until
from stash_e2e.objects import FINAL

from test_vanished_crds import OURS, crds_of

# What the CRDs of the first complete build lacked; an API server that serves those drops it from every write.
OF_A_HOST = ("attempts", "backedUp", "conditions", "hook", "incomplete")
ADDED_SINCE = {"backupconfigurations": [("status", "withdrawal")],
               "restoresessions": [("status", "stats", name) for name in OF_A_HOST if name != "backedUp"],
               "backupsessions": [("status", "lostPods")] + [("status", "stats", name) for name in OF_A_HOST],
               "repositories": [("status", "initialisation"), ("status", "lastCheckTime"), ("status", "firstSnapshotTime")]}
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def fields_at(crd, *place):
    """Of each version, what the schema has below that place."""
    for version in crd["spec"]["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        for name in place:
            schema = schema["properties"][name]
            schema = schema.get("items", schema)
        yield schema["properties"]


def older(crd):
    for *place, name in ADDED_SINCE[crd["spec"]["names"]["plural"]]:
        for fields in fields_at(crd, *place):
            del fields[name]


def newer(crd):
    of_hosts = [("status", "stats")] if crd["spec"]["names"]["plural"].endswith("sessions") else []
    for place in [("spec",), ("status",), *of_hosts]:
        for fields in fields_at(crd, *place):
            fields["future"] = ANYTHING


@contextlib.contextmanager
def crds(kube, change):
    ours = crds_of(kube, OURS)
    changed = copy.deepcopy(ours)
    for crd in changed:
        change(crd)
    serve(kube, changed)
    try:
        yield
    finally:
        serve(kube, ours)


def serve(kube, made):
    kube.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    for crd in made:
        wait_until("the API server serves it", lambda crd=crd: served(kube, crd) == next(fields_at(crd, "status")).keys(), 60)


def served(kube, crd):
    """The fields of the status, as the server tells everybody who asks."""
    document = json.loads(kube.raw(f"/openapi/v3/apis/{crd['spec']['group']}/{crd['spec']['versions'][0]['name']}"))
    schema = next(found for name, found in document["components"]["schemas"].items() if name.endswith(f".{crd['spec']['names']['kind']}"))
    return schema["properties"]["status"]["properties"].keys()


def write_status(kube, kind, name, ns, *operations):
    kube.kubectl("patch", kind, name, "-n", ns, "--subresource=status", "--type=json", "-p", json.dumps(operations))


def offered(kube, session, ns):
    wait_until("the host is offered", lambda: kube.get("backupsession", session, ns).get("status", {}).get("stats"), 60)


@pytest.mark.fault("F84", invariants="I5 I6 I7 I10")
def test_under_crds_of_an_older_release_a_repository_is_made_and_backups_succeed(bench, workload):
    with crds(bench.kube, older):
        assert workload.back_up("first")["status"]["phase"] == "Succeeded"
        workload.session("second")
        assert workload.finished("second", 120)["status"]["phase"] == "Succeeded"
        workload.require_one_snapshot("second")
        assert len(workload.snapshots()) == 2
    workload.session("third")
    assert workload.finished("third", 120)["status"]["phase"] == "Succeeded"
    workload.require_sound_repository()


@pytest.mark.fault("F84", invariants="I2 I5 I19")
def test_fields_of_a_newer_release_survive_the_writes_of_this_one(bench, workload, ns):
    kube, future = bench.kube, {"since": "the next release"}
    with crds(kube, newer):
        workload.configure(future=future)
        workload.session("by-hand")
        offered(kube, "by-hand", ns)
        for path in ("/status/future", "/status/stats/0/future"):
            write_status(kube, "backupsession", "by-hand", ns, {"op": "add", "path": path, "value": future})
        workload.pod("web-1")
        session = workload.finished("by-hand", 120)
        assert session["status"]["phase"] == "Succeeded", session["status"]
        assert session["status"]["future"] == future
        assert kube.get("backupconfiguration", "web-backup", ns)["spec"]["future"] == future
        workload.require_one_snapshot()  # before the next session, for which the history gives this one up
        write_status(kube, "repository", "local-repository", ns, {"op": "add", "path": "/status/future", "value": future})
        workload.session("next")
        assert workload.finished("next", 120)["status"]["phase"] == "Succeeded"
        wait_until("the Repository counts both", lambda: kube.get("repository", "local-repository", ns)["status"].get("snapshotCount") == 2, 60)
        assert kube.get("repository", "local-repository", ns)["status"]["future"] == future


@pytest.mark.fault("F84", invariants="I3 I6 I7")
@pytest.mark.parametrize("path", ["/status/phase", "/status/stats/0/phase"], ids=["session", "host"])
def test_a_phase_of_a_newer_release_ends_nobody_and_holds_up_no_later_session(bench, workload, ns, path):
    """The CRD names no phases, so that an older program may meet a newer one's."""
    kube = bench.kube
    workload.configure(timeOut="20s")
    workload.session("odd")
    offered(kube, "odd", ns)
    write_status(kube, "backupsession", "odd", ns, {"op": "replace", "path": path, "value": "Verifying"})
    sidecar = workload.pod("web-1")
    ended = wait_until("it is decided", lambda: (found := kube.get("backupsession", "odd", ns))["status"].get("phase") in FINAL and found, 120)
    if ended["status"]["phase"] == "Succeeded":
        workload.require_one_snapshot("odd")
    workload.session("next")
    assert workload.finished("next", 120)["status"]["phase"] == "Succeeded"
    workload.require_one_snapshot("next")
    assert sidecar.process.poll() is None and bench.controller.process.poll() is None


@pytest.mark.fault("F84", invariants="I6 I19")
def test_what_a_sidecar_of_an_older_release_reports_ends_the_session(bench, workload, ns):
    """It writes its claim and its result, and none of the steps between them that came later."""
    kube = bench.kube
    workload.configure()
    workload.pod("web-1").stop()
    pod = kube.get("pod", "web-1", ns)["metadata"]
    workload.session("by-hand")
    offered(kube, "by-hand", ns)
    host = {"hostname": "host-0", "phase": "Running",
            "claim": {"podName": pod["name"], "podUID": pod["uid"], "heartbeatTime": "2026-01-01T00:00:00Z"}}
    write_status(kube, "backupsession", "by-hand", ns, {"op": "replace", "path": "/status/stats/0", "value": host})
    kube.wait_for_phase("backupsession", "by-hand", ns, ("Running",), 60)
    done = dict(host, phase="Succeeded", duration="1.2s",
                snapshots=[{"name": "0123abcd", "path": str(workload.source), "processingTime": "0:01", "uploaded": "1 KiB"}])
    write_status(kube, "backupsession", "by-hand", ns, {"op": "replace", "path": "/status/stats/0", "value": done})
    assert workload.finished("by-hand", 60)["status"]["phase"] == "Succeeded"
