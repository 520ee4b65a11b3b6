"""Many hosts, one repository (F28 F31 F39): backups go side by side, only what removes waits, and no living lock is touched."""
import contextlib
import os
import signal
import time

import pytest

from stash_e2e.kube import wait_until
from stash_faults.bench import BenchWorkload, stopped

from conftest import make_namespace

QUICK_LOOK = 12  # seconds in which a sidecar that would remove a lock has tried: it looks at once and after 5
KEEP_1 = {"name": "keep-1", "keepLast": 1, "prune": True}


@pytest.mark.fault("F28", invariants="I5 I6 I7 I10 I11 I12")
@pytest.mark.parametrize("workload", ["StatefulSet"], indirect=True)
def test_ten_hosts_that_begin_at_once_make_one_repository_and_each_one_snapshot(bench, workload):
    bench.kube.kubectl("scale", "statefulset/web", "-n", workload.ns, "--replicas=10")
    workload.configure(retentionPolicy=KEEP_1)
    for i in range(10):
        workload.pod(f"web-{i}")
    for name in ("first", "second"):
        workload.session(name)
        session = workload.finished(name, 300)
        assert session["status"]["phase"] == "Succeeded", session["status"]
        assert [host["phase"] for host in session["status"]["stats"]] == ["Succeeded"] * 10
    # The upkeep was done by one of them, for all: the policy leaves one snapshot of each host.
    uid = session["metadata"]["uid"]
    assert all(any(uid in tag for tag in snapshot["tags"]) for snapshot in workload.snapshots())
    assert sorted(snapshot["hostname"] for snapshot in workload.snapshots()) == [f"host-{i}" for i in range(10)]
    assert len(list((workload.repository / "keys").iterdir())) == 1, "two of them made the repository"
    assert not list((workload.repository / "locks").iterdir())
    workload.require_sound_repository()


@pytest.fixture
def neighbour(bench, workload, tmp_path):
    """A workload of the same name in another namespace that backs up into the same repository, seeing its own processes only."""
    ns = f"{workload.ns}-neighbour"
    make_namespace(bench.kube, ns)
    (tmp_path / "neighbour").mkdir()
    made = BenchWorkload(bench, ns, tmp_path / "neighbour", workload.kind)
    made.own_pids = True
    made.share_repository_of(workload)
    yield made
    made.stop()


def locks_of(workload):
    return set((workload.repository / "locks").iterdir())


def succeeds(workload, session):
    found = workload.finished(session, 240)
    assert found["status"]["phase"] == "Succeeded", found["status"]
    workload.require_one_snapshot(session)


@contextlib.contextmanager
def backup_standing_still(workload):
    """restic stopped while it holds its lock; gives the lock."""
    pid = wait_until("restic is at backup and has its lock", lambda: locks_of(workload) and workload.restic_pid("backup"), 60, every=0.01)
    with stopped(pid):
        locks = locks_of(workload)
        assert locks, "the backup was over before it was stopped"
        yield locks


# `forget` is over in a moment, and somebody who looks from time to time misses it on a busy machine.
STOPS_ITS_FORGET = """#!/bin/bash
case " $* " in *" forget "*) ;; *) exec /usr/bin/restic "$@" ;; esac
[ -e {stopped} ] && exec /usr/bin/restic "$@"
/usr/bin/restic "$@" <&0 &
shopt -s nullglob
has_lock() {{ for lock in {locks}/*; do [[ $lock = *-tmp-* ]] || return 0; done; return 1; }}
until has_lock || [ ! -e /proc/$! ]; do :; done
kill -STOP $!
echo $! > {stopped}.new && mv {stopped}.new {stopped}
wait $!
"""


@contextlib.contextmanager
def forget_standing_still(workload, directory):
    """The first `forget` of that workload's sidecars stops itself as soon as it has its lock; gives the lock. For sidecars that start in here."""
    (directory / "bin").mkdir()
    restic, stopped_at = directory / "bin" / "restic", directory / "stopped"
    restic.write_text(STOPS_ITS_FORGET.format(stopped=stopped_at, locks=workload.repository / "locks"))
    restic.chmod(0o755)
    workload.more_env = {"PATH": f"{restic.parent}:/usr/bin:/bin"}

    def lock():
        wait_until("restic is at forget and has its lock", stopped_at.exists, 120)
        locks = locks_of(workload)
        assert locks, "forget was over before it was stopped"
        return locks

    try:
        yield lock
    finally:
        if stopped_at.exists():
            os.kill(int(stopped_at.read_text()), signal.SIGCONT)


def prune_waits_for_a_running_backup(workload, neighbour, recovery, pod, others_pod):
    for mine, name in ((workload, pod), (neighbour, others_pod)):
        mine.configure(retentionPolicy=KEEP_1)
        mine.pod(name)
        mine.session("before")  # so that there is something to forget
        succeeds(mine, "before")
    workload.fill()
    workload.session("by-hand")
    workload.wait_for_restic_to_write()
    with backup_standing_still(workload) as living:
        neighbour.session("by-hand")
        wait_until("its clean-up meets the lock", lambda: "is locked by somebody else" in neighbour.programs[-1].output(), 90)
        end = time.monotonic() + QUICK_LOOK
        while time.monotonic() < end:
            assert living <= locks_of(workload), "a living lock was removed"
            time.sleep(0.2)
    recovery.fault_ended()
    for each in (workload, neighbour):
        succeeds(each, "by-hand")
    recovery.recovered(within=240)
    workload.require_sound_repository()


@pytest.mark.fault("F31", "F39", invariants="I5 I6 I10 I11 I12")
@pytest.mark.parametrize("workload", ["StatefulSet"], indirect=True)
def test_a_living_lock_of_the_pod_of_the_same_name_in_another_namespace_is_waited_for(workload, neighbour, recovery):
    prune_waits_for_a_running_backup(workload, neighbour, recovery, "web-0", "web-0")


@pytest.mark.fault("F39", invariants="I5 I6 I10 I11 I12")
def test_a_prune_that_meets_the_backup_of_another_host_waits_for_it(workload, neighbour, recovery):
    prune_waits_for_a_running_backup(workload, neighbour, recovery, "web-1", "web-2")


@pytest.mark.fault("F39", invariants="I5 I6 I10 I11 I12")
def test_a_backup_that_meets_the_prune_of_another_host_waits_for_it(workload, neighbour, recovery, tmp_path):
    workload.configure()
    workload.pod("web-1")
    workload.session("before")  # so that there is something to forget
    succeeds(workload, "before")
    workload.programs.pop().stop()
    with forget_standing_still(workload, tmp_path) as has_lock:
        for mine, name in ((workload, "web-1"), (neighbour, "web-2")):
            mine.configure(retentionPolicy=KEEP_1)
            mine.pod(name)
        workload.session("by-hand")
        pruning = has_lock()
        neighbour.session("by-hand")
        wait_until("its backup meets the lock", lambda: "is locked by somebody else" in neighbour.programs[-1].output(), 90)
        assert pruning <= locks_of(workload)
    recovery.fault_ended()
    for each in (workload, neighbour):
        succeeds(each, "by-hand")
    recovery.recovered(within=240)
    workload.require_sound_repository()
