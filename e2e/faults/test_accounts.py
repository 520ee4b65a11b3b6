"""The ServiceAccount under which a program works is deleted and made again: its token is worth nothing from then on (F20)."""
import json

import pytest

from stash_e2e.kube import wait_until
from stash_faults.bench import BenchWorkload, stopped, wait_until_ready


def by_token_file(kubeconfig):
    """The kubeconfig with its token in a file of its own, as in a pod; the kubelet replaces that file."""
    view = json.loads(kubeconfig.read_text())
    user = view["users"][0]["user"]
    token = kubeconfig.with_suffix(".token")
    if "token" in user:
        token.write_text(user["token"])
        view["users"][0]["user"] = {"tokenFile": str(token)}
        kubeconfig.write_text(json.dumps(view))
    return token


def make_account_anew(kube, ns, name):
    account = kube.get("serviceaccount", name, ns)
    kube.delete("serviceaccount", name, ns)
    kube.apply({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {key: account["metadata"][key] for key in ("name", "namespace", "labels") if key in account["metadata"]}})


def new_token(kube, ns, name):
    return kube.kubectl("create", "token", name, "-n", ns, "--duration=2h").strip()


def is_unauthorized(kube, ns, name, token):
    """The API server looks the account up in a cache of its own."""
    view = json.loads(kube.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    view["users"][0]["user"] = {"token": token}
    try:
        kube.kubectl("get", "--raw", "/apis", "--kubeconfig=/dev/stdin", stdin=json.dumps(view))
    except Exception as refused:  # noqa: BLE001 - whatever kubectl says
        return "nauthorized" in str(refused) or "must be logged in" in str(refused)
    return False


class RotatingWorkload(BenchWorkload):
    """Its sidecars read their token from a file."""

    def sidecar_program(self, pod, args=None):
        program = super().sidecar_program(pod, args)
        self.token = by_token_file(self.directory / f"{self.ns}-default.kubeconfig")
        return program


@pytest.fixture
def rotating(bench, ns, tmp_path):
    made = RotatingWorkload(bench, ns, tmp_path)
    yield made
    made.stop()


@pytest.mark.fault("F20", invariants="I3 I5 I6 I7")
def test_a_backup_outlives_the_deletion_of_its_serviceaccount_and_is_reported_with_the_next_token(bench, rotating, ns, recovery):
    kube = bench.kube
    rotating.fill()
    rotating.configure()
    sidecar = rotating.pod("web-1")
    rotating.session("by-hand")
    rotating.wait_for_restic_to_write()
    old = rotating.token.read_text()
    with stopped(rotating.restic_pid()):  # else it may be done, and told, with the old token
        make_account_anew(kube, ns, "default")
        wait_until("the old token is worth nothing", lambda: is_unauthorized(kube, ns, "default", old), 60)
    wait_until("the backup is done", rotating.snapshots, 120)
    wait_until("the sidecar was refused", lambda: "nauthorized" in sidecar.output(), 90)
    assert kube.get("backupsession", "by-hand", ns)["status"]["phase"] == "Running"
    recovery.fault_ended()
    rotating.token.write_text(new_token(kube, ns, "default"))
    assert rotating.finished("by-hand", 120)["status"]["phase"] == "Succeeded"
    recovery.recovered()
    rotating.require_one_snapshot()
    assert sidecar.process.poll() is None
    rotating.session("next")
    assert rotating.finished("next", 120)["status"]["phase"] == "Succeeded"


@pytest.mark.fault("F20", invariants="I6 I7 I19")
def test_a_controller_whose_serviceaccount_was_made_again_goes_on_with_the_next_token(bench, workload, ns, recovery):
    kube, controller = bench.kube, bench.controller
    kubeconfig = bench.directory / "stash-stash-operator.kubeconfig"
    token = by_token_file(kubeconfig)
    controller.stop()
    bench.restart("controller")
    workload.configure()
    workload.pod("web-1")
    old = token.read_text()
    make_account_anew(kube, "stash", "stash-operator")
    wait_until("the old token is worth nothing", lambda: is_unauthorized(kube, "stash", "stash-operator", old), 60)
    workload.session("by-hand")
    # Without a renewed lease it must end; the kubelet starts it again, and again.
    assert controller.process.wait(90) != 0
    said = len(controller.output())
    controller.start()
    wait_until("the next one was refused, too", lambda: "nauthorized" in controller.output()[said:], 60)
    assert not kube.get("backupsession", "by-hand", ns).get("status", {}).get("stats")
    recovery.fault_ended()
    token.write_text(new_token(kube, "stash", "stash-operator"))
    if controller.process.poll() is not None:
        controller.start()
    wait_until_ready(controller)
    assert workload.finished("by-hand", 120)["status"]["phase"] == "Succeeded"
    recovery.recovered()
    workload.require_one_snapshot()
