"""The source changes while restic reads it, cannot be read, or is full of oddities (F42): what is told is true, and what did not
change comes back as it was."""
import os
import random
import shutil
import stat
import threading
from pathlib import Path

import pytest
from test_repository import the_next_session_succeeds

from stash_e2e import objects, tree
from stash_faults import actions
from stash_faults.bench import BenchWorkload, with_capabilities

MANY = 100_000
BEING_READ = 64_000_000  # bytes; restic has read a part of it when its first pack goes to the server


class OfAPlainUser(BenchWorkload):
    """A sidecar that owns the files and reads none that their modes keep from it, as one of no privileges."""

    def sidecar_program(self, pod, args=None):
        return with_capabilities(super().sidecar_program(pod, args), "-dac_override,-dac_read_search")


@pytest.fixture
def of_a_plain_user(bench, ns, tmp_path):
    made = OfAPlainUser(bench, ns, tmp_path)
    yield made
    made.stop()


def fails_for_some_files(workload, name, seconds=300):
    """The host's error; the snapshot of all other files is there and is named."""
    ended = workload.finished(name, seconds)
    assert ended["status"]["phase"] == "Failed", ended["status"]
    host = ended["status"]["stats"][0]
    found = workload.require_one_snapshot(name)
    assert [told["name"] for told in host["snapshots"]] == [found["short_id"]] and "stash-incomplete" in found["tags"], (host, found)
    assert f"The snapshot {found['short_id']} has everything else" in host["error"], host
    return host["error"], found


def below(fingerprint, *names):
    """Only what lies there."""
    return {path: value for path, value in fingerprint.items() if path.split(b"/")[0].decode(errors="replace") in names}


@pytest.mark.fault("F42", invariants="I5 I10 I13")
def test_pipes_devices_deep_paths_odd_names_links_attributes_and_modes_come_back_as_they_were(workload):
    tree.make_tree(workload.source / "tree")
    tree.make_odd_files(workload.source / "odd")
    os.mknod(workload.source / "odd" / "socket", stat.S_IFSOCK | 0o600)
    workload.configure()
    workload.pod("web-1")
    workload.succeeds("by-hand")
    (workload.source / "odd" / "socket").unlink()  # whoever listened there makes it anew; restic leaves it out
    expected = tree.fingerprint(workload.source)
    shutil.rmtree(workload.source / "odd" / "level-000")  # tree.destroy would go too deep for pathlib
    tree.destroy(workload.source)
    workload.restore()
    found = tree.fingerprint(workload.source)
    # Its time is that of the last change in it: the socket's end was none of the backup's.
    assert tree.differences(without_time(expected, b"odd"), without_time(found, b"odd")) == []
    odd = workload.source / "odd"
    assert len({(odd / f"{name} of three").stat().st_ino for name in ("one", "two", "three")}) == 1, "three files were one"
    workload.require_sound_repository()


def without_time(fingerprint, path):
    return {name: value[:3] + value[4:] if name == path else value for name, value in fingerprint.items()}


def vanish(source):
    (source / "being-read").unlink()
    for path in source.glob("to-come-*"):
        path.unlink()


