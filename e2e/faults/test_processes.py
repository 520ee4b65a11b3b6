"""Our own programs are killed or stand still (F1, F2, F5, F7, F10)."""
import time

import pytest

from stash_e2e import api_ring, objects, tree
from stash_e2e.kube import wait_until
from stash_faults.bench import LEASE, containers, stopped


@pytest.fixture(autouse=True)
def everything_runs(bench):
    yield
    for name in ("controller", "webhook"):
        if getattr(bench, name).process.poll() is not None:
            bench.restart(name)


@pytest.mark.fault("F1", invariants="I1 I2 I8")
def test_pods_are_made_while_the_webhook_dies_again_and_again_and_are_healed_afterwards(bench, workload, ns, recovery):
    kube = bench.kube
    kube.apply(objects.backup_configuration(ns, schedule="0 0 1 1 *", mount_path=workload.source, paths=[str(workload.source)]))
    for round_ in range(3):
        bench.webhook.kill()
        kube.apply(objects.deployment(ns, workload.source, pod_spec={"hostname": f"round-{round_}"}))  # must be admitted
        bench.webhook.start()
        kube.kubectl("label", "deployment", "web", "-n", ns, f"round={round_}", "--overwrite")  # while it starts
    bench.webhook.kill()
    kube.apply(objects.deployment(ns, workload.source, pod_spec={"hostname": "last"}))
    bench.restart("webhook")
    recovery.fault_ended()
    wait_until("the sidecar is injected", lambda: containers(kube, ns).count("stash") == 1, 120)
    recovery.recovered(within=30)
    condition = wait_until("the condition follows", lambda: (found := kube.condition("backupconfiguration", "web-backup", ns, "StashSidecarInjected"))
                           and found["status"] == "True" and found, 60)
    assert condition["status"] == "True"
    template = kube.get("deployment", "web", ns)["spec"]["template"]["spec"]
    assert template["hostname"] == "last" and [c["name"] for c in template["containers"]] == ["app", "stash"]


@pytest.mark.fault("F2", invariants="I5 I6 I7")
def test_a_controller_that_is_killed_while_a_session_runs_finishes_it_when_it_is_back(bench, workload, recovery):
    workload.configure()
    workload.fill()
    workload.pod("web-1")
    workload.session("by-hand")
    workload.wait_for_restic_to_write()
    bench.controller.kill()
    wait_until("the sidecar has written its result", lambda: [host for host in bench.kube.get("backupsession", "by-hand", workload.ns)["status"]["stats"]
                                                              if host.get("phase") == "Succeeded"], 90)
    assert bench.kube.get("backupsession", "by-hand", workload.ns)["status"]["phase"] == "Running"
    bench.controller.start()
    recovery.fault_ended()
    assert workload.finished("by-hand", 60)["status"]["phase"] == "Succeeded"
    recovery.recovered()
    workload.require_one_snapshot()


def leads(kube, controller):
    lease = kube.get("lease", LEASE, "stash") or {"spec": {}}
    return lease["spec"].get("holderIdentity", "").endswith(f"_{controller.pid}")


@pytest.mark.fault("F7", "F10", "F26", invariants="I4 I7")
def test_a_leader_that_stood_still_beyond_its_lease_ends_without_a_write(bench, workload, recovery):
    kube = bench.kube
    first = bench.controller
    wait_until("the first one leads", lambda: leads(kube, first), 60)
    (bench.directory / "second").mkdir(exist_ok=True)
    second = api_ring.start_controller(kube, bench.directory / "second")
    try:
        with stopped(first.pid):
            wait_until("the second one leads", lambda: leads(kube, second), 60)
            before = len(bench.proxies["controller"].calls)
            workload.configure()  # work that the first one sees when it wakes
        recovery.fault_ended()
        assert first.process.wait(30) != 0
        # What it sent after it woke up: reads, and its try to renew.
        writes = [call for call in bench.proxies["controller"].calls[before:] if call.method != "GET" and "/leases/" not in call.target]
        assert writes == []
        session = workload.back_up("by-hand")
        assert session["status"]["phase"] == "Succeeded"
        recovery.recovered()
    finally:
        second.stop()


