"""The kill sweep: the programs are killed before and after each of their writes, and before, in and after each run of restic,
once for each place of a whole session (F2, F3) - with one pod, with two and five that want the same host, and with five hosts.
Never do two restics write for one host at once, never does a session stay without an end, and a Succeeded can be restored.

`make faults` builds the programs with failpoints into build/faults; where that build is missing, the sweep is skipped.
Without being asked it kills at a few places of each crowd; stash_faults/failpoints.py says how to ask for more.
"""
import json
import re
import time

import pytest

from stash_e2e import api_ring, tree
from stash_e2e.kube import wait_until
from stash_e2e.objects import FINAL
from stash_faults import state
from stash_faults.bench import BenchWorkload
from stash_faults.failpoints import WITH_FAILPOINTS, KilledController, chosen, needs_build, places_in, require_equal, try_each
from stash_faults.writers import Writers

from conftest import make_namespace

PROGRAMS = ("stash", "stash-controller", "stash-webhook")
CROWDS = {"1": ("Deployment", 1), "2-of-one-host": ("Deployment", 2), "5-of-one-host": ("Deployment", 5), "5-hosts": ("DaemonSet", 5),
          "9-hosts": ("DaemonSet", 9)}  # more than one session keeps in itself
PLACES = 12  # of each crowd, when nobody asks for more


@pytest.mark.parametrize("program", PROGRAMS)
def test_release_programs_contain_no_failpoint(program):
    assert b"STASH_FAILPOINT" not in (api_ring.BIN / program).read_bytes()


@needs_build
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_of_the_bench_contain_failpoints(program):
    assert b"STASH_FAILPOINT" in (WITH_FAILPOINTS / program).read_bytes()


def test_places_are_counted_for_each_process_and_unimportant_ones_are_left_out(tmp_path):
    (tmp_path / "a").write_text("before patch X\nafter patch X\nbefore create Event\nbefore patch X\nbefore patch X\n")
    (tmp_path / "b").write_text("before patch X\nbefore restic backup\n")
    assert places_in(tmp_path / "a", tmp_path / "b") == ["before patch X:1", "before patch X:2", "after patch X:1", "before restic backup:1"]


class Crowd(BenchWorkload):
    """Pods of one workload, whose sidecars have failpoints, and a restic that notices when it is not its host's only writer."""

    binary = WITH_FAILPOINTS / "stash"

    def __init__(self, bench, ns, directory, kind, size):
        super().__init__(bench, ns, directory, kind)
        if kind == "DaemonSet":
            bench.kube.kubectl("patch", "daemonset/web", "-n", ns, "--subresource=status", "--type=merge", "-p",
                               json.dumps({"status": {"desiredNumberScheduled": size}}))
        elif size > 1:
            bench.kube.kubectl("scale", f"{kind.lower()}/web", "-n", ns, f"--replicas={size}")
        self.writers = Writers(directory / "writers")
        self.pods = [f"web-{i}" for i in range(size)]
        self.hosts = [self.node_of(name) for name in self.pods] if kind == "DaemonSet" else ["host-0"]
        self.running = {}  # the pod's name: its sidecar
        self.failpoint = {}

    @staticmethod
    def node_of(pod):
        return pod.replace("web", "node")

    def pod_object(self, name):
        made = super().pod_object(name)
        if self.kind == "DaemonSet":
            owner = self.bench.kube.get("daemonset", "web", self.ns)
            made["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "web", "uid": owner["metadata"]["uid"],
                                                    "controller": True}]
            made["spec"]["nodeName"] = self.node_of(name)
        return made

    def sidecar_program(self, pod, args=None):
        program = super().sidecar_program(pod, args)
        program.env["NODE_NAME"] = self.node_of(pod["metadata"]["name"])
        program.env.update(self.failpoint, PATH=self.writers.path, STASH_FAILPOINT_LOG=str(self.directory / f"{pod['metadata']['name']}.places"))
        return program

    def start_pods(self):
        for name in self.pods:
            self.running[name] = self.pod(name)

    def restart_the_dead(self):
        """As the kubelet would; they do not die again. How many there were."""
        dead = [name for name, program in self.running.items() if program.process.poll() is not None]
        for name in dead:
            self.failpoint = {}
            self.running[name] = self.restart_sidecar(name)
        return len(dead)

    def places(self):
        return places_in(*self.directory.glob("web-*.places"))

    def require_the_truth(self, session="by-hand"):
        """I5 I7 I10: it has succeeded, each host has one snapshot of it, and each of them can be restored."""
        found = self.bench.kube.get("backupsession", session, self.ns)
        assert found["status"]["phase"] == "Succeeded", found["status"]
        mine = self.snapshots_of(session)
        assert sorted(snapshot["hostname"] for snapshot in mine) == self.hosts, mine
        told = {host["hostname"]: [snapshot["name"] for snapshot in host["snapshots"]] for host in found["status"]["stats"]}
        assert told == {snapshot["hostname"]: [snapshot["short_id"]] for snapshot in mine}
        self.require_sound_repository()
        for snapshot in mine:
            assert tree.differences(tree.fingerprint(self.source), tree.fingerprint(self.restored(snapshot))) == []

    def require_one_writer_each(self):
        """I7"""
        assert self.writers.watched() == self.hosts, "the restic that watches was not asked"
        assert self.writers.at_once() == []

    def state(self):
        found = state.of_namespace(self.bench.kube, self.ns, self.directory, *self.pods)
        for name, made in found.items():
            if name.startswith("backupsessions/"):
                made["status"].pop("upkeepHost", None)  # the first whose pod lives when all have ended
                for condition in made["status"].get("conditions", []):
                    condition["message"] = re.sub(r"^(host|node)-\d+: ", "host: ", condition["message"])
                for host in [*made["status"].get("stats", []), *(host for target in made["status"].get("targets", []) for host in target.get("stats", []))]:
                    host.pop("conditions", None)  # whoever comes last does the upkeep, and says so
                    for snapshot in host.get("snapshots", []):
                        # Of a snapshot found only when its restic was gone, restic before 0.17 does not tell them.
                        for name in ("uploaded", "processingTime"):
                            snapshot.pop(name, None)
        return found


