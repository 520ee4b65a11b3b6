"""The kill sweep: the programs are killed before and after each of their writes and each run of restic, once for each (F2, F3).

`make faults` builds the programs with failpoints into build/faults; where that build is missing, the sweep is skipped.
STASH_SWEEP_PLACES=12 kills at twelve places instead of all, which STASH_SWEEP_SEED chooses.
"""
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from stash_e2e import api_ring, paths
from stash_e2e.kube import wait_until
from stash_faults import state
from stash_faults.bench import LEASE, BenchWorkload

from conftest import make_namespace

RELEASE = Path(os.environ.get("STASH_BIN", paths.BUILD / "release" / "bin"))
WITH_FAILPOINTS = paths.BUILD / "faults" / "bin"
PROGRAMS = ("stash", "stash-controller", "stash-webhook")
# A name's later passes are like its first ones; events are told best effort and leases are another test's.
PASSES, LEFT_OUT = 2, ("Event", "Lease", "TokenReview", "SubjectAccessReview")

needs_build = pytest.mark.skipif(not (WITH_FAILPOINTS / "stash").exists(), reason="build/faults is missing: make faults builds it")


@pytest.mark.parametrize("program", PROGRAMS)
def test_release_programs_contain_no_failpoint(program):
    assert b"STASH_FAILPOINT" not in (RELEASE / program).read_bytes()


@needs_build
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_of_the_bench_contain_failpoints(program):
    assert b"STASH_FAILPOINT" in (WITH_FAILPOINTS / program).read_bytes()


def places_in(log):
    """["before patch BackupSession:1", ...] of all that a program passed in a story without a fault."""
    seen = Counter()
    for name in log.read_text().splitlines():
        if not any(word in name.split() for word in LEFT_OUT):
            seen[name] += 1
    return [f"{name}:{i}" for name, count in seen.items() for i in range(1, min(count, PASSES) + 1)]


def chosen(places):
    """All of them, unless the environment asks for a sample."""
    count = min(int(os.environ.get("STASH_SWEEP_PLACES", len(places))), len(places))
    seed = int(os.environ.get("STASH_SWEEP_SEED", random.randrange(1000)))
    print(f"kill sweep: {count} of {len(places)} failpoints, STASH_SWEEP_SEED={seed}", flush=True)
    return random.Random(seed).sample(places, count)


class Sweep:
    """The bench with programs that have failpoints."""

    def __init__(self, bench, directory):
        self.bench, self.directory, self.rounds = bench, directory, 0

    def start_controller(self, env):
        program = self.bench.controller
        program.argv[0] = str(WITH_FAILPOINTS / "stash-controller")
        program.env = dict(env, PATH="/usr/bin:/bin")
        self.free_the_lease()
        self.bench.restart("controller")

    def free_the_lease(self):
        """A leader that was killed keeps it for 15 s, which is not what this is about."""
        self.bench.kube.delete("lease", LEASE, "stash")

    def story(self, controller_env, sidecar_env):
        """One backup; whoever dies is started again without its failpoint. The state afterwards."""
        self.rounds += 1
        ns = f"sweep-{self.rounds}"
        make_namespace(self.bench.kube, ns)
        directory = self.directory / ns
        directory.mkdir()
        self.bench.controller.stop()
        self.start_controller(controller_env)
        workload = BenchWorkload(self.bench, ns, directory)
        workload.binary, workload.more_env = WITH_FAILPOINTS / "stash", sidecar_env
        died = []
        try:
            self._drive(workload, died)
            phase = self.bench.kube.get("backupsession", "by-hand", ns)["status"]["phase"]
            assert phase == "Succeeded", self.bench.kube.get("backupsession", "by-hand", ns)["status"]
            workload.require_one_snapshot()
            workload.require_sound_repository()
            return workload, died
        finally:
            workload.stop()

    def _drive(self, workload, died):
        kube = self.bench.kube

        def keep_running():
            if self.bench.controller.process.poll() is not None:
                died.append("controller")
                self.start_controller({})
            if workload.programs and workload.programs[-1].process.poll() is not None:
                died.append("sidecar")
                workload.more_env = {}
                workload.restart_sidecar()

        def until(what, probe):
            wait_until(what, lambda: keep_running() or probe(), 120)

        workload.apply_configuration()
        until("the sidecar is injected and has its rights", workload.is_configured)
        workload.pod("web-1")
        workload.session("by-hand")
        until("the session has ended", lambda: (kube.get("backupsession", "by-hand", workload.ns) or {}).get("status", {}).get("phase")
              in ("Succeeded", "Failed"))
        # What is written after the end belongs to the story, too.
        end = time.monotonic() + 1.5
        until("it is over", lambda: time.monotonic() > end)


@pytest.fixture(scope="module")
def sweep(bench, tmp_path_factory):
    argv, env = list(bench.controller.argv), dict(bench.controller.env)
    yield Sweep(bench, tmp_path_factory.mktemp("sweep"))
    bench.controller.stop()
    bench.controller.argv, bench.controller.env = argv, env
    bench.restart("controller")


@needs_build
@pytest.mark.slow
@pytest.mark.fault("F2", "F3", invariants="I5 I6 I7 I10 I19")
def test_killed_at_each_failpoint_once_the_story_ends_as_it_does_without(sweep, recovery, tmp_path):
    logs = {"controller": tmp_path / "controller.places", "sidecar": tmp_path / "sidecar.places"}
    workload, died = sweep.story(*({"STASH_FAILPOINT_LOG": str(log)} for log in logs.values()))
    assert not died
    clean = workload.state()
    broken, places = [], []
    for program, log in logs.items():
        of_it = places_in(log)
        assert len(of_it) >= 8, of_it
        places += [(program, place) for place in of_it]
    for program, place in chosen(places):
        env = {"STASH_FAILPOINT": place}
        try:
            recovery.fault_ended()
            workload, died = sweep.story(*([env, {}] if program == "controller" else [{}, env]))
            assert died == [program], f"it died: {died}"
            wait_until("the state is as without the kill", lambda: not state.differences(clean, workload.state()), 60)
            recovery.recovered()
        except Exception as problem:  # noqa: BLE001 - all places are tried, and told together
            broken.append(f"{program} killed {place}: {problem}")
            print(f"kill sweep: {broken[-1][:500]}", flush=True)
    assert not broken, "\n".join(broken)