@pytest.mark.slow
@pytest.mark.fault("F7", invariants="I5 I6 I7 I12")
@pytest.mark.parametrize("who, seconds", [(("restic",), 5), (("sidecar",), 5), (("sidecar", "restic"), 20), (("controller",), 5)],
                         ids=["restic", "sidecar", "sidecar-and-restic", "controller"])
def test_who_stood_still_during_a_backup_goes_on_and_completes_it(bench, workload, recovery, who, seconds):
    workload.fill()
    workload.configure()
    pod = workload.pod("web-1")
    workload.session("by-hand")
    workload.wait_for_restic_to_write()
    pids = {"sidecar": pod.pid, "restic": workload.restic_pid(), "controller": bench.controller.pid}
    with stopped(*(pids[name] for name in who)):
        time.sleep(seconds)  # the fault itself
    recovery.fault_ended()
    assert workload.finished("by-hand", 120)["status"]["phase"] == "Succeeded"
    recovery.recovered()
    workload.require_one_snapshot()
    workload.require_sound_repository()
    assert not list((workload.repository / "locks").iterdir())
    assert bench.controller.process.poll() is None, "a pause shorter than its lease ended the controller"


@pytest.mark.fault("F7", "F60", invariants="I1 I4")
def test_a_webhook_that_stands_still_in_a_review_delays_a_workload_and_no_more(bench, workload, recovery):
    kube, ns = bench.kube, workload.ns
    workload.configure()
    with stopped(bench.webhook.pid):
        began = time.monotonic()
        kube.apply(objects.deployment(ns, workload.source, name="late"))
        assert time.monotonic() - began < 15, "its time limit is 5 s; who checks the author's rights has none to check here"
        assert containers(kube, ns, "late") == ["app"]
        # One that drops the sidecar, as its author knows of none.
        kube.kubectl("patch", "deployment", "web", "-n", ns, "--type=json", "-p", '[{"op":"remove","path":"/spec/template/spec/containers/1"}]')
        assert containers(kube, ns) == ["app"]
    recovery.fault_ended()
    wait_until("the sidecar is back", lambda: containers(kube, ns) == ["app", "stash"], 120)
    recovery.recovered(within=30)


@pytest.mark.fault("F5", invariants="I13")
def test_a_restore_that_is_killed_is_done_again_from_the_beginning_and_is_whole(bench, workload, recovery):
    kube, ns = bench.kube, workload.ns
    workload.fill()
    tree.make_tree(workload.source / "tree", files=60)
    workload.configure()
    workload.pod("web-1")
    workload.session("before")
    assert workload.finished("before", 120)["status"]["phase"] == "Succeeded"
    expected = tree.fingerprint(workload.source)
    tree.destroy(workload.source)
    kube.apply(objects.restore_session(ns, path=workload.source))
    wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
    first = workload.pod("web-2", ["restore", "--restore-session=web-restore"])
    wait_until("restic restores", lambda: any(workload.source.rglob("*")), 60, every=0.01)
    first.kill()
    assert kube.get("restoresession", "web-restore", ns)["status"]["phase"] != "Succeeded"
    recovery.fault_ended()
    again = workload.sidecar(kube.get("pod", "web-2", ns), ["restore", "--restore-session=web-restore"])
    assert again.process.wait(120) == 0, again.output()
    recovery.recovered()
    kube.wait_for_phase("restoresession", "web-restore", ns, ("Succeeded",), 30)
    assert tree.differences(expected, tree.fingerprint(workload.source)) == []


@pytest.mark.fault("F8", invariants="I3")
def test_a_sidecar_whose_configuration_vanishes_or_becomes_nonsense_neither_exits_nor_loops(bench, workload, recovery):
    kube, ns = bench.kube, workload.ns
    workload.configure()
    pod = workload.pod("web-1")
    kube.delete("backupconfiguration", "web-backup", ns)
    before = len(bench.proxies["sidecar"].calls)
    time.sleep(5)  # what is watched for is that nothing happens
    assert pod.process.poll() is None
    assert len(bench.proxies["sidecar"].calls) - before < 10
    workload.configure()
    recovery.fault_ended()
    workload.session("by-hand")
    assert workload.finished("by-hand", 90)["status"]["phase"] == "Succeeded"
    recovery.recovered()
