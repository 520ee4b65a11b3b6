"""Every kind of workload: backed up host by host, restored, and put back as its author wrote it."""
import subprocess

import pytest

from stash_e2e import objects
from stash_e2e.kube import wait_until


def containers(pod, kind="containers"):
    return [container["name"] for container in pod["spec"].get(kind, [])]


def is_ready(pod):
    return not pod["metadata"].get("deletionTimestamp") and any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in pod["status"].get("conditions", []))


def wait_for_pods(place, count, kind, name, there=True, seconds=150):
    """Until `count` pods are ready, and all of them have (or lack) that container."""
    def probe():
        pods = place.kube.list("pods", place.ns, "app=web")
        fits = all(is_ready(pod) and (name in containers(pod, kind)) == there for pod in pods)
        return {"pods": pods} if fits and len(pods) == count else None
    return wait_until(f"{count} pods {'with' if there else 'without'} {name}", probe, seconds)["pods"]


def back_up(place, kind, hosts):
    place.kube.apply(objects.aimed_at(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"), kind))
    wait_for_pods(place, len(hosts), "containers", "stash")
    session = place.trigger()
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert session["status"]["totalHosts"] == len(hosts)
    assert {host["hostname"] for host in session["status"]["stats"]} == set(hosts)


def restore(place, kind, count):
    place.kube.apply(objects.aimed_at(objects.restore_session(place.ns), kind))
    session = place.kube.wait_for_phase("restoresession", "web-restore", place.ns, ("Succeeded", "Failed"), 200)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    wait_for_pods(place, count, "initContainers", "stash-init")


def starts(place, kind, directory, volume=None, **more):
    place.kube.apply(objects.secret(place.ns), objects.repository(place.ns, place.repository),
                     objects.workload(place.ns, kind, directory, volume=volume, **more))


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
def test_a_workload_that_does_not_replace_its_pods_is_backed_up_and_restored(place, kind):
    place.source.mkdir()
    (place.source / "data.txt").write_text("worth keeping\n")
    starts(place, kind, place.source, replicas=2)
    before = wait_for_pods(place, 2, "containers", "stash", there=False)
    place.kube.apply(objects.aimed_at(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"), kind))
    wait_for_pods(place, 2, "containers", "stash")
    session = place.trigger()
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert [host["hostname"] for host in session["status"]["stats"]] == ["host-0"]
    (place.source / "data.txt").unlink()
    restore(place, kind, 2)
    assert (place.source / "data.txt").read_text() == "worth keeping\n"
    place.kube.delete("restoresession", "web-restore", place.ns)
    place.kube.delete("backupconfiguration", "web-backup", place.ns)
    after = wait_for_pods(place, 2, "containers", "stash", there=False)
    assert {p["metadata"]["uid"] for p in before}.isdisjoint(p["metadata"]["uid"] for p in after)


def volume_of(place, ordinal):
    """The volume that the claim of this ordinal will be bound to."""
    directory = place.directory / f"data-{ordinal}"
    directory.mkdir()
    place.kube.delete("persistentvolume", f"{place.ns}-{ordinal}")  # of an earlier run on a cluster that was kept
    place.kube.apply(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"{place.ns}-{ordinal}"},
         "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "",
                  "hostPath": {"path": str(directory)},
                  "claimRef": {"namespace": place.ns, "name": f"source-data-web-{ordinal}"}}})
    return directory


def with_a_volume_each(ns):
    """A StatefulSet whose two ordinals have a volume of their own, as volume_of() makes it."""
    workload = objects.workload(ns, "StatefulSet", None, replicas=2, volume={"emptyDir": {}})
    workload["spec"]["template"]["spec"]["volumes"] = []
    workload["spec"]["volumeClaimTemplates"] = [
        {"metadata": {"name": "source-data"},
         "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}}}]
    return workload


def test_each_ordinal_of_a_stateful_set_gets_its_own_data_back(place):
    directories = [volume_of(place, ordinal) for ordinal in range(2)]
    for ordinal, directory in enumerate(directories):
        (directory / "who.txt").write_text(f"ordinal {ordinal}\n")
    workload = with_a_volume_each(place.ns)
    place.kube.apply(objects.secret(place.ns), objects.repository(place.ns, place.repository), workload)
    wait_for_pods(place, 2, "containers", "stash", there=False)
    back_up(place, "StatefulSet", ["host-0", "host-1"])
    for directory in directories:
        (directory / "who.txt").unlink()
    restore(place, "StatefulSet", 2)
    assert [(directory / "who.txt").read_text() for directory in directories] == ["ordinal 0\n", "ordinal 1\n"]
    for ordinal in range(2):
        place.kube.kubectl("delete", "pv", f"{place.ns}-{ordinal}", "--wait=false")


def test_a_daemon_set_is_backed_up_under_the_name_of_its_node(place):
    place.source.mkdir()
    (place.source / "data.txt").write_text("of this node\n")
    starts(place, "DaemonSet", place.source)
    wait_for_pods(place, 1, "containers", "stash", there=False)
    node = place.kube.list("nodes")[0]["metadata"]["name"]
    back_up(place, "DaemonSet", [node])
    listed = subprocess.run(["restic", "--no-cache", "--no-lock", "-r", str(place.repository), "snapshots", "--host", node],
                            env={"RESTIC_PASSWORD": "correct horse battery staple", "PATH": "/usr/bin:/bin"}, check=True,
                            capture_output=True, text=True)
    assert "1 snapshots" in listed.stdout
    (place.source / "data.txt").unlink()
    restore(place, "DaemonSet", 1)
    assert (place.source / "data.txt").read_text() == "of this node\n"


@pytest.mark.fault("F30", invariants="I6")
def test_a_stateful_set_scaled_to_zero_in_the_middle_ends_its_session_truthfully(place):
    place.source.mkdir()
    (place.source / "data.txt").write_text("worth keeping\n")
    starts(place, "StatefulSet", place.source)
    wait_for_pods(place, 1, "containers", "stash", there=False)
    place.kube.apply(objects.aimed_at(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"), "StatefulSet"))
    wait_for_pods(place, 1, "containers", "stash")
    place.kube.kubectl("scale", "statefulset/web", "-n", place.ns, "--replicas=0")
    wait_for_pods(place, 0, "containers", "stash")
    place.kube.apply(objects.backup_session(place.ns, "late"))
    waiting = wait_until("the session says what it waits for", lambda: [
        c for c in (place.kube.get("backupsession", "late", place.ns) or {}).get("status", {}).get("conditions", [])
        if c["reason"] == "ScaledToZero"], 60)[0]
    assert "scale it up" in waiting["message"]
    place.kube.kubectl("scale", "statefulset/web", "-n", place.ns, "--replicas=1")
    done = place.kube.wait_for_phase("backupsession", "late", place.ns, ("Succeeded", "Failed", "Skipped"), 120)
    assert done["status"]["phase"] == "Succeeded", done["status"]


def test_two_configurations_with_repositories_of_their_own_share_one_sidecar(place):
    place.start_workload()
    second_secret = objects.secret(place.ns, name="second-secret", password="another")
    second = objects.repository(place.ns, place.directory / "second", name="second", secret_name="second-secret")
    place.kube.apply(second_secret, second, objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    place.kube.apply(objects.backup_configuration(place.ns, name="also", schedule="0 0 1 1 *", repository="second"))
    place.kube.kubectl("wait", "backupconfiguration/also", "-n", place.ns, "--for=condition=Ready", "--timeout=60s")
    place.kube.rollout("web", place.ns)
    assert [containers(pod).count("stash") for pod in wait_for_pods(place, 1, "containers", "stash")] == [1]
    place.kube.apply(objects.backup_session(place.ns, "first"), objects.backup_session(place.ns, "second", "also"))
    for name in ("first", "second"):
        session = place.kube.wait_for_phase("backupsession", name, place.ns, ("Succeeded", "Failed", "Skipped"), 120)
        assert session["status"]["phase"] == "Succeeded", session["status"]
    for directory, password in ((place.repository, "correct horse battery staple"), (place.directory / "second", "another")):
        listed = subprocess.run(["restic", "--no-cache", "--no-lock", "-r", str(directory), "snapshots"], check=True,
                                env={"RESTIC_PASSWORD": password, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
        assert "1 snapshots" in listed.stdout
