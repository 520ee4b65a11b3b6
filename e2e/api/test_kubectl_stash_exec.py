"""What `kubectl stash` has a sidecar do, by `kubectl exec`: restic is there, and its password.

There is no kubelet, so nothing can be run in a container: where the plugin does that, a kubectl of ours runs the same program
on this machine, as that pod.
"""
import datetime
import json

import pytest
from test_programs import containers, workload  # noqa: F401: a fixture

from stash_e2e import objects, paths
from stash_e2e.kube import wait_until
from stash_e2e.plugin import Plugin
from stash_faults import lockforge

PASSWORD = "correct horse battery staple"


class PodOfThisMachine:
    """A pod that the plugin finds, and a kubectl whose `exec` runs our program as this pod."""

    def __init__(self, kube, workload, directory):
        self.kube, self.ns, self.name = kube, workload.ns, "web-1"
        args = ["run-backup", "--backup-configuration=web-backup"]
        kube.apply({"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": self.name, "namespace": self.ns, "labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "app", "image": objects.SAMPLE_IMAGE},
                                            {"name": "stash", "image": "localhost/stash:dev", "args": args}]}})
        self.running(True)
        program = workload.sidecar(kube.get("pod", self.name, self.ns), args)
        # Everything of the sidecar but its subcommand and what that is about.
        command = program.argv[:program.argv.index("run-backup")]
        more = program.argv[program.argv.index("run-backup") + 2:]
        self.directory = directory / "kubectl"
        self.directory.mkdir()
        wrapper = self.directory / "kubectl"
        environment = " ".join(f"{key}='{value}'" for key, value in program.env.items())
        wrapper.write_text("#!/bin/sh\n"
                           'case "$1" in exec)\n'
                           '  while [ "$1" != -- ]; do shift; done; shift 2\n'
                           f"  exec env -i {environment} {' '.join(self.quoted(command))} \"$@\" {' '.join(self.quoted(more))};;\n"
                           "esac\n"
                           f'exec {paths.KUBECTL} "$@"\n')
        wrapper.chmod(0o755)

    @staticmethod
    def quoted(words):
        return ["'" + word.replace("'", "'\\''") + "'" for word in words]

    def running(self, it_is):
        state = {"running": {}} if it_is else {"terminated": {"exitCode": 1}}
        self.kube.kubectl("patch", "pod", self.name, "-n", self.ns, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {
            "phase": "Running", "containerStatuses": [{"name": "stash", "state": state, "ready": it_is, "restartCount": 0, "image": "x", "imageID": "x"}]}}))


@pytest.fixture
def pod(kube, workload, tmp_path):
    workload.configure()
    return PodOfThisMachine(kube, workload, tmp_path)


@pytest.fixture
def by_exec(kube, pod):
    return Plugin(kube, kubectl_directory=pod.directory)


def test_snapshots_are_listed_and_downloaded_by_the_sidecar(kube, ns, workload, pod, by_exec, tmp_path):
    none_yet = by_exec.run("snapshots", "local-repository", "-n", ns)
    assert none_yet.returncode == 1 and "the first backup makes it" in none_yet.stderr
    by_exec.well("trigger", "web-backup", "-n", ns)
    listed = by_exec.json("snapshots", "local-repository", "-n", ns)
    assert [(s["host"], s["paths"], s["incomplete"]) for s in listed] == [("host-0", [str(workload.source)], False)]
    assert listed[0]["id"] in by_exec.well("snapshots", "local-repository", "-n", ns)
    target = tmp_path / "downloaded"
    by_exec.well("download", "local-repository", "--snapshot", listed[0]["id"], "-n", ns, "-d", target)
    assert [found.read_text() for found in target.rglob("data.txt")] == ["worth keeping\n"]
    file = by_exec.run("download", "local-repository", "--snapshot", listed[0]["id"], "--path", workload.source / "data.txt", "-n", ns, "-d", target)
    assert file.returncode == 1 and "name the directory that it is in" in file.stderr
    nothing = by_exec.run("download", "local-repository", "--snapshot", listed[0]["id"], "--path", "/nothing", "-n", ns, "-d", target)
    assert nothing.returncode == 1


def test_a_question_leaves_the_temporary_files_of_the_sidecars_own_restic(ns, workload, pod, by_exec):
    by_exec.well("trigger", "web-backup", "-n", ns)
    scratch = workload.scratch_of(pod.name)
    in_use = [scratch / "restic-tmp" / "restic-temp-pack-1", scratch / "restic-cache" / "restic-check-cache-1"]
    for path in in_use:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a backup runs")
    by_exec.well("snapshots", "local-repository", "-n", ns)
    assert all(path.exists() for path in in_use)
    by_exec.well("trigger", "web-backup", "-n", ns)
    assert not any(path.exists() for path in in_use), "these are the places that a session sweeps"


