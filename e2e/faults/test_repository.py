"""The repository's side: restic is killed or cut at a byte, its server misbehaves, and locks of every kind are in the way."""
import contextlib
import datetime
import time

import pytest

from stash_e2e.kube import wait_until
from stash_faults import actions, lockforge
from stash_faults.bench import PASSWORD, remote_workload

QUICK_LOOK = 12  # seconds in which a sidecar that would remove a lock has tried: it looks at once and after 5


def the_next_session_succeeds(workload, recovery, name="next"):
    """Unaided: nobody unlocked, repaired or restarted anything."""
    recovery.fault_ended()
    workload.session(name)
    session = workload.finished(name, 300)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    recovery.recovered(within=300)
    workload.require_one_snapshot(name)
    workload.require_sound_repository()


KILLS = {  # where restic dies: what of its calls, after how many bytes of them
    "before-the-first-byte": ("/locks/", 1),
    "at-a-tenth-of-the-data": ("/data/", 8_000_000),
    "at-half-of-the-data": ("/data/", 40_000_000),
    "at-the-index": ("/index/", 1),
    "at-the-snapshot": ("/snapshots/", 1),
}


@pytest.mark.slow
@pytest.mark.fault("F4", invariants="I5 I6 I10 I12")
@pytest.mark.parametrize("where", KILLS)
def test_restic_that_is_killed_at_a_byte_leaves_a_sound_repository_and_the_next_session_succeeds(remote, recovery, where):
    path, count = KILLS[where]
    remote.configure()
    remote.pod("web-1")
    remote.session("first")  # makes the repository
    assert remote.finished("first", 120)["status"]["phase"] == "Succeeded"
    remote.fill()
    killed = []

    def kill():
        remote.kill_restic()
        killed.append(where)

    with remote.proxy.at_byte(count, kill, "POST", path):
        remote.session("killed")
        session = remote.finished("killed", 300)
    assert killed
    remote.require_sound_repository()
    if session["status"]["phase"] == "Succeeded":
        remote.require_one_snapshot("killed")
    the_next_session_succeeds(remote, recovery)


@pytest.mark.slow
@pytest.mark.fault("F4", "F39", invariants="I5 I10 I11 I12")
@pytest.mark.parametrize("method, path", [("DELETE", "/snapshots/"), ("DELETE", "/data/")], ids=["forget", "prune"])
def test_restic_that_is_killed_while_it_cleans_up_costs_no_snapshot_that_was_to_stay(remote, recovery, method, path):
    remote.configure(retentionPolicy={"name": "keep-1", "keepLast": 1, "prune": True})
    remote.pod("web-1")
    (remote.source / "soon-gone").write_bytes(b"x" * 5_000_000)
    remote.session("first")
    assert remote.finished("first", 120)["status"]["phase"] == "Succeeded"
    (remote.source / "soon-gone").unlink()
    with remote.proxy.rule(method, path, actions.calling(remote.kill_restic), times=1) as rule:
        remote.session("killed")
        session = remote.finished("killed", 120)
        assert rule.hits == 1
    assert session["status"]["phase"] == "Succeeded", "the backup was done before; the clean-up is told apart"
    remote.require_one_snapshot("killed")
    remote.require_sound_repository()
    the_next_session_succeeds(remote, recovery)
    assert len(remote.snapshots()) == 1


OUTAGES = {
    "connections-are-reset": [("POST", "/data/", actions.refuse(), {"skip": 1, "times": 2})],
    "answers-get-lost": [("POST", "/(data|index|snapshots)/", actions.lose_reply(), {"times": 3})],
    "500": [("POST", "/(data|index|snapshots)/", actions.reply(500), {"times": 3})],
    "503-and-429": [("*", "/(data|index)/", actions.reply(503, [("Retry-After", "1")]), {"times": 2}),
                    ("POST", "/snapshots/", actions.reply(429, [("Retry-After", "1")]), {"times": 1})],
    "lock-refused": [("POST", "/locks/", actions.reply(500), {"times": 2})],
    "downloads-are-cut": [("GET", "/(index|snapshots)/.", actions.cut_reply(10), {"times": 2})],
}


@pytest.mark.slow
@pytest.mark.fault("F33", invariants="I5 I6 I7 I10")
@pytest.mark.parametrize("outage", OUTAGES)
def test_a_server_that_fails_now_and_then_costs_time_and_no_data(remote, recovery, outage):
    remote.configure()
    remote.pod("web-1")
    remote.session("first")
    assert remote.finished("first", 120)["status"]["phase"] == "Succeeded"
    for i in range(8):
        (remote.source / f"more-{i}").write_bytes(bytes([i]) * 1_000_000)
    with contextlib.ExitStack() as stack:
        rules = [stack.enter_context(remote.proxy.rule(method, path, act, **more)) for method, path, act, more in OUTAGES[outage]]
        remote.session("cut")
        session = remote.finished("cut", 300)
        assert sum(rule.hits for rule in rules) > 0
    if session["status"]["phase"] == "Succeeded":
        remote.require_one_snapshot("cut")
    remote.require_sound_repository()
    the_next_session_succeeds(remote, recovery)


