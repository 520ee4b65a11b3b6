"""A repository in which somebody who knows its password wrote what no restic writes (F79): a restore stays in its volume."""
import contextlib
import os
import time

import pytest

from stash_e2e import api_ring, objects, process
from stash_e2e.kube import wait_until
from stash_faults import repoforge
from stash_faults.bench import PASSWORD, with_capabilities

# What stash-init may in a pod: all of this root, and none of its other rights.
CAPABILITIES = "chown,dac_override,fowner,fsetid,mknod,setfcap"
ESCAPE, BELL = "\x1b[2J", "\x07"


class Attacked:
    """A workload with one honest snapshot, a forger at its repository, and a directory that no restore may touch."""

    def __init__(self, bench, workload, outside):
        self.kube, self.workload, self.ns, self.outside = bench.kube, workload, workload.ns, outside
        outside.mkdir()
        (outside / "file").write_text("of somebody else")
        workload.configure()
        workload.pod("web-1")
        workload.session("honest")
        assert workload.finished("honest", 90)["status"]["phase"] == "Succeeded"
        self.forger = repoforge.Forger(workload.repository, PASSWORD)

    def restore(self, watch=None, **rule):
        """stash-init's exit code, as a pod would see it. `watch` is called with the program while it runs."""
        session = objects.restore_session(self.ns, path=self.workload.source)
        session["spec"]["rules"] = [rule or {"paths": [str(self.workload.source)]}]
        self.kube.apply(session)
        wait_until("its rights exist", lambda: self.kube.get("rolebinding", "stash-restore-init-container-deployment-web", self.ns), 30)
        self.kube.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-2", "namespace": self.ns, "labels": {"app": "web"}},
                         "spec": {"containers": [{"name": "app", "image": objects.SAMPLE_IMAGE}]}})
        program = self.workload.sidecar_program(self.kube.get("pod", "web-2", self.ns), ["restore", "--restore-session=web-restore"])
        with_capabilities(program, f"-all,{','.join('+' + name for name in CAPABILITIES.split(','))}")
        self.workload.programs.append(program)
        self.program = program.start()
        if watch:
            watch(program)
        return program.process.wait(120)

    def host(self):
        return self.kube.get("restoresession", "web-restore", self.ns)["status"]["stats"][0]

    def require_untouched(self):
        assert (self.outside / "file").read_text() == "of somebody else"
        assert sorted(path.name for path in self.outside.iterdir()) == ["file"]
        assert (self.outside / "file").stat().st_mode & 0o7777 == 0o644


@pytest.fixture
def attacked(bench, workload, tmp_path):
    return Attacked(bench, workload, tmp_path / "outside")


@pytest.mark.fault("F79", invariants="I13 I16")
@pytest.mark.parametrize("name", ["../outside/planted", "/planted", "..", "a/b", "."], ids=["climbing", "absolute", "parent", "two-parts", "itself"])
def test_a_name_that_leads_out_of_its_directory_is_refused(attacked, name):
    forger, source = attacked.forger, attacked.workload.source
    name = str(attacked.outside / "planted") if name == "/planted" else name
    forger.snapshot(forger.below(source, forger.file("good"), forger.file(name)), source)
    assert attacked.restore() != 0, attacked.program.output()
    attacked.require_untouched()
    assert attacked.host()["error"]


LINKED = {
    "then-a-directory": lambda forger, outside: (forger.symlink("way", outside), forger.directory("way", forger.file("file"), forger.file("planted"))),
    "after-a-directory": lambda forger, outside: (forger.directory("way", forger.file("file"), forger.file("planted")), forger.symlink("way", outside)),
    "then-a-file": lambda forger, outside: (forger.symlink("way", outside / "file"), forger.file("way")),
    "then-an-empty-file": lambda forger, outside: (forger.symlink("way", outside / "file"), forger.file("way", b"")),
}


@pytest.mark.fault("F79", invariants="I13 I16")
@pytest.mark.parametrize("order", LINKED)
def test_a_symbolic_link_and_something_below_it_in_one_snapshot_write_nothing_outside(attacked, order):
    forger, source = attacked.forger, attacked.workload.source
    forger.snapshot(forger.below(source, *LINKED[order](forger, attacked.outside)), source)
    attacked.restore()
    attacked.require_untouched()


@pytest.mark.fault("F44", "F79", invariants="I13 I16")
@pytest.mark.parametrize("order", ["then-a-directory", "then-a-file", "then-an-empty-file"])
def test_a_symbolic_link_of_one_snapshot_is_no_way_out_for_the_next(attacked, order):
    forger, source = attacked.forger, attacked.workload.source
    link, rest = LINKED[order](forger, attacked.outside)
    first = forger.snapshot(forger.below(source, link), source)
    second = forger.snapshot(forger.below(source, rest), source)
    attacked.restore(snapshots=[first, second])
    attacked.require_untouched()


