"""The build whose programs kill themselves at a chosen place, and the places that a kill sweep tries.

`make faults` builds it into build/faults. A sweep tries a few places unless it is asked for more: STASH_SWEEP_PLACES=20 makes it as
many of each kind, STASH_SWEEP_PLACES=all every one; STASH_SWEEP_SEED chooses which (it is printed), STASH_SWEEP_ONLY="sidecar after
restic" only those whose name begins so.
"""
import os
import random
import time
from collections import Counter

import pytest

from stash_e2e import paths
from stash_e2e.kube import TimedOut, wait_until

from . import state
from .bench import LEASE, wait_until_ready

WITH_FAILPOINTS = paths.BUILD / "faults" / "bin"
# A name's later passes are like its first ones; events are told best effort and leases are another test's.
PASSES, LEFT_OUT = 2, ("Event", "Lease", "TokenReview", "SubjectAccessReview")
SEED = int(os.environ.get("STASH_SWEEP_SEED", random.randrange(1000)))

needs_build = pytest.mark.skipif(not (WITH_FAILPOINTS / "stash").exists(), reason="build/faults is missing: make faults builds it")


def places_in(*logs):
    """["before patch BackupSession:1", ...]: what one process passed at least, of those whose logs these are."""
    most = {}
    for log in logs:
        seen = Counter(name for name in log.read_text().splitlines() if not any(word in name.split() for word in LEFT_OUT))
        for name, count in seen.items():
            most[name] = max(count, most.get(name, 0))
    return [f"{name}:{i}" for name, count in most.items() for i in range(1, min(count, PASSES) + 1)]


def chosen(name, places, most):
    """A sample, at `most` so many unless the environment asks for more; another one for each name. Each place is a tuple of words."""
    places = [place for place in places if " ".join(place).startswith(os.environ.get("STASH_SWEEP_ONLY", ""))]
    asked = os.environ.get("STASH_SWEEP_PLACES", str(most))
    count = len(places) if asked == "all" else min(int(asked), len(places))
    print(f"kill sweep: {name}: {count} of {len(places)} places, STASH_SWEEP_SEED={SEED}", flush=True)
    return random.Random(f"{SEED} {name}").sample(places, count)


def try_each(name, places, story):
    """Calls story(*place) for each of them, which says whether anybody was killed there; if not, once more. All are tried, and told together."""
    broken, missed = [], []
    for place in places:
        what, began, ending = f"{name}: {' '.join(place)}", time.monotonic(), ""
        try:
            # Who comes when is chance where there are several, so a place may be passed in one story and not in the next.
            if not story(*place) and not story(*place):
                missed.append(what)
                ending = ", nobody was killed there"
        except Exception as problem:  # noqa: BLE001
            broken.append(f"{what}: {problem}")
            ending = f", broken: {problem}"
        print(f"kill sweep: {what}: {time.monotonic() - began:.0f} s{ending}", flush=True)
    assert not broken, "\n".join(broken)
    assert len(missed) <= len(places) // 3, missed


class KilledController:
    """The bench's controller, out of the build with failpoints; put_back() brings the usual one."""

    def __init__(self, bench):
        self.bench, self._env = bench, None
        self._usual = list(bench.controller.argv), dict(bench.controller.env)

    def use(self, env):
        """One that runs with these variables."""
        if self._env != env:
            self._run(env)
            wait_until_ready(self.bench.controller)

    def restart_the_dead(self):
        """As the kubelet would, without waiting for anything; it does not die again. Whether there was one."""
        if self.bench.controller.process.poll() is None:
            return False
        self._run({})
        return True

    def put_back(self):
        program = self.bench.controller
        program.stop()
        program.argv, program.env = self._usual
        self._start()
        wait_until_ready(program)

    def _run(self, env):
        program = self.bench.controller
        program.stop()
        program.argv[0] = str(WITH_FAILPOINTS / "stash-controller")
        self._env, program.env = env, dict(env, PATH="/usr/bin:/bin")
        self._start()

    def _start(self):
        self.bench.kube.delete("lease", LEASE, "stash")  # one that was killed keeps it for 15 s, which is not what this is about
        self.bench.controller.start()


def require_equal(clean, read, seconds=60):
    """I19"""
    last = []

    def equal():
        last[:] = state.differences(clean, read())
        return not last
    try:
        wait_until("the state is as without the kill", equal, seconds)
    except TimedOut as problem:
        raise AssertionError(f"{problem}: {last}") from problem