def shrink(source):
    os.truncate(source / "being-read", BEING_READ // 8)
    for path in source.glob("to-come-*"):
        os.truncate(path, 1)


def grow(source):
    for path in [source / "being-read", *source.glob("to-come-*")]:
        with open(path, "ab") as file:
            file.write(b"more" * 100_000)


def replace(source):
    for path in [source / "being-read", *source.glob("to-come-*")]:
        (source / "other").write_bytes(b"of the successor")
        os.replace(source / "other", path)


def change_kind(source):
    for number, path in enumerate(source.glob("to-come-*")):
        path.unlink()
        path.mkdir() if number % 2 else path.symlink_to("/nowhere")


# What is done, and whether restic finds fault with it.
CHANGES = {vanish: True, shrink: False, grow: False, replace: False, change_kind: None}


@pytest.mark.slow
@pytest.mark.fault("F42", invariants="I5 I6 I7 I10 I11")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_of_files_that_change_while_they_are_read_the_truth_is_told_and_the_others_are_kept(remote, recovery, change):
    tree.make_tree(remote.source / "still")
    still = tree.fingerprint(remote.source)
    remote.configure(retentionPolicy=objects.keep_last(1))
    remote.pod("web-1")
    first = remote.succeeds("first")
    (remote.source / "being-read").write_bytes(os.urandom(BEING_READ))
    remote.fill()
    for number in range(20):
        (remote.source / f"to-come-{number}").write_bytes(b"x" * 10_000)
    # restic has listed the directory by then, reads its first files and is not yet at its last ones.
    with remote.proxy.rule("POST", "/data/", actions.calling(lambda: change(remote.source)), times=1) as rule:
        remote.session("changed")
        ended = remote.finished("changed", 300)
        assert rule.hits == 1
    failed = ended["status"]["phase"] == "Failed"
    if CHANGES[change] is not None:
        assert failed == CHANGES[change], ended["status"]
    if failed:
        error, snapshot = fails_for_some_files(remote, "changed")
        assert str(remote.source / "to-come-") in error and "(no such file)" in error, error
        assert first["id"] in [kept["id"] for kept in remote.snapshots()], "something was forgotten after a failed backup"
    else:
        snapshot = remote.require_one_snapshot("changed")
    restored = tree.fingerprint(remote.restored(snapshot))
    assert tree.differences(still, below(restored, "still", "data.txt")) == []
    the_next_session_succeeds(remote, recovery)
    now, latest = tree.fingerprint(remote.source), tree.fingerprint(remote.restored(remote.require_one_snapshot("next")))
    assert tree.differences(now, latest) == []


class Churn(threading.Thread):
    """Makes, changes, renames and removes files of one directory, as fast as it can."""

    def __init__(self, directory, seed):
        super().__init__(name="churn", daemon=True)
        self.directory, self.random, self.over, self.problem = Path(directory), random.Random(seed), threading.Event(), None
        self.directory.mkdir()

    def run(self):
        try:
            while not self.over.is_set():
                self.step(self.directory / str(self.random.randrange(3000)))
        except Exception as problem:  # noqa: BLE001 - told by whoever joins
            self.problem = problem

    def step(self, path):
        what = self.random.choice(["write", "write", "write", "append", "truncate", "rename", "unlink", "folder"])
        if path.is_dir():
            shutil.rmtree(path)
        elif what == "write":
            path.write_bytes(self.random.randbytes(self.random.randrange(20_000)))
        elif what == "folder":
            path.unlink(missing_ok=True)
            path.mkdir()
            (path / "inside").write_text("x")
        elif path.exists():
            {"append": lambda: path.open("ab").write(b"y" * 5000), "truncate": lambda: os.truncate(path, 10),
             "rename": lambda: path.rename(self.directory / f"{path.name}-moved"), "unlink": path.unlink}[what]()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        assert self.problem is None, self.problem


@pytest.mark.slow
@pytest.mark.fault("F42", invariants="I5 I6 I7 I10 I11")
def test_in_a_directory_that_never_rests_each_session_ends_with_the_truth(workload, recovery):
    tree.make_tree(workload.source / "still")
    still = tree.fingerprint(workload.source)
    workload.configure(retentionPolicy=objects.keep_last(1), backupHistoryLimit=9)
    workload.pod("web-1")
    workload.succeeds("first")
    last_good = "first"
    with Churn(workload.source / "moving", seed=7):
        for number in range(4):
            name = f"moving-{number}"
            workload.session(name)
            if workload.finished(name, 300)["status"]["phase"] == "Succeeded":
                last_good = name
            else:
                fails_for_some_files(workload, name)
            snapshot = workload.require_one_snapshot(name)
            workload.require_one_snapshot(last_good)  # no failure costs it
            assert tree.differences(still, below(tree.fingerprint(workload.restored(snapshot)), "still", "data.txt")) == []
    the_next_session_succeeds(workload, recovery)


@pytest.mark.fault("F42", invariants="I5 I11")
def test_one_file_that_cannot_be_read_is_named_fails_the_session_and_costs_no_older_snapshot(of_a_plain_user, recovery):
    workload = of_a_plain_user
    tree.make_odd_files(workload.source / "odd")
    workload.configure(retentionPolicy=objects.keep_last(1))
    workload.pod("web-1")
    first = workload.succeeds("first")
    secret = workload.source / "odd" / "a\nsecret"
    secret.write_text("mine")
    secret.chmod(0)
    workload.session("unreadable")
    error, snapshot = fails_for_some_files(workload, "unreadable")
    assert f"1 file could not be read: {secret} (permission denied)" in error, error
    logged = [line for line in workload.programs[-1].output().splitlines() if "1 file could not be read" in line]
    assert logged and all("secret (permission denied)" in line for line in logged), "a name makes no lines of its own in the log"
    assert first["id"] in [kept["id"] for kept in workload.snapshots()]
    expected = tree.fingerprint(workload.source)
    del expected[b"odd/a\nsecret"]
    assert tree.differences(expected, tree.fingerprint(workload.restored(snapshot))) == []
    secret.chmod(0o600)
    the_next_session_succeeds(workload, recovery)
    # The policy counts what is whole; with the first one of these, what was before may go.
    assert first["id"] not in [kept["id"] for kept in workload.snapshots()]


@pytest.mark.slow
@pytest.mark.fault("F42", invariants="I5 I6 I11")
def test_of_a_hundred_thousand_files_that_cannot_be_read_the_number_and_the_first_are_told(of_a_plain_user, recovery):
    workload = of_a_plain_user
    workload.configure(retentionPolicy=objects.keep_last(1))
    workload.pod("web-1")
    workload.succeeds("first")
    for folder in range(MANY // 1000):
        made = workload.source / f"folder-{folder:03}"
        made.mkdir()
        for number in range(1000):
            os.close(os.open(made / f"file-{number:03}", os.O_CREAT | os.O_WRONLY, 0))
    workload.session("unreadable")
    error, snapshot = fails_for_some_files(workload, "unreadable", 600)
    assert f"{MANY} files could not be read: " in error and "folder-000/file-000 (permission denied)" in error, error
    assert len(error) < 2000
    assert "data.txt" in workload.restic("ls", snapshot["id"])
    for path in workload.source.glob("*/file-*"):
        path.chmod(0o600)
    the_next_session_succeeds(workload, recovery)
    assert workload.restic("ls", "latest").count("/file-") == MANY
