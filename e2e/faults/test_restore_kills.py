"""The kill sweep over restores: stash-init, its restic, its whole pod and the controller are killed, each at many places of a restore,
and stash-init is started again as the kubelet would. In the moment in which it ends with 0, which is when the application starts,
the volume is compared with what was saved: all of it is there, bit for bit, or the application has not started.

As in the sweep over backups (stash_faults/failpoints.py), a few places are tried unless it is asked for more. Places are the failpoints
of stash-init and controller, and moments ("37 %" of a restore's time) at which a pod, a container or restic alone is killed.
"""
import contextlib
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from stash_e2e import api_ring, tree
from stash_e2e.kube import wait_until
from stash_faults import restores
from stash_faults.bench import rest_server
from stash_faults.failpoints import KilledController, chosen, needs_build, places_in, require_equal, try_each
from stash_faults.restores import ATTEMPTS, SESSION, VOLUME, Restoring

from conftest import make_namespace

# The kind of the workload, how many pods, and as whom they run.
CROWDS = {"1": ("Deployment", 1, 0), "1-not-root": ("Deployment", 1, 1000), "2-of-one-host": ("Deployment", 2, 0), "2-hosts": ("StatefulSet", 2, 0)}
FAILPOINTS = {"init": 3, "controller": 2}  # how many of each are tried when nobody asks for more
MOMENTS = {"container": 2, "restic": 1, "pod": 1}
STRIKES = {"container": Restoring.kill_all_of_a_pod, "restic": Restoring.kill_only_restic, "pod": Restoring.lose_a_pod}
TENTHS = range(5, 75, 10)  # later, most restores are over


class Sweep:
    """The bench with programs that have failpoints, and restores of volumes that were saved once for all."""

    def __init__(self, controller, directory):
        self.controller, self.bench, self.directory, self.rounds = controller, controller.bench, directory, 0
        self.saved = {user: restores.Saved(directory / f"saved-{user}", ["host-0", "host-1"], user) for user in {user for *_, user in CROWDS.values()}}
        self.seconds = {}  # that a restore takes, without what precedes it
        self.died = []

    def begin(self, kind, size, user, init_env=(), controller_env=(), remote=None):
        """A restore that waits for its pods."""
        self.rounds += 1
        ns = f"restores-{self.rounds}"
        make_namespace(self.bench.kube, ns)
        (self.directory / ns).mkdir()
        self.died.clear()
        self.controller.use(dict(controller_env))
        crowd = Restoring(self.bench, ns, self.directory / ns, kind, size, self.saved[user], remote)
        crowd.failpoint = dict(init_env)
        crowd.ask_for_restore()
        with self._told(crowd):
            self._until("stash-init is injected and has its rights", crowd.is_injected)
        return crowd

    def run(self, crowd, strike=None):
        """The restore; whoever dies is started again without its failpoint. `strike`: the percentage of the time that a restore
        takes, and what is done then. Whether anybody was hit."""
        hit = []
        with self._told(crowd):
            crowd.start_pods()
            began = time.monotonic()

            def all_started():
                started = crowd.keep_running()
                if strike and not hit and time.monotonic() - began >= strike[0] / 100 * self.seconds[crowd.kind, len(crowd.pods)]:
                    hit.append(strike[1](crowd, random.Random(self.rounds).random()))
                return started

            self._until("all applications have started", all_started)
            self.seconds.setdefault((crowd.kind, len(crowd.pods)), time.monotonic() - began)
            # What is written after the end belongs to the story, too.
            end = time.monotonic() + 1
            self._until("it is over", lambda: time.monotonic() > end)
            crowd.require_the_truth()
        return any(hit) or bool(self.died) or any(code == -9 for _, code in crowd.ended)

    def _until(self, what, probe):
        def look():
            if self.controller.restart_the_dead():
                self.died.append("controller")
            return probe()
        wait_until(what, look, 120, every=0.01)

    @contextlib.contextmanager
    def _told(self, crowd):
        try:
            yield
        except Exception as problem:
            crowd.stop()
            raise AssertionError(f"{problem}\nended before: {crowd.ended}\n{crowd.told('restoresession', SESSION)}") from problem


