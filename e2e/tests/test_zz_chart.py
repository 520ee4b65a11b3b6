"""The chart's life: upgrade, webhook outage, uninstall. Runs last, for it takes Stash away."""
import pytest

from stash_e2e import canaries, installation, objects
from stash_e2e.kube import wait_until
from test_rollouts import configure

pytestmark = pytest.mark.alone


def test_an_upgrade_of_the_chart_keeps_the_webhook_working_and_restarts_no_workload(place):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    before = place.kube.get("deployment", "web", place.ns)["spec"]["template"]
    place.kube.helm("upgrade", "stash", str(installation.paths.CHART), "-n", "stash", "-f", str(installation.VALUES),
                    "--set", "logLevel=debug", "--wait", "--timeout", "3m")
    bundle = place.kube.kubectl("get", "mutatingwebhookconfigurations", "-o", "jsonpath={.items[*].webhooks[*].clientConfig.caBundle}")
    assert bundle.strip(), "the upgrade wiped the CA bundle"
    place.kube.apply(objects.deployment(place.ns, place.source, name="second"))
    place.kube.apply(objects.backup_configuration(place.ns, name="second-backup", workload="second", schedule="0 0 1 1 *"))
    wait_until("a new workload is injected", lambda: [c for c in place.kube.get("deployment", "second", place.ns)["spec"]["template"]
                                                      ["spec"]["containers"] if c["name"] == "stash"], 60)
    assert place.kube.get("deployment", "web", place.ns)["spec"]["template"] == before


PASSWORD, WRONG, KEY = "canary of the/password+1", "canary of the wrong one", "canary/of+an access key"
OF_OTHER_TESTS = ["correct horse battery staple"]


@pytest.mark.fault("F80", invariants="I15")
def test_no_planted_secret_is_written_down_anywhere_whatever_the_verbosity(place):
    """After the upgrade, which made everybody talk; and after all other tests, whose logs are still there."""
    secret, wrong = objects.secret(place.ns, password=PASSWORD), objects.secret(place.ns, "wrong", password=WRONG)
    for one in (secret, wrong):
        one["stringData"]["AWS_SECRET_ACCESS_KEY"] = KEY
    place.kube.apply(secret, wrong, objects.repository(place.ns, place.repository, name="same-place", secret_name="wrong"))
    place.start_workload(with_secret=False)
    with canaries.CommandLines() as command_lines:
        configure(place)
        place.kube.apply(objects.backup_configuration(place.ns, name="wrong", schedule="0 0 1 1 *", repository="same-place"))
        place.wait_for_sidecar()
        assert place.trigger("right")["status"]["phase"] == "Succeeded"
        said = place.trigger("wrong", "wrong")["status"]
    assert said["phase"] == "Failed" and "wrong password" in said["stats"][0]["error"], said
    words = canaries.spellings([PASSWORD, WRONG, KEY, *OF_OTHER_TESTS])
    assert command_lines.with_any(["restic"]) and command_lines.with_any(words) == []
    logs = canaries.logs_of(place.kube.cluster)
    # Each of them is looked into: they do hold what they should. (Of an audit log that was full, nobody knows.)
    for place_of_log in logs:
        assert place_of_log.name.startswith("audit-") or canaries.files_with([place.ns], [place_of_log]), place_of_log
    assert canaries.files_with(words, logs) == []
    for where, text in canaries.objects_of(place.kube).items():
        assert not [word for word in words if word in text], where


@pytest.mark.fault("F60", invariants="I1 I8")
def test_with_the_webhook_down_workloads_are_admitted_and_are_injected_when_it_is_back(place):
    place.start_workload()
    place.kube.kubectl("scale", "deployment/stash-webhook", "-n", "stash", "--replicas=0")
    wait_until("no webhook runs", lambda: not place.kube.list("pods", "stash", "app.kubernetes.io/component=webhook"), 60)
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.kube.apply(objects.deployment(place.ns, place.source, replicas=2))
    place.kube.rollout("web", place.ns)
    assert [c["name"] for c in place.kube.get("deployment", "web", place.ns)["spec"]["template"]["spec"]["containers"]] == ["app"]
    place.kube.kubectl("scale", "deployment/stash-webhook", "-n", "stash", "--replicas=2")
    place.kube.rollout("stash-webhook", "stash")
    wait_until("the missed injection is repaired", lambda: [c for c in place.kube.get("deployment", "web", place.ns)["spec"]["template"]
                                                            ["spec"]["containers"] if c["name"] == "stash"], 90)


def test_uninstall_leaves_no_webhook_configuration_keeps_the_crds_and_workloads_keep_running(place):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    place.kube.helm("uninstall", "stash", "-n", "stash", "--wait")
    try:
        for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
            left = [o["metadata"]["name"] for o in place.kube.list(kind)]
            assert not [name for name in left if "stash" in name]
        assert place.kube.get("crd", "backupconfigurations.stash.appscode.com")
        assert place.kube.get("backupconfiguration", "web-backup", place.ns)
        place.kube.kubectl("rollout", "restart", "deployment/web", "-n", place.ns)
        place.kube.rollout("web", place.ns)
        place.kube.delete("backupconfiguration", "web-backup", place.ns)
    finally:
        installation.install(place.kube, print)
    wait_until("what was left behind is cleaned up after a new install", lambda: [
        c["name"] for c in place.kube.get("deployment", "web", place.ns)["spec"]["template"]["spec"]["containers"]] == ["app"], 90)
