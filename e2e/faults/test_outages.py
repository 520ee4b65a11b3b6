"""API server and etcd are killed or stand still, while a backup runs and while nothing does."""
import time

import pytest

from stash_e2e.kube import wait_until
from stash_faults import state
from stash_faults.bench import LEASE


def lease(bench):
    return bench.kube.get("lease", LEASE, "stash")["spec"]


def running_backup(workload):
    """restic is at work when this returns."""
    workload.fill()
    workload.configure()
    pod = workload.pod("web-1")
    workload.session("by-hand")
    workload.wait_for_restic_to_write()
    return pod


def ends_well(bench, workload, recovery):
    session = workload.finished("by-hand", 150)
    recovery.recovered(within=150)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    workload.require_one_snapshot()
    workload.require_sound_repository()
    # Whoever lost its lease ends, and its pod's kubelet starts it again.
    if bench.controller.process.poll() is not None:
        bench.restart("controller")


@pytest.fixture(autouse=True)
def everything_runs(bench):
    yield
    bench.control_plane.wait_until_ready()
    if bench.controller.process.poll() is not None:
        bench.restart("controller")


@pytest.mark.slow
@pytest.mark.fault("F11", invariants="I5 I6 I7 I10")
def test_an_api_server_that_is_killed_three_times_costs_a_running_backup_nothing(bench, workload, recovery):
    running_backup(workload)
    for _ in range(3):
        bench.control_plane.restart("kube-apiserver")
    recovery.fault_ended()
    if bench.controller.process.poll() is not None:
        bench.restart("controller")
    ends_well(bench, workload, recovery)


@pytest.mark.fault("F12", invariants="I6 I7")
def test_an_api_server_that_stands_still_for_8_seconds_costs_nobody_the_lease(bench, workload, recovery):
    running_backup(workload)
    before = lease(bench)
    bench.control_plane.stall("kube-apiserver", 8)
    recovery.fault_ended()
    ends_well(bench, workload, recovery)
    after = lease(bench)
    assert bench.controller.process.poll() is None
    assert (after["holderIdentity"], after["leaseTransitions"]) == (before["holderIdentity"], before["leaseTransitions"])


@pytest.mark.slow
@pytest.mark.fault("F12", "F26", invariants="I5 I6 I7 I19")
@pytest.mark.parametrize("seconds", [20, 60])
def test_an_api_server_that_stands_still_beyond_the_lease_ends_the_leader_and_loses_nothing(bench, workload, clean_state, recovery, seconds):
    running_backup(workload)
    began = time.monotonic()
    with bench.control_plane.stopped("kube-apiserver"):
        wait_until("the controller has given up its lease", lambda: bench.controller.process.poll() is not None, 60)
        time.sleep(max(0, began + seconds - time.monotonic()))  # the fault itself
    recovery.fault_ended()
    bench.control_plane.wait_until_ready()
    bench.restart("controller")
    ends_well(bench, workload, recovery)
    for large in workload.source.glob("large-*"):
        large.unlink()
    differing = [text for text in state.differences(clean_state, workload.state()) if "totalFiles" not in text and "newFiles" not in text]
    assert not differing, "\n".join(differing)


@pytest.mark.slow
@pytest.mark.fault("F13", invariants="I5 I6 I7 I10")
@pytest.mark.parametrize("seconds", [8, 60])
def test_etcd_that_stands_still_delays_a_running_backup_and_no_more(bench, workload, recovery, seconds):
    running_backup(workload)
    bench.control_plane.stall("etcd", seconds)
    recovery.fault_ended()
    bench.control_plane.wait_until_ready()
    if bench.controller.process.poll() is not None:
        bench.restart("controller")
    ends_well(bench, workload, recovery)


@pytest.mark.fault("F13", invariants="I5 I6 I7 I10")
def test_an_etcd_that_is_slow_delays_a_backup_and_costs_nobody_the_lease(bench, workload, recovery):
    workload.configure()
    workload.pod("web-1")
    before = lease(bench)
    with bench.control_plane.slow("etcd"):
        workload.session("by-hand")
        ends_well(bench, workload, recovery)
    assert lease(bench)["leaseTransitions"] == before["leaseTransitions"]