@pytest.mark.fault("F79", invariants="I13 I16")
@pytest.mark.parametrize("rule", [{}, {"exclude": ["*.tmp"]}, {"include": ["*"]}], ids=["plain", "exclude", "include"])
def test_a_snapshot_that_holds_more_than_its_path_restores_no_more(attacked, rule):
    forger, source = attacked.forger, attacked.workload.source
    inside = forger.directory(source.name, forger.file("good"))
    beside = forger.directory(attacked.outside.name, forger.file("file"), forger.file("planted"))
    tree = forger.below(source.parent, inside, beside)
    forger.snapshot(tree, source)
    attacked.restore(paths=[str(source)], **rule)
    attacked.require_untouched()


@pytest.mark.fault("F79", invariants="I13 I15")
def test_names_with_control_characters_steer_no_terminal_and_break_no_status(attacked):
    forger, source = attacked.forger, attacked.workload.source
    odd = f"line\nsecond {ESCAPE}{BELL}"
    forger.snapshot(forger.below(source, forger.file(odd), forger.file(f"{odd}/..")), source, hostname="host-0")
    forger.snapshot(forger.below(source, forger.file("x")), f"/{odd}", hostname=odd)
    assert attacked.restore() != 0
    for text in (attacked.program.output(), attacked.host()["error"]):
        assert "\x1b" not in text and "\x07" not in text
    assert not [line for line in attacked.program.output().splitlines() if line.startswith("second ")]


@pytest.mark.fault("F79", invariants="I13 I17")
def test_the_error_about_a_missing_snapshot_stays_short_whatever_the_others_are_called(attacked):
    forger, source = attacked.forger, attacked.workload.source
    forger.snapshot(forger.below(source, forger.file("x")), "/" + "long" * 500_000, hostname="much" * 500_000)
    assert attacked.restore(paths=[str(source / "nowhere")]) != 0
    assert 0 < len(attacked.host()["error"]) < 10_000
    assert attacked.kube.wait_for_phase("restoresession", "web-restore", attacked.ns, ("Failed",), 60)


@pytest.mark.fault("F79", invariants="I13")
def test_what_a_forged_snapshot_holds_in_its_path_comes_back_as_it_says(attacked):
    """The forger's own proof: where nothing is wrong, restic takes what he wrote for its own."""
    forger, source = attacked.forger, attacked.workload.source
    forger.snapshot(forger.below(source, forger.file("good", b"forged"), forger.symlink("link", "good"), forger.directory("folder", forger.file("below"))), source)
    assert attacked.restore() == 0, attacked.program.output()
    assert (source / "good").read_bytes() == b"forged" and os.readlink(source / "link") == "good" and (source / "folder" / "below").exists()


NONSENSE = {
    "no-json": lambda forger: forger.garbled(b"{\"nodes\": [{"),
    "other-json": lambda forger: forger.garbled(b"{\"nodes\": {\"name\": 7}}\n"),
    "deep-json": lambda forger: forger.garbled(b"{\"nodes\": " + b"[" * 200_000 + b"]" * 200_000 + b"}\n"),
    "no-content": lambda forger: forger.file("a", b"nowhere", lost=True),
}


@pytest.mark.fault("F79", invariants="I13 I17")
@pytest.mark.parametrize("kind", NONSENSE)
def test_a_tree_of_nonsense_holds_the_application_and_says_so(attacked, kind):
    forger, source = attacked.forger, attacked.workload.source
    forger.snapshot(forger.below(source, forger.file("good"), NONSENSE[kind](forger)), source)
    assert attacked.restore() != 0, attacked.program.output()
    assert 0 < len(attacked.host()["error"]) < 10_000
    attacked.require_untouched()


@pytest.mark.fault("F79", invariants="I13 I17")
def test_a_file_that_claims_a_size_of_a_thousand_terabytes_fills_no_disk(attacked):
    forger, source = attacked.forger, attacked.workload.source
    forger.snapshot(forger.below(source, forger.file("huge", size=1 << 50)), source)
    attacked.restore()
    taken = sum(path.lstat().st_blocks * 512 for path in source.rglob("*"))
    assert taken < 1 << 24, f"{taken} bytes"
    assert attacked.host()["phase"] in ("Succeeded", "Failed")


MANY = 60_000


@pytest.mark.slow
@pytest.mark.fault("F79", "F24", invariants="I13 I17")
def test_a_directory_of_many_thousand_names_costs_stash_init_no_memory(attacked):
    forger, source = attacked.forger, attacked.workload.source
    name = "n" * 200
    forger.snapshot(forger.below(source, forger.directory("many", *(forger.file(f"{name}{i}", b"") for i in range(MANY)))), source)
    most = []

    def watch(program):
        while program.process.poll() is None:
            with contextlib.suppress(AssertionError, FileNotFoundError):  # it ends between the two calls
                most.append(process.memory(program.pid, "VmHWM"))
            time.sleep(0.05)  # the rate of the samples
    assert attacked.restore(watch=watch) == 0, attacked.program.output()
    assert sum(1 for _ in (source / "many").iterdir()) == MANY
    assert 0 < most[-1] < 64 << 20, f"{most[-1] >> 20} MiB"
