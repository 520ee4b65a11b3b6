"""Clocks that jump or differ (F52): sessions go by the time that passes, certificates serve, and no lock is judged by a wrong clock."""
import time
from datetime import timedelta

import pytest
from test_repository import QUICK_LOOK

from stash_e2e import api_ring, objects
from stash_e2e.kube import wait_until
from stash_faults import actions, lockforge
from stash_faults.authority import decoded
from stash_faults.bench import PASSWORD, containers
from stash_faults.clock import Clock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRET = ("secret", "stash-webhook-cert", "stash")


@pytest.fixture
def clock(bench, tmp_path):
    """The controller's, set before and after to what everybody has."""
    made = Clock(tmp_path)
    with made.of(bench.controller, lambda: bench.restart("controller")):
        yield made


@pytest.mark.slow
@pytest.mark.fault("F52", invariants="I5 I6 I7 I12")
@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 3650 * DAY], ids=["an-hour-on", "an-hour-back", "ten-years-on"])
def test_a_backup_during_which_the_clocks_jump_goes_on_within_its_time_limit_and_so_do_the_next_ones(bench, clock, workload, recovery, ahead):
    workload.more_env = clock.env
    workload.configure(timeOut="10m", backupHistoryLimit=9)
    workload.pod("web-1")
    workload.succeeds("before")
    workload.fill()
    workload.session("jump")
    workload.wait_for_restic_to_write()
    clock.set_ahead(ahead)
    session = workload.finished("jump", 120)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    workload.require_one_snapshot("jump")
    for told in (session["status"]["sessionDuration"], session["status"]["stats"][0]["duration"]):
        assert "h" not in told, "the jump was counted"
    workload.succeeds("in-another-time")
    clock.set_ahead(timedelta())
    recovery.fault_ended()
    workload.succeeds("back-again")
    recovery.recovered()
    # Whoever is younger by the clock is not the one that came later: nothing that is still wanted went.
    assert {"before", "jump", "back-again"} <= {found["metadata"]["name"] for found in bench.kube.list("backupsessions", workload.ns)}


def made_anew(kube):
    """The serving certificate that follows when its Secret is deleted."""
    before = decoded(kube.get(*SECRET))["tls.crt"]
    kube.delete(*SECRET)
    made = wait_until("the Secret is made again", lambda: (kube.get(*SECRET) or {}).get("data", {}).get("tls.crt"), 120)
    assert made != before
    return made


@pytest.mark.fault("F52", "F56", invariants="I1 I4")
@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_certificate_of_a_controller_whose_clock_is_an_hour_off_serves_and_stays(bench, clock, workload, recovery, ahead):
    kube = bench.kube
    clock.set_ahead(ahead)
    made = made_anew(kube)
    recovery.fault_ended()
    workload.configure()
    recovery.recovered(within=60)
    clock.set_ahead(timedelta())
    bench.controller.stop()
    bench.restart("controller")  # looks at it at once
    assert api_ring.settled("the certificate", lambda: kube.get(*SECRET)["data"]["tls.crt"]) == made, "it is good by the right clock too"


@pytest.mark.fault("F52", "F55", invariants="I1 I8")
def test_a_certificate_of_tomorrow_refuses_nobody_and_is_replaced_by_whoever_knows_the_time(bench, clock, workload, recovery):
    kube = bench.kube
    clock.set_ahead(DAY)
    tomorrows = made_anew(kube)
    kube.apply(objects.backup_configuration(workload.ns, schedule="0 0 1 1 *", mount_path=workload.source, paths=[str(workload.source)]))
    kube.delete("deployment", "web", workload.ns)
    kube.apply(objects.deployment(workload.ns, workload.source))  # nobody calls the webhook successfully, and it is admitted
    assert containers(kube, workload.ns) == ["app"], "the certificate was valid, so this test proves nothing"
    clock.set_ahead(timedelta())
    bench.controller.stop()
    recovery.fault_ended()
    bench.restart("controller")
    wait_until("it is replaced", lambda: kube.get(*SECRET)["data"].get("tls.crt") not in (None, tomorrows), 60)
    wait_until("the sidecar is injected", lambda: "stash" in containers(kube, workload.ns), 120)
    recovery.recovered()


def stays(lock):
    """It must still be there when the sidecar had time to look at it, and again."""
    end = time.monotonic() + QUICK_LOOK
    while time.monotonic() < end:
        assert lock.exists(), "a lock was taken for old by a clock that nobody compared"
        time.sleep(0.2)


@pytest.mark.fault("F28", "F38", "F52", invariants="I6 I12")
@pytest.mark.parametrize("ahead", [timedelta(minutes=40), timedelta(minutes=-40)], ids=["ahead", "behind"])
def test_a_node_whose_clock_differs_from_the_api_servers_unlocks_nothing_on_a_server_until_it_agrees_again(bench, remote, recovery, ahead):
    """restic takes all locks that look old when it is told to take one, and no clock of a living owner is known here."""
    remote.configure(retentionPolicy=objects.keep_last(1))
    pod = remote.pod("web-1")
    remote.succeeds("first")
    pod.stop()
    dead = lockforge.forge(remote.repository, PASSWORD, hostname="web-1", pid=2**22 - 1)
    with bench.rule("*", "", actions.dated(-ahead), programs=["sidecar"]) as (rule,):
        sidecar = remote.restart_sidecar()
        remote.session("by-hand")
        said = wait_until("it says why the lock stays", lambda: [line for line in sidecar.output().splitlines() if "stays" in line and "clock" in line], 60)
        assert "web-1" in said[0] and rule.hits, said
        stays(dead)
    recovery.fault_ended()
    # The next answer of the API server tells the right time, and this lock's owner is known to be dead.
    ended = remote.finished("by-hand", 120)
    assert ended["status"]["phase"] == "Succeeded", ended["status"]
    recovery.recovered()
    assert not dead.exists()
    remote.require_one_snapshot()
