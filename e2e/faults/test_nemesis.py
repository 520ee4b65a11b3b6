"""Random faults against sessions that go on meanwhile. The seed decides the schedule; STASH_NEMESIS_SEEDS="7 8" chooses some."""
import os
import random
import time

import pytest

from stash_e2e.kube import CommandFailed, TimedOut, wait_until
from stash_e2e.objects import FINAL
from stash_faults import actions
from stash_faults.bench import stopped

SEEDS = [int(seed) for seed in os.environ.get("STASH_NEMESIS_SEEDS", "1 2 3").split()]
SESSIONS = 4  # of one seed


class Nemesis:
    def __init__(self, bench, workload, seed):
        self.bench, self.workload, self.random = bench, workload, random.Random(seed)
        self.told = []

    def strike(self):
        """Injects one fault and ends it again."""
        name = self.random.choice(FAULTS)
        seconds = self.random.uniform(0.2, 4)
        self.told.append(f"{name} for {seconds:.1f} s")
        print(f"nemesis: {self.told[-1]}", flush=True)
        getattr(self, name)(seconds)
        self.keep_running()

    def keep_running(self):
        """The kubelet's part: what ended is started again."""
        for name in ("controller", "webhook"):
            if getattr(self.bench, name).process.poll() is not None:
                self.bench.restart(name)
        if self.workload.programs[-1].process.poll() is not None:
            self.workload.restart_sidecar()

    def kill_controller(self, _):
        self.bench.controller.kill()

    def kill_webhook(self, _):
        self.bench.webhook.kill()

    def kill_sidecar(self, _):
        self.workload.programs[-1].kill()

    def stop_sidecar(self, _):
        self.workload.programs[-1].stop()

    def kill_restic(self, _):
        try:
            self.workload.kill_restic()
        except (AssertionError, ProcessLookupError):
            self.told[-1] += " (none ran)"

    def stall_controller(self, seconds):
        with stopped(self.bench.controller.pid):
            time.sleep(seconds)

    def stall_sidecar(self, seconds):
        with stopped(self.workload.programs[-1].pid):
            time.sleep(seconds)

    def stall_api_server(self, seconds):
        self.bench.control_plane.stall("kube-apiserver", seconds)

    def restart_api_server(self, _):
        self.bench.control_plane.restart("kube-apiserver")

    def stall_etcd(self, seconds):
        self.bench.control_plane.stall("etcd", seconds)

    def cut_connections(self, _):
        for proxy in self.bench.proxies.values():
            proxy.cut_all()

    def spoil_calls(self, seconds):
        act = self.random.choice([actions.reply(500), actions.reply(409, reason="Conflict"), actions.lose_reply(), actions.refuse(),
                                  actions.reply(429, [("Retry-After", "1")]), actions.reply(403, reason="Forbidden")])
        with self.bench.rule(self.random.choice(["PATCH", "GET", "POST", "*"]), r"^(?!.*/leases)", act):
            time.sleep(seconds)


FAULTS = [name for name in vars(Nemesis) if name.split("_")[0] in ("kill", "stop", "stall", "restart", "cut", "spoil")]


def patiently(what, probe, seconds=60):
    """Over outages of the API server, which the nemesis has just ended."""
    def attempt():
        try:
            return probe()
        except CommandFailed:
            return None
    return wait_until(what, attempt, seconds)


@pytest.mark.slow
@pytest.mark.fault("F2", "F3", "F4", "F7", "F11", "F12", "F13", "F15", "F17", "F19", invariants="I5 I6 I7 I10 I12")
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_sessions_end_and_their_results_are_true(bench, workload, recovery, seed):
    print(f"nemesis: seed {seed}; STASH_NEMESIS_SEEDS={seed} make faults repeats it")
    for i in range(12):
        (workload.source / f"file-{i}").write_bytes(random.Random(seed + i).randbytes(2_000_000))
    workload.configure(backupHistoryLimit=SESSIONS + 1)
    workload.pod("web-1")
    nemesis = Nemesis(bench, workload, seed)
    for number in range(SESSIONS):
        name = f"session-{number}"
        patiently("the session is made", lambda: workload.session(name) or True)
        (workload.source / f"of-{number}").write_bytes(os.urandom(1_000_000))
        for _ in range(3):
            nemesis.strike()
        recovery.fault_ended()
        try:
            session = patiently("the session has ended", lambda: (found := bench.kube.get("backupsession", name, workload.ns))
                                and found.get("status", {}).get("phase") in FINAL and found, 400)
        except TimedOut as late:
            raise AssertionError(f"seed {seed}: {late}; {nemesis.told}") from late
        recovery.recovered(within=400)
        uid = session["metadata"]["uid"]
        mine = [snapshot for snapshot in workload.snapshots() if any(uid in tag for tag in snapshot.get("tags", []))]
        assert len(mine) <= 1, nemesis.told
        if session["status"]["phase"] == "Succeeded":
            assert len(mine) == 1, nemesis.told
        workload.require_sound_repository()
    # When the faults have ended, all is as before them.
    patiently("the last session is made", lambda: workload.session("afterwards") or True)
    assert workload.finished("afterwards", 400)["status"]["phase"] == "Succeeded", nemesis.told
    workload.require_one_snapshot("afterwards")