def test_without_a_running_sidecar_the_plugin_says_whom_to_start(kube, ns, workload, pod, by_exec):
    pod.running(False)
    done = by_exec.run("snapshots", "local-repository", "-n", ns)
    assert done.returncode == 1 and "see to it that Deployment web has a running pod" in done.stderr
    assert by_exec.run("unlock", "nothing", "-n", ns).stderr == \
        f"error: there is no Repository nothing in namespace {ns}; see: kubectl get repositories.stash.appscode.com -n {ns}\n"


def test_a_wrong_password_is_told_without_the_password(ns, workload, pod, by_exec):
    by_exec.well("trigger", "web-backup", "-n", ns)
    (workload.secret / "RESTIC_PASSWORD").write_text("not the right one")
    done = by_exec.run("snapshots", "local-repository", "-n", ns)
    assert done.returncode == 1 and "password" in done.stderr
    assert "not the right one" not in done.stdout + done.stderr and "correct horse" not in done.stdout + done.stderr


def test_unlock_says_that_there_is_no_lock(ns, workload, pod, by_exec):
    by_exec.well("trigger", "web-backup", "-n", ns)
    assert by_exec.well("unlock", "local-repository", "-n", ns) == "The repository is not locked.\n"


def forged(workload, **lock):
    return lockforge.forge(workload.repository, PASSWORD, **lock).name[:8]


def unlocked(by_exec, ns):
    done = by_exec.run("unlock", "local-repository", "-n", ns, "-o", "json")
    report = json.loads(done.stdout)
    return done.returncode, [lock["lock"][:8] for lock in report["removed"]], {lock["lock"][:8]: lock["why"] for lock in report["left"]}


def test_unlock_removes_a_stale_lock_and_leaves_a_living_one_with_the_reason(kube, ns, workload, pod, by_exec):
    by_exec.well("trigger", "web-backup", "-n", ns)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "00000000-0000-0000-0000-000000000001", "controller": True}
    kube.kubectl("patch", "pod", pod.name, "-n", ns, "--type=merge", "-p", json.dumps({"metadata": {"ownerReferences": [owner]}}))
    stale = forged(workload, hostname="elsewhere", age=datetime.timedelta(hours=1))
    fresh = forged(workload, hostname="elsewhere")
    assert unlocked(by_exec, ns) == (1, [stale], {fresh: "it is fresh: a restic of that host works now"})


def test_unlock_removes_nothing_from_a_pod_whose_name_another_pod_may_have(ns, workload, pod, by_exec):
    by_exec.well("trigger", "web-backup", "-n", ns)
    stale = forged(workload, hostname="elsewhere", age=datetime.timedelta(hours=1))
    code, removed, left = unlocked(by_exec, ns)
    assert (code, removed) == (1, []) and left[stale].startswith("nothing is removed from a pod that is called web-1: ")


def test_restore_writes_the_session_of_a_snapshot_or_a_time(kube, ns, workload, pod, by_exec):
    by_exec.well("trigger", "web-backup", "-n", ns)
    snapshot = by_exec.json("snapshots", "local-repository", "-n", ns)[0]
    wanted = by_exec.json("restore", "web-backup", "-n", ns, "--snapshot", snapshot["id"], "--dry-run=client")
    assert wanted["kind"] == "RestoreSession" and wanted["spec"]["rules"] == [{"snapshots": [snapshot["id"]]}]
    assert kube.list("restoresessions", ns) == []
    by_time = by_exec.json("restore", "web-backup", "-n", ns, "--time", "2099-01-01T00:00:00Z", "--dry-run=client")
    assert by_time["spec"]["rules"] == wanted["spec"]["rules"]
    too_early = by_exec.run("restore", "web-backup", "-n", ns, "--time", "2001-01-01T00:00:00Z")
    assert too_early.returncode == 1 and "the oldest that is known is of" in too_early.stderr
    by_exec.well("restore", "web-backup", "-n", ns, "--snapshot", snapshot["id"], "--wait=false", "--name", "back")
    wait_until("the init container is injected", lambda: "stash-init" in containers(kube, ns, kind="initContainers"), 30)
    made = kube.get("restoresession", "back", ns)
    assert made["spec"]["target"]["ref"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
