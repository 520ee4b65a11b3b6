"""helm upgrade: from chart and programs of an earlier commit. Changes the release, so it runs last."""
import pytest

from stash_e2e import installation, objects, paths, previous
from stash_e2e.cluster_command import cluster
from stash_e2e.kube import wait_until
from test_rollouts import configure, succeeds

pytestmark = [pytest.mark.alone, pytest.mark.slow]
OLD, NEW = "localhost/stash:previous", "localhost/stash:dev"


@pytest.fixture
def previous_image(kube):
    """The programs of an earlier commit, in the cluster."""
    cluster("load", kube.cluster, previous.image(OLD))


@pytest.fixture
def as_it_was(kube):
    yield
    installation.install(kube, print)


def upgrade(kube, chart, *more):
    kube.helm("upgrade", "stash", chart, "-n", "stash", "-f", chart / "ci/test-values.yaml", *more, "--wait", "--timeout", "3m")


def sidecar_image(place, name):
    containers = place.kube.get("deployment", name, place.ns)["spec"]["template"]["spec"]["containers"]
    return {c["name"]: c["image"] for c in containers}.get("stash")


def rollouts(place, name):
    """Each change of the template makes a ReplicaSet."""
    return len([one for one in place.kube.list("replicasets", place.ns) if one["metadata"]["ownerReferences"][0]["name"] == name])


def running(place, name):
    return {pod["metadata"]["uid"] for pod in place.kube.list("pods", place.ns, f"app={name}")
            if not pod["metadata"].get("deletionTimestamp")}


def test_after_an_upgrade_sidecars_get_the_new_image_with_the_next_rollout_or_at_once(place, tmp_path, previous_image, as_it_was):
    upgrade(place.kube, previous.chart(tmp_path), "--set", "image.tag=previous")
    place.start_workload()
    place.kube.apply(objects.deployment(place.ns, place.source, name="second"))
    configure(place)
    place.kube.apply(objects.backup_configuration(place.ns, name="second-backup", workload="second", schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    wait_until("both have the old sidecar", lambda: [sidecar_image(place, name) for name in ("web", "second")] == [OLD, OLD], 60)
    place.kube.rollout("second", place.ns)
    succeeds(place, "before-the-upgrade")
    before = {name: (running(place, name), rollouts(place, name)) for name in ("web", "second")}

    upgrade(place.kube, paths.CHART)
    wait_until("the new controller has looked at them", lambda: {
        cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"] for cron in place.kube.list("cronjobs", place.ns)
    } == {NEW}, 60)
    # One that is told to stop still answers for some seconds.
    wait_until("the webhooks of before are gone", lambda: {
        pod["spec"]["containers"][0]["image"] for pod in place.kube.list("pods", "stash", "app.kubernetes.io/component=webhook")} == {NEW}, 90)
    succeeds(place, "with-the-old-sidecar")
    assert {name: (running(place, name), rollouts(place, name)) for name in before} == before
    place.kube.kubectl("rollout", "restart", "deployment/web", "-n", place.ns)
    place.kube.rollout("web", place.ns)
    assert [sidecar_image(place, name) for name in ("web", "second")] == [NEW, OLD]
    assert rollouts(place, "web") == before["web"][1] + 1
    succeeds(place, "with-the-new-sidecar")
    restarted = running(place, "web")

    upgrade(place.kube, paths.CHART, "--set", "sidecar.upgrade=at-once")
    wait_until("the second one is restarted too", lambda: sidecar_image(place, "second") == NEW, 60)
    place.kube.rollout("second", place.ns)
    session = place.trigger("of-the-second", "second-backup")
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert rollouts(place, "second") == before["second"][1] + 1
    assert (running(place, "web"), rollouts(place, "web")) == (restarted, before["web"][1] + 1), "what is up to date restarts nothing"
