"""docs/uninstall.md, "All of it", followed word by word. Takes Stash and its kinds away and installs them again, so it runs late."""
import re
import subprocess

import pytest

from stash_e2e import installation, objects, paths
from stash_e2e.kube import wait_until
from test_rollouts import configure, succeeds

pytestmark = [pytest.mark.alone, pytest.mark.slow]
KINDS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations", "clusterroles", "clusterrolebindings", "crds", "priorityclasses")
IN_NAMESPACES = ("cronjobs", "serviceaccounts", "roles", "rolebindings", "jobs", "leases")


def commands():
    """The indented blocks of the section, one per step."""
    section = (paths.ROOT / "docs/uninstall.md").read_text().split("## All of it\n")[1].split("\n## ")[0]
    return [re.sub(r"^ {7}", "", block, flags=re.M) for block in re.findall(r"(?:^ {7,}\S.*\n)+", section, re.M)]


def run(kube, text):
    return subprocess.run(["bash", "-euo", "pipefail"], input=text, env=dict(kube.env, PATH=f"{paths.KUBECTL.parent}:{paths.HELM.parent}:/usr/bin:/bin"),
                          text=True, capture_output=True, timeout=300)


def names_of_ours(kube):
    """Objects whose name or label says that they are ours, wherever they are."""
    found = [(kind, o) for kind in KINDS for o in kube.list(kind)] + [(kind, o) for kind in IN_NAMESPACES for o in _everywhere(kube, kind)]
    return {f"{kind}/{o['metadata']['name']}" for kind, o in found
            if "stash" in o["metadata"]["name"] or "stash" in str(o["metadata"].get("labels"))}


def _everywhere(kube, kind):
    return [o for ns in kube.list("namespaces") for o in kube.list(kind, ns["metadata"]["name"])]


def test_the_commands_of_the_document_leave_the_workload_its_backups_and_nothing_of_stash(place):
    kube = place.kube
    place.start_workload()
    configure(place)
    place.wait_for_sidecar()
    succeeds(place, "the-last-one")
    kube.apply({"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupBlueprint", "metadata": {"name": place.ns},
                "spec": {"backend": objects.repository(place.ns, f"{place.repository}-${{TARGET_NAME}}")["spec"]["backend"],
                         "schedule": "0 0 1 1 *", "retentionPolicy": {"name": "keep-last-5", "keepLast": 5, "prune": True}}},
               objects.deployment(place.ns, place.source, name="annotated"))
    kube.kubectl("annotate", "deployment/annotated", "-n", place.ns, f"stash.appscode.com/backup-blueprint={place.ns}",
                 f"stash.appscode.com/target-paths={objects.SOURCE}", f"stash.appscode.com/volume-mounts=source-data:{objects.SOURCE}")
    wait_until("the blueprint is at work", lambda: kube.get("backupconfiguration", "deployment-annotated", place.ns), 60)
    assert names_of_ours(kube)
    steps = commands()
    assert len(steps) == 5
    try:
        for number, text in enumerate(steps, 1):
            if number == 2:  # it prints what is left, so its exit code is that of a grep which finds nothing
                wait_until("no pod has a container of ours", lambda: (done := run(kube, text)).stdout == done.stderr == "", 120)
                continue
            done = run(kube, text)
            assert done.returncode == 0, f"step {number}:\n{text}\n{done.stdout}{done.stderr}"
        wait_until("nothing of ours is left", lambda: names_of_ours(kube) == set(), 60)
        for name in ("web", "annotated"):
            kube.rollout(name, place.ns)
            template = kube.get("deployment", name, place.ns)["spec"]["template"]
            assert [c["name"] for c in template["spec"]["containers"]] == ["app"]
            assert not template["spec"].get("initContainers")
        assert list(place.repository.glob("snapshots/*")), "backups stay"
    finally:
        installation.install(kube, print)