class Sweep:
    """The bench with programs that have failpoints."""

    def __init__(self, controller, directory):
        self.controller, self.bench, self.directory, self.rounds = controller, controller.bench, directory, 0

    def story(self, kind, size, controller_env, sidecar_env):
        """One backup; whoever dies is started again without its failpoint. The crowd, and who died."""
        self.rounds += 1
        ns = f"sweep-{self.rounds}"
        make_namespace(self.bench.kube, ns)
        (self.directory / ns).mkdir()
        self.controller.use(controller_env)
        crowd = Crowd(self.bench, ns, self.directory / ns, kind, size)
        crowd.failpoint = sidecar_env
        died = []
        try:
            self._drive(crowd, died)
        except Exception as problem:
            crowd.stop()
            raise AssertionError(f"{problem}\n{crowd.told('backupsession', 'by-hand')}") from problem
        return crowd, died

    def _drive(self, crowd, died):
        def keep_running():
            if self.controller.restart_the_dead():
                died.append("controller")
            died.extend(["sidecar"] * crowd.restart_the_dead())

        def until(what, probe, seconds=120):
            wait_until(what, lambda: keep_running() or probe(), seconds)

        crowd.apply_configuration()
        until("the sidecar is injected and has its rights", crowd.is_configured)
        crowd.start_pods()
        crowd.session("by-hand")
        until("the session has ended", lambda: (self.bench.kube.get("backupsession", "by-hand", crowd.ns) or {}).get("status", {}).get("phase") in FINAL)
        # What is written after the end belongs to the story, too.
        end = time.monotonic() + 1.5
        until("it is over", lambda: time.monotonic() > end)


@pytest.fixture(scope="module")
def sweep(bench, tmp_path_factory):
    controller = KilledController(bench)
    yield Sweep(controller, tmp_path_factory.mktemp("sweep"))
    controller.put_back()


@needs_build
@pytest.mark.slow
@pytest.mark.fault("F2", "F3", "F25", "F28", invariants="I5 I6 I7 I10 I12 I19")
@pytest.mark.parametrize("crowd_name", CROWDS)
def test_killed_at_each_failpoint_once_the_story_ends_as_it_does_without(sweep, recovery, tmp_path, crowd_name):
    kind, size = CROWDS[crowd_name]
    of_controller = tmp_path / "controller.places"
    crowd, died = sweep.story(kind, size, {"STASH_FAILPOINT_LOG": str(of_controller)}, {})
    try:
        assert not died
        crowd.require_the_truth()
        crowd.require_one_writer_each()
        clean = api_ring.settled("the namespace", crowd.state, same_for=2.0)
        places = [("controller", place) for place in places_in(of_controller)] + [("sidecar", place) for place in crowd.places()]
        assert all(sum(program == each for each, _ in places) >= 8 for program in ("controller", "sidecar")), places
    finally:
        crowd.stop()

    def killed(program, place):
        recovery.fault_ended()
        env = {"STASH_FAILPOINT": place}
        crowd, died = sweep.story(kind, size, *([env, {}] if program == "controller" else [{}, env]))
        try:
            assert set(died) <= {program}, f"it died: {died}"
            crowd.require_the_truth()
            crowd.require_one_writer_each()
            require_equal(clean, crowd.state)
            if died:
                recovery.recovered()
            return bool(died)
        finally:
            crowd.stop()

    # In order, for the controller needs no new start where the sidecars are killed.
    try_each(crowd_name, sorted(chosen(crowd_name, places, PLACES), key=lambda place: place[0]), killed)
