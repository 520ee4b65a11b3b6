"""Backup by annotation on a cluster, where sidecars run and what an owner takes along is collected."""
import pytest

from stash_e2e import objects
from stash_e2e.kube import wait_until

PREFIX = "stash.appscode.com"


@pytest.fixture
def blueprint(place):
    backend = objects.repository(place.ns, f"{place.repository}-${{TARGET_KIND}}-${{TARGET_NAME}}")["spec"]["backend"]
    place.kube.apply({"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupBlueprint", "metadata": {"name": place.ns},
                      "spec": {"backend": backend, "schedule": "0 0 1 1 *", "retentionPolicy": {"name": "keep-last-5", "keepLast": 5, "prune": True}}})
    yield place.ns
    place.kube.delete("backupblueprint", place.ns)


def test_an_annotated_workload_is_backed_up_and_takes_its_configuration_along_but_never_its_backups(place, blueprint):
    kube, made = place.kube, "deployment-web"
    place.start_workload()
    kube.kubectl("annotate", "deployment/web", "-n", place.ns, f"{PREFIX}/backup-blueprint={blueprint}", f"{PREFIX}/target-paths={objects.SOURCE}",
                 f"{PREFIX}/volume-mounts=source-data:{objects.SOURCE}")
    wait_until("the BackupConfiguration is made", lambda: kube.get("backupconfiguration", made, place.ns), 30)
    kube.kubectl("wait", f"backupconfiguration/{made}", "-n", place.ns, "--for=condition=Ready", "--timeout=60s")
    kube.rollout("web", place.ns)
    session = place.trigger("by-hand", made)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert wait_until("it is counted", lambda: kube.get("repository", made, place.ns)["status"].get("snapshotCount"), 30) == 1
    kube.delete("deployment", "web", place.ns)
    wait_until("the BackupConfiguration goes with its workload", lambda: not kube.get("backupconfiguration", made, place.ns), 60)
    assert kube.get("repository", made, place.ns)["status"]["snapshotCount"] == 1
    assert list(place.repository.parent.glob(f"{place.repository.name}-deployment-web/snapshots/*"))
