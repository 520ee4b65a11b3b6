"""With a rolling update the pod of before lives while the new one restores the volume that both have. Who works on it makes way first
(docs/decisions/0050): a backup, whose snapshot would be neither the old data nor the new, and a restore that a newer one replaces (F29)."""
import pytest

from stash_e2e import objects, tree
from stash_e2e.kube import wait_until
from stash_faults import actions
from stash_faults.bench import containers

ROLE_BINDING = "stash-restore-init-container-deployment-web"


def ask_for_restore(workload, name="web-restore"):
    workload.bench.kube.apply(objects.restore_session(workload.ns, name, path=workload.source))
    wait_until(f"{name} is in the template", lambda: name in str(workload.bench.kube.get("deployment", "web", workload.ns)["spec"]["template"]["spec"]), 60)


def status_of(workload, kind, name):
    return workload.bench.kube.get(kind, name, workload.ns).get("status", {})


def is_at_work(workload, kind, name):
    return any(host["phase"] == "Running" for host in status_of(workload, kind, name).get("stats", []))


def restores(workload, pod, name="web-restore"):
    return workload.pod(pod, ["restore", f"--restore-session={name}"])


@pytest.mark.fault("F29", invariants="I5 I6 I11 I13")
def test_a_backup_that_runs_when_a_restore_begins_ends_early_and_saves_nothing_and_the_restore_waits_for_it(remote, recovery):
    kube = remote.bench.kube
    tree.make_tree(remote.source / "tree", files=60)
    remote.configure(backupHistoryLimit=5)
    remote.pod("web-1")
    first = remote.succeeds("first")
    expected = tree.fingerprint(remote.source)
    (remote.source / "tree" / "folder-01" / "text-013.txt").write_bytes(b"of an unfinished day" * 100_000)
    with remote.proxy.rule("POST", "/data/", actions.hang()):
        remote.session("second")
        wait_until("restic reads", remote.restic_pid, 60)
        recovery.fault_ended()
        ask_for_restore(remote)
        new = restores(remote, "web-2")
        wait_until("the restore has its host", lambda: status_of(remote, "restoresession", "web-restore").get("stats"), 90, every=0.05)
        assert not is_at_work(remote, "backupsession", "second"), remote.told("backupsession", "second")
        recovery.recovered()
        ended = remote.finished("second", 60)
    assert (ended["status"]["phase"], ended["status"]["reason"]) == ("Skipped", "RestoreInProgress"), ended["status"]
    assert new.process.wait(120) == 0, new.output()
    kube.wait_for_phase("restoresession", "web-restore", remote.ns, ("Succeeded",), 60)
    assert tree.differences(expected, tree.fingerprint(remote.source)) == []
    assert [found["id"] for found in remote.snapshots()] == [first["id"]]
    remote.require_sound_repository()


@pytest.mark.fault("F29", "F44", invariants="I6 I13")
def test_a_restore_that_a_newer_one_replaces_has_stopped_before_that_one_begins_and_does_not_come_back(remote, recovery):
    kube, ns = remote.bench.kube, remote.ns
    tree.make_tree(remote.source / "tree", files=60)
    remote.configure()
    remote.pod("web-1")
    remote.succeeds("first")
    expected = tree.fingerprint(remote.source)
    tree.destroy(remote.source)
    ask_for_restore(remote, "older")
    with remote.proxy.rule("GET", "/data/", actions.hang()):
        old = restores(remote, "web-2", "older")
        wait_until("the older one restores", lambda: is_at_work(remote, "restoresession", "older") and remote.restic_pid(), 60)
        recovery.fault_ended()
        ask_for_restore(remote, "newer")
        wait_until("the newer one has its host", lambda: status_of(remote, "restoresession", "newer").get("stats"), 90, every=0.05)
        assert not is_at_work(remote, "restoresession", "older"), remote.told("restoresession", "older")
        assert not remote.restic_pid(), remote.told("restoresession", "older")
    recovery.recovered()
    assert restores(remote, "web-3", "newer").process.wait(120) == 0, remote.told("restoresession", "newer")
    kube.wait_for_phase("restoresession", "newer", ns, ("Succeeded",), 60)
    assert tree.differences(expected, tree.fingerprint(remote.source)) == []
    older = status_of(remote, "restoresession", "older")
    assert (older["phase"], older["reason"]) == ("Failed", "Superseded"), older
    wait_until("the pod of before says why it does not restore", lambda: "superseded" in old.output(), 60)
    # Nor does it let its application start on data that is another one's to make whole.
    assert old.process.poll() is None, old.output()
    assert not older["stats"][0].get("attempts"), older
    assert "stash-init" in containers(kube, ns, kind="initContainers")
