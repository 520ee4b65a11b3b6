"""The manifests published with Stash's documentation, applied as they stand.

They are another project's and not in this tree: STASH_PUBLISHED_MANIFESTS, or ../shared/examples beside it, holds them. Manifests
of the same shapes, in our own words, are in docs/examples and in the other tests of this ring.
"""
import os
from pathlib import Path

import pytest
import yaml

from stash_e2e import paths
from stash_e2e.kube import run, wait_until

PUBLISHED = Path(os.environ.get("STASH_PUBLISHED_MANIFESTS", paths.ROOT.parent / "shared" / "examples"))
NS = "demo"  # as they say

pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"the published manifests are not here: {PUBLISHED}")


def apply(kube, file):
    run([paths.KUBECTL, "apply", "-f", file], env=kube.env)


def documents(file):
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def files(folder):
    return sorted((PUBLISHED / folder).glob("*.yaml"))


@pytest.fixture(scope="module")
def demo(kube, webhook):
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NS, "labels": {"stash.appscode.com/injection": "enabled"}}},
               *({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NS}, "stringData": {"RESTIC_PASSWORD": "x"}}
                 for name in ("gcs-secret", "local-secret")),
               # One restore names it, and no published manifest makes it.
               {"apiVersion": "stash.appscode.com/v1alpha1", "kind": "Repository", "metadata": {"name": "local-repo", "namespace": NS},
                "spec": {"backend": {"local": {"mountPath": "/safe/data", "hostPath": {"path": "/data/repo"}}, "storageSecretName": "local-secret"}}})
    yield kube


@pytest.fixture
def clean(demo):
    made = []
    yield made
    for document in reversed(made):
        demo.kubectl("delete", document["kind"].lower(), document["metadata"]["name"], "-n", NS, "--ignore-not-found", "--wait=false")


def test_every_published_repository_is_accepted(demo, clean):
    assert len(files("backends")) == 14
    for file in files("backends"):
        clean += documents(file)
        apply(demo, file)


def containers(kube, ref, kind):
    return [container["name"] for container in kube.get(ref["kind"].lower(), ref["name"], NS)["spec"]["template"]["spec"].get(kind, [])]


def kinds_of(file):
    return {document["kind"] for document in documents(file)}


@pytest.mark.parametrize("folder, backup", [("deployment", "deployment-backup"), ("statefulset", "ss-backup"), ("daemonset", "dmn-backup")])
def test_the_published_guides_are_followed_as_they_stand(demo, clean, folder, backup):
    """Each guide's workload gets its sidecar and CronJob, and each of its restores an init container."""
    guide = files(f"workloads/{folder}")
    restores = [file for file in guide if "RestoreSession" in kinds_of(file)]
    for file in sorted((f for f in guide if f not in restores), key=lambda f: "BackupConfiguration" in kinds_of(f)):
        clean += documents(file)
        apply(demo, file)
    target = demo.get("backupconfiguration", backup, NS)["spec"]["target"]["ref"]
    wait_until("the sidecar is injected", lambda: "stash" in containers(demo, target, "containers"), 30)
    cron_job = wait_until("the CronJob exists", lambda: demo.get("cronjob", f"stash-backup-{backup}", NS), 30)
    assert cron_job["spec"]["schedule"] == "*/1 * * * *"
    demo.kubectl("wait", f"backupconfiguration/{backup}", "-n", NS, "--for=condition=Ready", "--timeout=30s")

    for file in restores:
        clean += documents(file)
        apply(demo, file)
        [session] = [document for document in documents(file) if document["kind"] == "RestoreSession"]
        restored = session["spec"]["target"]["ref"]
        wait_until(f"{restored['name']} gets its init container", lambda: "stash-init" in containers(demo, restored, "initContainers"), 30)
        # Two of one guide have the same name.
        demo.delete("restoresession", session["metadata"]["name"], NS)
