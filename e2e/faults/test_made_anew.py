"""What is deleted and made anew under its name in the middle of work is another object (F22): what was done for the old one is not
booked on the new one, and no snapshot goes that no policy of now gives up."""
import shutil

import pytest

from stash_e2e import api_ring, objects
from stash_e2e.kube import wait_until
from stash_faults import actions
from stash_faults.bench import stopped



def told_snapshots(session):
    return [told["name"] for host in session["status"]["stats"] for told in host.get("snapshots", [])]


def make_session_anew(workload, name):
    """When this returns, the controller has told the new one's hosts. The old one's UID."""
    kube = workload.bench.kube
    old = kube.get("backupsession", name, workload.ns)["metadata"]["uid"]
    kube.delete("backupsession", name, workload.ns)
    workload.session(name)
    wait_until("the new session has its hosts", lambda: (kube.get("backupsession", name, workload.ns).get("status") or {}).get("stats"), 60)
    return old


def require_own_snapshot(workload, name, old):
    """The new session's result is its own snapshot, not the old one's."""
    ended = workload.finished(name, 120)
    assert ended["status"]["phase"] == "Succeeded", ended["status"]
    assert ended["metadata"]["uid"] != old
    assert told_snapshots(ended) == [workload.require_one_snapshot(name)["short_id"]]


@pytest.mark.fault("F22", invariants="I5 I6 I7 I11")
def test_a_session_that_is_made_anew_while_restic_works_for_the_old_one_has_a_backup_of_its_own(remote):
    remote.configure(retentionPolicy=objects.keep_last(5))
    remote.pod("web-1")
    first = remote.succeeds("first")
    old = []
    with remote.proxy.rule("POST", "/snapshots/", actions.calling(lambda: old.append(make_session_anew(remote, "by-hand"))), times=1):
        remote.session("by-hand")
        wait_until("it was made anew", lambda: old, 60)
    require_own_snapshot(remote, "by-hand", old[0])
    assert first["id"] in [kept["id"] for kept in remote.snapshots()]
    remote.require_sound_repository()


@pytest.mark.fault("F16", "F22", invariants="I5 I6 I7")
def test_a_session_that_is_made_anew_before_the_sidecars_claim_arrives_is_not_claimed_for_the_old_one(bench, workload):
    workload.configure()
    workload.pod("web-1")
    workload.succeeds("first")
    old = []
    with bench.proxies["sidecar"].rule("PATCH", "/backupsessions/by-hand/status",
                                       actions.calling(lambda: old.append(make_session_anew(workload, "by-hand"))), times=1):
        workload.session("by-hand")
        wait_until("it was made anew", lambda: old, 60)
    require_own_snapshot(workload, "by-hand", old[0])


@pytest.mark.fault("F22", invariants="I5 I6 I7 I11")
def test_a_configuration_that_is_made_anew_with_another_policy_loses_no_snapshot_to_the_old_one(remote):
    remote.configure(retentionPolicy=objects.keep_last(1), backupHistoryLimit=9)
    remote.pod("web-1")
    first = remote.succeeds("first")
    (remote.source / "second").write_text("changed")
    kube, ns, made = remote.bench.kube, remote.ns, []

    def make_anew():
        kube.delete("backupconfiguration", "web-backup", ns)
        remote.apply_configuration(retentionPolicy=objects.keep_last(5), backupHistoryLimit=9)
        made.append(kube.get("backupconfiguration", "web-backup", ns)["metadata"]["uid"])

    with remote.proxy.rule("POST", "/snapshots/", actions.calling(make_anew), times=1):
        remote.session("of-the-old-one")
        ended = remote.finished("of-the-old-one", 120)
        assert made
    owner = ended["metadata"]["ownerReferences"][0]
    assert owner["uid"] != made[0], "the session is counted for the new configuration"
    wait_until("it is injected again", remote.is_configured, 60)
    remote.succeeds("of-the-new-one")
    assert first["id"] in [kept["id"] for kept in remote.snapshots()], "the old policy was applied after its end"
    remote.require_sound_repository()


@pytest.mark.fault("F22", invariants="I5 I7 I14")
def test_a_repository_that_is_made_anew_elsewhere_is_told_nothing_of_the_backup_that_went_to_the_old_place(remote):
    remote.configure()
    remote.pod("web-1")
    kube, ns, made = remote.bench.kube, remote.ns, []

    def make_anew():
        kube.delete("backupconfiguration", "web-backup", ns)  # one that is in use cannot be deleted
        kube.delete("repository", "local-repository", ns)
        elsewhere = remote.repository_object()
        elsewhere["spec"]["backend"]["rest"]["url"] = f"{remote.proxy.url}/elsewhere/"
        kube.apply(elsewhere)
        remote.apply_configuration()
        made.append(kube.get("repository", "local-repository", ns)["metadata"]["uid"])

    with remote.proxy.rule("POST", "/snapshots/", actions.calling(make_anew), times=1):
        remote.session("to-the-old-place")
        remote.finished("to-the-old-place", 120)
        assert made
    wait_until("the sidecar is done with it", lambda: "was not written" in remote.programs[-1].output() or "was taken away" in remote.programs[-1].output(), 60)
    status = kube.get("repository", "local-repository", ns).get("status", {})
    booked = {"firstBackupTime", "lastBackupTime", "firstSnapshotTime", "snapshotCount", "size", "integrity", "initialisation"} & status.keys()
    assert not booked, status
    # What nobody ever wrote to is made, and is no repository that "held backups and is gone".
    wait_until("it is injected again", remote.is_configured, 60)
    remote.session("to-the-new-place")
    ended = remote.finished("to-the-new-place", 120)
    assert ended["status"]["phase"] == "Succeeded", ended["status"]
    assert kube.get("repository", "local-repository", ns)["status"]["snapshotCount"] == 1