@pytest.fixture(scope="module")
def sweep(bench):
    controller = KilledController(bench)
    with tempfile.TemporaryDirectory(prefix="killed-") as directory:
        Path(directory).chmod(0o755)  # pytest's own are for root alone
        yield Sweep(controller, Path(directory))
    controller.put_back()


@pytest.fixture
def remote(sweep, tmp_path):
    """A REST server that has what was saved, the fault proxy before it, and where it has that."""
    with rest_server(tmp_path) as (server, proxy):
        repository = tmp_path / "server" / "data" / "backups"
        shutil.copytree(sweep.saved[0].repository, repository)
        yield server, proxy, repository


@needs_build
@pytest.mark.slow
@pytest.mark.fault("F2", "F4", "F5", "F27", "F45", invariants="I6 I12 I13 I19")
@pytest.mark.parametrize("crowd_name", CROWDS)
def test_whoever_is_killed_in_a_restore_no_application_starts_before_all_is_back(sweep, recovery, tmp_path, crowd_name):
    of_controller = tmp_path / "controller.places"
    with ended(sweep.begin(*CROWDS[crowd_name], controller_env={"STASH_FAILPOINT_LOG": str(of_controller)})) as crowd:
        assert not sweep.run(crowd) and not crowd.ended, crowd.ended
        clean = api_ring.settled("the namespace", crowd.state, same_for=2.0)
        failpoints = {"controller": places_in(of_controller), "init": crowd.places()}
        crowd.require_no_other_restore()
        assert all(len(places) >= 8 for places in failpoints.values()), failpoints
    places = [place for who, most in FAILPOINTS.items() for place in chosen(f"{crowd_name} {who}", [(who, name) for name in failpoints[who]], most)]
    places += [place for who, most in MOMENTS.items() for place in chosen(f"{crowd_name} {who}", [(who, f"at {tenth} %") for tenth in TENTHS], most)]

    def killed(who, where):
        recovery.fault_ended()
        env = {f"{who}_env": {"STASH_FAILPOINT": where}} if who in FAILPOINTS else {}
        with ended(sweep.begin(*CROWDS[crowd_name], **env)) as crowd:
            hit = sweep.run(crowd, None if env else (int(where.split()[1]), STRIKES[who]))
            if hit:
                recovery.recovered()
            require_equal(clean, crowd.state)
            crowd.require_no_other_restore()
            if CROWDS[crowd_name][1] == 1 and who != "pod":  # else nobody has a proof that it is dead (docs/decisions/0030)
                crowd.require_no_lock()
            return hit

    # In order, for the controller needs no new start where it is not killed.
    try_each(crowd_name, sorted(places), killed)


@needs_build
@pytest.mark.fault("F5", invariants="I13")
@pytest.mark.parametrize("place", ["after restic restore:1", "before patch RestoreSession:3", "after patch RestoreSession:3"])
def test_a_restore_that_is_killed_when_its_data_is_complete_is_never_done_over_a_running_application(sweep, place):
    with ended(sweep.begin(*CROWDS["1"], init_env={"STASH_FAILPOINT": place})) as crowd:
        assert sweep.run(crowd) and crowd.ended == [("web-0", -9)], crowd.ended
        crowd.require_no_other_restore()


