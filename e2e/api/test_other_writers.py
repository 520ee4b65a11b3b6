"""Tools that write a workload again and again (F86): each of them keeps what it wants, the sidecar stays, nobody fights.

There is no node here, so what counts is the Deployment: a generation that grows is a rollout, or somebody's vain write.
"""
import json
import subprocess
import time

import pytest

from stash_e2e import api_ring, objects, paths
from stash_e2e.kube import wait_until
from stash_e2e.other_injector import OtherInjector

from test_programs import Workload, containers

GITOPS = ["--server-side", "--force-conflicts", "--field-manager=gitops-controller"]


@pytest.fixture
def workload(kube, ns, tmp_path, controller, webhook):
    made = Workload(kube, ns, tmp_path)
    yield made
    made.stop()


def deployment(kube, ns):
    return kube.get("deployment", "web", ns)


def drift(kube, manifest, *how):
    """What kubectl diff shows: the lines that such a tool would call out of sync."""
    done = subprocess.run([str(paths.KUBECTL), "diff", *how, "-f", "-"], input=manifest, env=dict(kube.env, KUBECTL_EXTERNAL_DIFF="diff -u -N"),
                          text=True, capture_output=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.fault("F86", invariants="I2 I4")
@pytest.mark.parametrize("how", [[], GITOPS], ids=["apply", "server-side-apply"])
def test_a_gitops_tool_that_applies_its_manifest_every_second_sees_no_drift_and_starts_no_rollout(kube, ns, workload, how):
    manifest = json.dumps(objects.deployment(ns, workload.source))
    kube.kubectl("apply", *how, "-f", "-", stdin=manifest)
    workload.configure()
    before = api_ring.settled("the Deployment", lambda: deployment(kube, ns)["metadata"]["generation"], same_for=2.0)
    for _ in range(6):
        written = json.loads(kube.kubectl("apply", *how, "-o", "json", "-f", "-", stdin=manifest))
        assert written["metadata"]["generation"] == before
        assert drift(kube, manifest, *how) == ""
        time.sleep(1)  # the tool's own pace
    assert (deployment(kube, ns)["metadata"]["generation"], containers(kube, ns)) == (before, ["app", "stash"])
    # A new version of the application is one rollout, and in it is the sidecar.
    changed = objects.deployment(ns, workload.source)
    changed["spec"]["template"]["metadata"]["annotations"] = {"version": "2"}
    kube.kubectl("apply", *how, "-f", "-", stdin=json.dumps(changed))
    assert api_ring.settled("the Deployment", lambda: deployment(kube, ns)["metadata"]["generation"], same_for=2.0) == before + 1
    assert containers(kube, ns) == ["app", "stash"] and drift(kube, json.dumps(changed), *how) == ""


def chart(directory, ns, source):
    """A chart with the same Deployment; its author may change replicas and a version."""
    made = objects.deployment(ns, source)
    made["spec"]["replicas"] = "{{ .Values.replicas }}"
    made["spec"]["template"]["metadata"]["annotations"] = {"version": "{{ .Values.version }}"}
    text = json.dumps(made).replace('"{{ .Values.replicas }}"', "{{ .Values.replicas }}")
    (directory / "templates").mkdir(parents=True)
    (directory / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (directory / "values.yaml").write_text("replicas: 1\nversion: one\n")
    (directory / "templates" / "web.yaml").write_text(text)
    return directory


@pytest.mark.fault("F86", invariants="I2 I4")
def test_helm_upgrades_and_rolls_back_a_chart_whose_workload_has_a_sidecar(kube, ns, workload, tmp_path):
    kube.delete("deployment", "web", ns)
    release = ["web", str(chart(tmp_path / "chart", ns, workload.source)), "-n", ns]
    kube.helm("install", *release)
    workload.configure()

    def seen():
        found = deployment(kube, ns)
        return found["metadata"]["generation"], containers(kube, ns), found["spec"]["template"]["metadata"]["annotations"]["version"], found["spec"]["replicas"]

    generation, *_ = api_ring.settled("the Deployment", seen, same_for=2.0)
    injected = deployment(kube, ns)["spec"]["template"]
    assert seen() == (generation, ["app", "stash"], "one", 1)
    kube.helm("upgrade", *release)
    assert seen()[0] == generation, "an upgrade to the same is no change"
    kube.helm("upgrade", *release, "--set", "replicas=2")
    assert seen() == (generation + 1, ["app", "stash"], "one", 2)
    kube.helm("upgrade", *release, "--set", "version=two")
    assert seen() == (generation + 2, ["app", "stash"], "two", 1)
    kube.helm("rollback", "web", "1", "-n", ns)
    assert api_ring.settled("the Deployment", seen, same_for=2.0) == (generation + 3, ["app", "stash"], "one", 1)
    assert deployment(kube, ns)["spec"]["template"] == injected, "sidecar, its volumes and annotations go together"
    kube.delete("backupconfiguration", "web-backup", ns)
    api_ring.wait_until("the sidecar is gone", lambda: containers(kube, ns) == ["app"], 30)
    gone = deployment(kube, ns)["spec"]["template"]
    kube.helm("upgrade", *release)
    assert deployment(kube, ns)["spec"]["template"] == gone


@pytest.mark.fault("F86", "F30", invariants="I4 I5 I6 I7")
def test_an_autoscaler_that_changes_its_mind_in_the_middle_of_a_session_disturbs_nothing(kube, ns, workload):
    workload.fill()
    workload.configure()
    workload.pod("web-1")
    before = deployment(kube, ns)["spec"]["template"]
    workload.session("by-hand")
    workload.wait_for_restic_to_write()
    for step, replicas in enumerate((3, 5, 1, 2)):  # by the subresource, as a HorizontalPodAutoscaler does
        kube.kubectl("scale", "deployment/web", "-n", ns, f"--replicas={replicas}")
        if step < 2:
            workload.pod(f"web-{step + 2}")
    kube.kubectl("delete", "pod", "web-3", "-n", ns, "--grace-period=0", "--force")  # scaled down again: the youngest goes
    workload.programs[-1].stop()
    session = workload.finished("by-hand", 120)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert session["status"]["totalHosts"] == 1 and "lostPods" not in session["status"]
    assert len(workload.snapshots()) == 1
    assert deployment(kube, ns)["spec"]["template"] == before
    workload.session("next")
    assert workload.finished("next", 120)["status"]["phase"] == "Succeeded"


@pytest.mark.fault("F61", invariants="I1 I2 I4")
@pytest.mark.parametrize("name", ["aa-other", "zz-other"], ids=["asked-before", "asked-after"])
def test_another_injector_in_either_order_keeps_its_container_and_the_sidecar_is_there_once_and_at_rest(kube, ns, workload, tmp_path, name):
    generation = lambda: deployment(kube, ns)["metadata"]["generation"]  # noqa: E731
    (tmp_path / "other").mkdir()
    with OtherInjector(kube, name, ns, tmp_path / "other") as other:
        workload.configure()
        kube.kubectl("label", "deployment", "web", "-n", ns, "touched=by-somebody")
        before = api_ring.settled("the Deployment", generation, same_for=3.0)
        assert other.asked and sorted(containers(kube, ns)) == ["app", "other", "stash"]
        # Whoever writes it again, nothing follows: no rollout, and no nudge of ours.
        for i in range(3):
            kube.kubectl("label", "deployment", "web", "-n", ns, f"round={i}", "--overwrite")
            assert api_ring.settled("the Deployment", generation, same_for=2.0) == before
        # One change of the application is one rollout.
        kube.kubectl("patch", "deployment", "web", "-n", ns, "--type=merge", "-p", '{"spec":{"template":{"metadata":{"annotations":{"version":"2"}}}}}')
        assert api_ring.settled("the Deployment", generation, same_for=3.0) == before + 1
        made = kube.get("deployment", "web", ns)["spec"]["template"]["spec"]["containers"]
        assert sorted(container["name"] for container in made) == ["app", "other", "stash"]
        # The sidecar goes with its configuration, and takes nothing of the other's with it.
        kube.delete("backupconfiguration", "web-backup", ns)
        wait_until("the sidecar is gone", lambda: sorted(containers(kube, ns)) == ["app", "other"], 30)
        assert any(variable["name"] == "OTHER" for container in kube.get("deployment", "web", ns)["spec"]["template"]["spec"]["containers"]
                   if container["name"] == "app" for variable in container.get("env", []))
