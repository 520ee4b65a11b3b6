"""Backups in shapes that the main job does not have."""
import json
import os
import subprocess

import pytest

from stash_e2e import objects, pod_process
from stash_e2e.kube import wait_until
from test_kinds import wait_for_pods


def snapshots(place, password="correct horse battery staple"):
    listed = subprocess.run(["restic", "--no-cache", "--no-lock", "-r", str(place.repository), "snapshots", "--json"],
                            env={"RESTIC_PASSWORD": password, "PATH": "/usr/bin:/bin"}, check=True, capture_output=True, text=True)
    return json.loads(listed.stdout)


@pytest.mark.fault("F25", invariants="I7")
def test_two_replicas_of_a_deployment_take_one_snapshot(place):
    place.start_workload(replicas=2)
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    session = place.trigger()
    assert session["status"]["phase"] == "Succeeded"
    assert session["status"]["totalHosts"] == 1
    assert [h["hostname"] for h in session["status"]["stats"]] == ["host-0"]
    assert len(snapshots(place)) == 1


def test_a_repository_on_a_persistent_volume_claim_is_backed_up_to(place):
    place.repository.mkdir()
    place.kube.apply(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": place.ns},
         "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "",
                  "hostPath": {"path": str(place.repository)}, "claimRef": {"namespace": place.ns, "name": "backups"}}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "backups", "namespace": place.ns},
         "spec": {"accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": place.ns,
                  "resources": {"requests": {"storage": "1Gi"}}}})
    place.start_workload()
    place.kube.apply(objects.repository(place.ns, None, source={"persistentVolumeClaim": {"claimName": "backups"}}))
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    assert place.trigger()["status"]["phase"] == "Succeeded"
    assert len(snapshots(place)) == 1
    place.kube.kubectl("delete", "pv", place.ns, "--wait=false")


def test_a_change_of_schedule_retention_or_pause_restarts_no_pod(place):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    before = place.kube.get("deployment", "web", place.ns)["spec"]["template"]
    place.kube.apply(objects.backup_configuration(place.ns, schedule="5 4 * * *", paused=True,
                                                  retentionPolicy={"name": "keep-1", "keepLast": 1, "prune": False}))
    wait_until("the CronJob follows", lambda: [c for c in place.kube.list("cronjobs", place.ns)
                                               if c["spec"]["schedule"] == "5 4 * * *" and c["spec"]["suspend"]])
    wait_until("the controller has looked at the workload too", lambda: place.kube.get("backupconfiguration", "web-backup", place.ns)
               ["status"].get("observedGeneration") == place.kube.get("backupconfiguration", "web-backup", place.ns)["metadata"]["generation"])
    assert place.kube.get("deployment", "web", place.ns)["spec"]["template"] == before


def test_a_session_of_a_paused_configuration_is_skipped(place):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *", paused=True))
    session = place.trigger()
    assert session["status"]["phase"] == "Skipped"


@pytest.mark.fault("F3", invariants="I6 I7")
def test_killing_the_sidecar_in_the_middle_neither_loses_nor_doubles_the_backup(place):
    place.start_workload()
    for i in range(40):
        (place.source / f"large-{i}").write_bytes(os.urandom(3_000_000))
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    [pod] = wait_for_pods(place, 1, "containers", "stash")
    place.kube.apply(objects.backup_session(place.ns, "interrupted"))
    # Held, so that it is not done before the kubelet comes to kill it.
    with pod_process.held_in_the_middle_of_a_backup(pod, place.repository) as restic:
        place.kube.kubectl("delete", "pod", pod["metadata"]["name"], "-n", place.ns, "--grace-period=0", "--force", "--wait=false")
        wait_until("restic is dead", lambda: restic.status("State") in ("", "Z (zombie)"), 60)
    session = place.kube.wait_for_phase("backupsession", "interrupted", place.ns, ("Succeeded", "Failed"), 150)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert len(snapshots(place)) == 1


@pytest.mark.fault("F66", invariants="I1")
def test_the_sidecar_passes_pod_security_restricted(place):
    level = "pod-security.kubernetes.io/enforce"
    # The chart's own pods run where no other may.
    assert place.kube.get("namespace", "stash")["metadata"]["labels"][level] == "restricted"
    place.kube.kubectl("label", "namespace", place.ns, f"{level}=restricted")
    place.source.mkdir(parents=True)
    place.source.chmod(0o777)
    place.repository.mkdir()
    place.repository.chmod(0o777)
    for claim, directory in (("data", place.source), ("backups", place.repository)):
        place.kube.apply(
            {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"{place.ns}-{claim}"},
             "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "",
                      "hostPath": {"path": str(directory)}, "claimRef": {"namespace": place.ns, "name": claim}}},
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": claim, "namespace": place.ns},
             "spec": {"accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": f"{place.ns}-{claim}",
                      "resources": {"requests": {"storage": "1Gi"}}}})
    (place.source / "data.txt").write_text("readable by all")
    workload = objects.deployment(place.ns, None, volume={"persistentVolumeClaim": {"claimName": "data"}},
                                  pod_spec={"securityContext": {"runAsUser": 1234, "runAsGroup": 1234, "runAsNonRoot": True,
                                                                "seccompProfile": {"type": "RuntimeDefault"}}})
    workload["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    place.kube.apply(objects.secret(place.ns), workload,
                     objects.repository(place.ns, None, source={"persistentVolumeClaim": {"claimName": "backups"}}))
    place.kube.rollout("web", place.ns)
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    assert place.trigger()["status"]["phase"] == "Succeeded"
    place.kube.kubectl("create", "job", "now", "--from=cronjob/stash-backup-web-backup", "-n", place.ns)
    wait_until("the CronJob's pod has made a session that succeeds", lambda: [
        s for s in place.kube.list("backupsessions", place.ns) if s["metadata"]["name"] != "by-hand" and s.get("status", {}).get("phase") == "Succeeded"], 150)
    for claim in ("data", "backups"):
        place.kube.kubectl("delete", "pv", f"{place.ns}-{claim}", "--wait=false")