@needs_build
@pytest.mark.slow
@pytest.mark.fault("F4", "F5", invariants="I6 I12 I13")
def test_a_restore_whose_restic_is_killed_at_a_byte_is_whole_when_the_application_starts(sweep, remote, recovery):
    total = bytes_of_a_restore(sweep, remote)

    def killed(_, where):
        recovery.fault_ended()
        with ended(sweep.begin(*CROWDS["1"], remote=remote)) as crowd:
            with restic_dies_at(remote, max(1, total * int(where.split()[1]) // 100), crowd) as hit:
                sweep.run(crowd)
            assert crowd.ended == [("web-0", 1)] * len(hit), crowd.ended
            if hit:
                recovery.recovered()
            crowd.require_no_other_restore()
            crowd.require_no_lock()
            return bool(hit)

    name = "1 from a server"
    try_each(name, chosen(name, [("restic", f"at {percent} %") for percent in range(0, 100, 10)], 3), killed)


@needs_build
@pytest.mark.fault("F4", "F5", invariants="I6 I13")
@pytest.mark.parametrize("who", ["stash-init", "restic"])
def test_a_restore_that_is_killed_each_time_fails_says_why_and_holds_the_application_until_somebody_lets_it_go(sweep, remote, who):
    half = bytes_of_a_restore(sweep, remote) // 2
    env = {"STASH_FAILPOINT": "after restic restore:1"} if who == "stash-init" else {}
    with ended(sweep.begin(*CROWDS["1"], init_env=env, remote=remote)) as crowd:
        program = crowd.pod("web-0")
        for attempt in range(1, ATTEMPTS + 1):
            with contextlib.nullcontext() if env else restic_dies_at(remote, half, crowd):
                if who == "stash-init":
                    assert program.process.wait(60) == -9, program.output()
                elif attempt < ATTEMPTS:
                    assert program.process.wait(60) == 1, program.output()
                else:
                    wait_until("the last attempt has failed", lambda: "is not restored" in program.output(), 60)
            if program.process.poll() is not None:
                program.start()
        other = crowd.pod("web-1")
        for waiting in (program, other):
            wait_until("it has given up", lambda: "is not restored" in waiting.output(), 60)
        session = crowd.bench.kube.wait_for_phase("restoresession", SESSION, crowd.ns, ("Failed",), 60)
        assert f"attempt {ATTEMPTS} of {ATTEMPTS}" in session["status"]["stats"][0]["error"], session["status"]
        completed = [condition for condition in session["status"]["conditions"] if condition["type"] == "Completed"]
        assert session["status"]["stats"][0]["error"] in completed[0]["message"], session["status"]
        assert program.process.poll() is None and other.process.poll() is None, "an application was let through"
        crowd.bench.kube.delete("restoresession", SESSION, crowd.ns)
        assert program.process.wait(60) == 0 and other.process.wait(60) == 0, program.output()


@needs_build
@pytest.mark.fault("F49", invariants="I13")
def test_a_node_that_loses_its_power_when_the_application_starts_has_all_that_was_restored(sweep, tmp_path):
    image, after = tmp_path / "disk", tmp_path / "disk-after"
    subprocess.run(["truncate", "--size=100M", image], check=True)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", image], check=True)
    with ended(sweep.begin(*CROWDS["1"])) as crowd, disk(image, crowd.directory / "host-0" / VOLUME) as volume:
        (volume / "lost+found").rmdir()
        program = crowd.pod("web-0")
        assert program.process.wait(60) == 0, program.output()
        shutil.copyfile(image, after)  # what has not reached the disk by now is lost
        volume = tmp_path / "after" / VOLUME
        volume.mkdir(parents=True)
        with disk(after, volume):
            assert tree.differences(sweep.saved[0].whole("host-0"), tree.fingerprint(volume.parent)) == []


@contextlib.contextmanager
def disk(image, at):
    # The kernel writes what is in memory every five seconds; that is a matter of luck, and not what is tested.
    subprocess.run(["mount", "-o", "loop,commit=300", image, at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


@contextlib.contextmanager
def ended(crowd):
    try:
        yield crowd
    finally:
        crowd.stop()


@contextlib.contextmanager
def restic_dies_at(remote, byte, crowd):
    """When the server has sent so much of the packs. Yields who was killed."""
    hit = []
    with remote[1].at_byte(byte, lambda: crowd.kill_only_restic(0) and hit.append("restic"), "GET", "/data/"):
        yield hit


def bytes_of_a_restore(sweep, remote):
    much = 1 << 40
    with remote[1].at_byte(much, lambda: None, "GET", "/data/") as counter, ended(sweep.begin(*CROWDS["1"], remote=remote)) as crowd:
        assert not sweep.run(crowd) and not crowd.ended, crowd.ended
    return much - counter["left"]
