"""Deleting a Repository: refused while it is in use; with wipeOut its data goes first.

There is no Job controller here: the test runs the Job's container as a process and writes the Job's status.
"""
import json
import subprocess
import time

import pytest

from servers import rest
from stash_e2e import api_ring, objects
from stash_e2e.kube import CommandFailed, wait_until

PASSWORD = "correct horse battery staple"


class Remote:
    """A restic repository on a REST server, with two snapshots in it."""

    def __init__(self, server, directory):
        self.directory, self.backend = directory, server.backend("wiped")
        self.mounted = directory / "mounted"
        self.mounted.mkdir()
        self.secret = dict(server.secret, RESTIC_PASSWORD=PASSWORD)
        for key, value in self.secret.items():
            (self.mounted / key).write_text(value)
        self.data = directory / "data" / "wiped"
        (directory / "file").write_bytes(b"data" * 1000)
        self.restic("init")
        for _ in range(2):
            self.restic("backup", directory / "file")

    def restic(self, *argv):
        done = subprocess.run(["restic", "--no-cache", "--json", "-r", str(self.data), *map(str, argv)], check=True, text=True, capture_output=True,
                              env={"RESTIC_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"})
        return done.stdout

    def snapshots(self):
        return json.loads(self.restic("snapshots", "--no-lock"))

    def packs(self):
        return [path for path in (self.data / "data").rglob("*") if path.is_file()]


@pytest.fixture
def remote(tmp_path):
    with rest.rclone(tmp_path) as server:
        yield Remote(server, tmp_path)


def repository(ns, backend, **spec):
    return {"apiVersion": "stash.appscode.com/v1alpha1", "kind": "Repository", "metadata": {"name": "repo", "namespace": ns},
            "spec": dict(spec, backend=dict(backend, storageSecretName="repository-secret"))}


def delete_wiped(kube, ns, remote):
    kube.apply(objects.secret(ns), repository(ns, remote.backend, wipeOut=True))
    wait_until("the finalizer is there", lambda: kube.get("repository", "repo", ns)["metadata"].get("finalizers"), 30)
    kube.kubectl("delete", "repository", "repo", "-n", ns, "--wait=false")
    return wait_until("the Job is there", lambda: kube.get("job", "stash-wipe-out-repo", ns), 30)


def run_job(job, remote):
    """The container of the Job's pod; its exit code and last words."""
    container = job["spec"]["template"]["spec"]["containers"][0]
    env = {e["name"]: e["value"] for e in container["env"] if "value" in e}
    report = remote.directory / "report"
    done = subprocess.run([api_ring.BIN / "stash", container["args"][0], f"--secret-dir={remote.mounted}", f"--temp-dir={remote.directory / 'tmp'}"],
                          env=dict(env, POD_NAME="wipe-out-x", STASH_REPORT=str(report), PATH="/usr/bin:/bin"), text=True, capture_output=True, timeout=120)
    for value in remote.secret.values():
        assert value not in done.stdout + done.stderr + report.read_text()
    return done.returncode, report.read_text()


def finish_job(kube, ns, job, exit_code, report):
    """As kubelet and Job controller would."""
    name = job["metadata"]["name"]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kube.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name + "-x", "namespace": ns, "labels": {"job-name": name}},
                "spec": {"containers": [{"name": "stash", "image": "localhost/stash:dev"}]}})
    ended = {"containerID": "x://y", "exitCode": exit_code, "reason": "Completed" if exit_code == 0 else "Error", "message": report}
    status = {"phase": "Failed" if exit_code else "Succeeded",
              "containerStatuses": [{"name": "stash", "image": "i", "imageID": "i", "ready": False, "restartCount": 0, "state": {"terminated": ended}}]}
    kube.kubectl("patch", "pod", name + "-x", "-n", ns, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    kinds = ["FailureTarget", "Failed"] if exit_code else ["SuccessCriteriaMet", "Complete"]
    status = {"startTime": now, "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now, "reason": "Test", "message": "as told by the test"} for kind in kinds]}
    if not exit_code:
        status.update(completionTime=now, succeeded=1)
    kube.kubectl("patch", "job", name, "-n", ns, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


@pytest.mark.fault("F82", invariants="I11")
def test_a_repository_in_use_is_not_deleted(kube, ns, controller, webhook, tmp_path):
    kube.apply(objects.repository(ns, tmp_path), objects.backup_configuration(ns, schedule="0 0 1 1 *", paths=["/source/data"]))

    def refusal():
        try:
            kube.kubectl("delete", "repository", "local-repository", "-n", ns, "--dry-run=server")
        except CommandFailed as failure:
            return str(failure)
        return None

    text = wait_until("the deletion is refused", refusal, 30)
    assert f"Repository {ns}/local-repository is in use by BackupConfiguration {ns}/web-backup; delete that first" in text
    kube.delete("backupconfiguration", "web-backup", ns)
    wait_until("nothing holds the Repository", lambda: refusal() is None, 30)
    kube.delete("repository", "local-repository", ns)
    assert kube.get("repository", "local-repository", ns) is None


def test_a_deleted_repository_with_wipeout_goes_when_its_data_is_gone(kube, ns, controller, remote):
    assert len(remote.snapshots()) == 2 and remote.packs()
    job = delete_wiped(kube, ns, remote)
    assert kube.get("repository", "repo", ns), "it must wait for the Job"
    code, report = run_job(job, remote)
    assert code == 0 and report.startswith("2 snapshots and all their data were removed from rest:http://127.0.0.1"), report
    assert remote.snapshots() == [] and remote.packs() == []
    finish_job(kube, ns, job, code, report)
    wait_until("the Repository is gone", lambda: kube.get("repository", "repo", ns) is None, 30)
    wait_until("the Job is gone", lambda: kube.get("job", "stash-wipe-out-repo", ns) is None, 30)
    kube.wait_for_event(ns, "repo", "Normal WipeOutSucceeded: 2 snapshots")


@pytest.mark.fault("F82", invariants="I11")
def test_a_wipeout_that_fails_keeps_the_repository_until_its_owner_lets_it_go(kube, ns, controller, remote):
    job = delete_wiped(kube, ns, remote)
    (remote.mounted / "RESTIC_PASSWORD").write_text("another one")
    code, report = run_job(job, remote)
    assert code == 1 and "password" in report
    finish_job(kube, ns, job, code, report)

    def failed():
        found = kube.condition("repository", "repo", ns, "WipedOut") or {}
        return found if found.get("reason") == "WipeOutFailed" else None

    message = wait_until("the condition says why", failed, 30)["message"]
    assert report in message and "set spec.wipeOut to false" in message
    assert len(remote.snapshots()) == 2
    kube.kubectl("patch", "repository", "repo", "-n", ns, "--type=merge", "-p", '{"spec":{"wipeOut":false}}')
    wait_until("the Repository is gone", lambda: kube.get("repository", "repo", ns) is None, 30)
    assert len(remote.snapshots()) == 2


def test_the_controller_had_all_rights_for_this(controller):
    denied = [line for line in controller.output().splitlines() if "forbidden: user" in line.lower()]  # by RBAC, not by a policy
    assert not denied, "\n".join(denied[:5])