@pytest.mark.fault("F22", "F26", invariants="I5 I6 I7")
@pytest.mark.parametrize("workload", ["StatefulSet"], indirect=True)
def test_of_a_pod_and_its_successor_of_the_same_name_only_one_has_a_result(bench, workload):
    """The node of the old one is lost: its containers stand still, and go on when the new one has taken over."""
    workload.configure()
    old = workload.pod("web-0")
    workload.succeeds("first")
    workload.fill()
    workload.session("by-hand")
    workload.wait_until_running()
    workload.wait_for_restic_to_write()
    with stopped(old.pid, workload.restic_pid()):
        bench.kube.kubectl("delete", "pod", "web-0", "-n", workload.ns, "--grace-period=0", "--force")
        new = workload.pod("web-0")
        after = bench.kube.get("pod", "web-0", workload.ns)["metadata"]["uid"]
        wait_until("the new one has taken over", lambda: bench.kube.get("backupsession", "by-hand", workload.ns)["status"]["stats"][0]
                   .get("claim", {}).get("podUID") == after, 60)
    ended = workload.finished("by-hand", 180)
    assert ended["status"]["phase"] == "Succeeded", ended["status"]
    (host,) = ended["status"]["stats"]
    assert host["claim"]["podUID"] == after, host
    (told,) = host["snapshots"]
    assert told["name"] in [snapshot["short_id"] for snapshot in workload.snapshots_of("by-hand")]
    wait_until("the old one knows", lambda: "was taken away from this pod" in old.output(), 60)
    assert new.process.poll() is None
    workload.require_sound_repository()


@pytest.mark.fault("F2", "F22", invariants="I4 I13")
def test_a_restore_that_is_made_anew_while_nobody_looks_restarts_the_pods_and_is_no_restore_of_some_later_day(bench, workload):
    kube, ns = bench.kube, workload.ns
    workload.configure()
    workload.pod("web-1")
    workload.succeeds("first")
    workload.restore()
    kube.wait_for_phase("restoresession", "web-restore", ns, ("Succeeded",), 60)

    def pod_template():
        return kube.get("deployment", "web", ns)["spec"]["template"]

    of_the_old_one = pod_template()
    bench.controller.kill()
    kube.delete("restoresession", "web-restore", ns)
    kube.apply(objects.restore_session(ns, path=workload.source))
    bench.restart("controller")
    wait_until("the pods restart for the new one", lambda: pod_template() != of_the_old_one, 120)
    of_the_new_one = pod_template()
    restorer = workload.pod("web-restorer-2", ["restore", "--restore-session=web-restore"])
    assert restorer.process.wait(300) == 0, restorer.output()
    ended = kube.wait_for_phase("restoresession", "web-restore", ns, ("Succeeded",), 60)
    assert ended["status"]["stats"][0]["attempts"] == 1, ended["status"]
    assert api_ring.settled("the pod template", pod_template, same_for=5.0) == of_the_new_one, "it restarts the pods once"
    workload.succeeds("after-the-restore")


CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "backups"},
         "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}


@pytest.mark.fault("F22", "F36", "F43", invariants="I5 I11 I14")
@pytest.mark.parametrize("which", ["repository", "source"])
def test_a_claim_that_is_made_anew_has_an_empty_volume_which_is_no_new_beginning(bench, workload, which):
    kube, ns = bench.kube, workload.ns
    claim = dict(CLAIM, metadata={"name": "backups", "namespace": ns})
    kube.apply(claim)
    if which == "repository":
        kube.delete("repository", "local-repository", ns)
        on_a_claim = workload.repository_object()
        del on_a_claim["spec"]["backend"]["local"]["hostPath"]
        on_a_claim["spec"]["backend"]["local"]["persistentVolumeClaim"] = {"claimName": "backups"}
        kube.apply(on_a_claim)
    workload.configure(retentionPolicy=objects.keep_last(1))
    first = workload.pod("web-1")
    kept = workload.succeeds("first")
    first.stop()
    kube.delete("pod", "web-1", ns)
    # No controller here takes the finalizer away.
    kube.kubectl("delete", "pvc", "backups", "-n", ns, "--wait=false")
    kube.kubectl("patch", "pvc", "backups", "-n", ns, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    kube.apply(claim)
    emptied = workload.repository if which == "repository" else workload.source
    shutil.move(emptied, workload.directory / "old-volume")
    emptied.mkdir()
    workload.pod("web-2")
    workload.session("by-hand")
    ended = workload.finished("by-hand", 120)
    assert ended["status"]["phase"] == "Failed" and ended["status"]["stats"][0]["error"], ended["status"]
    if which == "repository":
        assert list(workload.repository.iterdir()) == [], "a repository that existed was made again"
    else:
        assert kept["id"] in [snapshot["id"] for snapshot in workload.snapshots()]