@pytest.mark.fault("F40", invariants="I5 I6 I10 I11")
def test_a_store_that_refuses_to_delete_takes_backups_and_the_retention_is_told_apart(bench, ns, tmp_path):
    with remote_workload(bench, ns, tmp_path, append_only=True) as remote:
        remote.configure(retentionPolicy={"name": "keep-1", "keepLast": 1, "prune": True})
        remote.pod("web-1")
        for name in ("first", "second"):
            remote.session(name)
            session = remote.finished(name, 120)
            assert session["status"]["phase"] == "Succeeded", session["status"]
            remote.require_one_snapshot(name)
        applied = bench.kube.condition("backupsession", "second", ns, "RetentionPolicyApplied")
        assert applied["status"] == "False" and "403" in applied["message"], applied
        assert len(remote.snapshots()) == 2
        assert not list((remote.repository / "locks").iterdir())
        remote.require_sound_repository()


@pytest.fixture
def used(bench, workload):
    """A workload with a repository that has a snapshot, and its sidecar."""
    workload.configure()
    workload.pod("web-0" if workload.kind == "StatefulSet" else "web-1")  # its ordinal is its host
    workload.session("first")
    assert workload.finished("first", 90)["status"]["phase"] == "Succeeded"
    return workload


def survives(used, lock):
    """A session comes to the lock; the lock must still be there when the sidecar had time to look at it, and again."""
    used.session("by-hand")
    used.wait_until_running()
    wait_until("the sidecar has seen the lock", lambda: "is locked by somebody else" in used.programs[-1].output(), 60)
    end = time.monotonic() + QUICK_LOOK
    while time.monotonic() < end:
        assert lock.exists(), "a living lock was removed"
        time.sleep(0.2)


@pytest.mark.fault("F38", invariants="I6 I7 I12")
def test_a_living_lock_of_another_host_is_waited_for(used, recovery):
    lock = lockforge.forge(used.repository, PASSWORD, hostname="elsewhere", exclusive=True)
    survives(used, lock)
    lock.unlink()  # its owner is done
    recovery.fault_ended()
    assert used.finished("by-hand", 120)["status"]["phase"] == "Succeeded"
    recovery.recovered()
    used.require_one_snapshot()


@pytest.mark.fault("F31", invariants="I12")
@pytest.mark.parametrize("workload", ["StatefulSet"], indirect=True)
def test_a_lock_of_a_numbered_pod_of_the_same_name_is_not_removed_though_its_process_is_not_here(used):
    lock = lockforge.forge(used.repository, PASSWORD, hostname="web-0", pid=2**22 - 1, exclusive=True)
    survives(used, lock)


@pytest.mark.fault("F32", invariants="I6 I12")
def test_a_lock_of_this_pod_goes_though_the_restarted_container_has_its_pid(used, recovery):
    sidecar = used.programs[-1]
    lock = lockforge.forge(used.repository, PASSWORD, hostname="web-1", pid=sidecar.pid, exclusive=True)
    used.session("by-hand")
    assert used.finished("by-hand", 60)["status"]["phase"] == "Succeeded"
    recovery.recovered()
    assert not lock.exists() and sidecar.process.poll() is None
    used.require_one_snapshot()


@pytest.mark.fault("F32", invariants="I3 I6 I12")
def test_where_restic_itself_asks_whether_the_owner_lives_the_sidecar_survives_the_question(remote, recovery):
    """On a server no single lock can be removed; restic's own rule sends SIGHUP to the PID that the lock names: to us."""
    remote.configure()
    sidecar = remote.pod("web-1")
    remote.session("first")
    assert remote.finished("first", 90)["status"]["phase"] == "Succeeded"
    lock = lockforge.forge(remote.repository, PASSWORD, hostname="web-1", pid=sidecar.pid, exclusive=True)
    survives(remote, lock)
    assert sidecar.process.poll() is None
    lock.unlink()
    recovery.fault_ended()
    assert remote.finished("by-hand", 120)["status"]["phase"] == "Succeeded"
    recovery.recovered()


@pytest.mark.fault("F38", invariants="I5 I6 I12")
@pytest.mark.parametrize("kind", [pytest.param("stale", marks=pytest.mark.slow), "unreadable"])  # six minutes
def test_a_lock_that_nobody_can_hold_keeps_no_session_waiting(used, kind):
    if kind == "unreadable":
        lockforge.forge_unreadable(used.repository)
    else:
        lockforge.forge(used.repository, PASSWORD, hostname="elsewhere", age=datetime.timedelta(hours=1))
    used.session("by-hand")
    # Only who has seen the stale one stand still for six minutes believes its time (docs/decisions/0045).
    assert used.finished("by-hand", 600 if kind == "stale" else 90)["status"]["phase"] == "Succeeded"
    used.require_one_snapshot()
    used.require_sound_repository()


@pytest.mark.fault("F38", invariants="I5 I6 I12")
@pytest.mark.parametrize("ahead", [datetime.timedelta(), datetime.timedelta(hours=1)], ids=["now", "of-a-clock-that-is-ahead"])
def test_a_lock_that_others_may_share_lets_the_backup_through_and_has_the_clean_up_wait(used, recovery, ahead):
    lock = lockforge.forge(used.repository, PASSWORD, hostname="elsewhere", age=-ahead)
    survives(used, lock)
    used.require_one_snapshot()  # taken by then
    lock.unlink()
    recovery.fault_ended()
    assert used.finished("by-hand", 120)["status"]["phase"] == "Succeeded"
    recovery.recovered()
    used.require_one_snapshot()
