"""restic's cache and temporary files: their disk fills up (F46), the cache outgrows what its volume may take (F47)."""
import contextlib
import os
import threading

import pytest
from test_damage import fill_with, small_disk

from stash_e2e import objects, tree
from stash_e2e.kube import wait_until
from stash_faults.bench import BenchWorkload

MI = 1 << 20


class CachingWorkload(BenchWorkload):
    """One whose sidecar keeps restic's cache, as it does in a pod."""

    def __init__(self, bench, ns, directory):
        self.scratch = directory / "scratch"
        self.scratch.mkdir()
        self.cache = self.scratch / "restic-cache"
        super().__init__(bench, ns, directory)

    def scratch_of(self, name):
        return self.scratch

    def sidecar_program(self, pod, args=None):
        program = super().sidecar_program(pod, args)
        program.argv = ["--enable-cache=true" if word == "--enable-cache=false" else word for word in program.argv]
        return program

    def cached(self):
        """Bytes of the cache on its disk. Files go while it is measured."""
        size = 0
        for folder, _, files in os.walk(self.cache):
            for name in files:
                with contextlib.suppress(OSError):
                    size += os.lstat(os.path.join(folder, name)).st_blocks * 512
        return size


@pytest.fixture
def caching(bench, ns, tmp_path):
    made = CachingWorkload(bench, ns, tmp_path)
    yield made
    made.stop()


@pytest.mark.fault("F46", invariants="I3 I5 I10")
@pytest.mark.parametrize("size, options", [("48m", ()), ("48m", ("nr_inodes=200",))], ids=["bytes", "inodes"])
def test_a_disk_that_the_cache_has_filled_is_emptied_of_it_and_the_backup_succeeds(caching, size, options):
    with small_disk(caching.scratch, size, *options):
        caching.configure()
        sidecar = caching.pod("web-1")
        caching.succeeds("first")
        old = next(caching.cache.glob("*/snapshots"), None) or next(caching.cache.glob("*"))
        with contextlib.suppress(OSError):
            for number in range(10_000):  # what restic would have cached of a large repository
                (old / f"{number:064x}").write_bytes(b"x" * (100_000 if not options else 1))
        with pytest.raises(OSError, match="No space left"):
            (caching.scratch / "probe").write_bytes(b"x" * 200_000)
        fill_with(caching.source, 20)
        caching.succeeds("full")
        assert sidecar.process.poll() is None
    caching.require_sound_repository()


@pytest.mark.fault("F46", invariants="I3 I5 I6 I10")
@pytest.mark.parametrize("size, options", [("8m", ()), ("8m", ("nr_inodes=40",))], ids=["bytes", "inodes"])
def test_without_room_for_temporary_files_the_session_fails_and_the_next_one_finds_some(caching, recovery, size, options):
    with small_disk(caching.scratch, size, *options):
        caching.configure()
        sidecar = caching.pod("web-1")
        caching.succeeds("first")
        ballast = caching.scratch / "ballast"
        ballast.mkdir()
        with contextlib.suppress(OSError):
            for number in range(1000):
                (ballast / str(number)).write_bytes(b"x" * 100_000 if not options else b"")
        fill_with(caching.source, 40)
        caching.session("full")
        ended = caching.finished("full", 300)
        if ended["status"]["phase"] == "Succeeded":  # a little was enough
            caching.require_one_snapshot("full")
        else:
            assert ended["status"]["stats"][0]["error"]
        assert sidecar.process.poll() is None
        for path in ballast.iterdir():
            path.unlink()
        for large in caching.source.glob("random-*"):
            large.unlink()
        recovery.fault_ended()
        caching.succeeds("next")
        recovery.recovered()
    caching.require_sound_repository()


@pytest.mark.fault("F47", invariants="I3 I5")
def test_the_cache_stays_below_half_of_the_volumes_limit_while_restic_runs_and_afterwards(caching):
    """The kubelet evicts a pod whose volume outgrows its sizeLimit; the cache never comes near."""
    limit, seen, over = 16 * MI, [], threading.Event()
    caching.configure(tempDir={"sizeLimit": "16Mi"})
    caching.pod("web-1")
    caching.succeeds("first")
    old = next(caching.cache.glob("*/data"), None) or next(path for path in caching.cache.glob("*") if path.is_dir())
    for number in range(40):
        (old / f"{number:064x}").write_bytes(os.urandom(MI))
    assert caching.cached() > 2 * limit
    caching.session("second")
    caching.wait_until_running("second")
    wait_until("the cache is small", lambda: caching.cached() <= limit // 2, 60, every=0.1)

    def watch():
        while not over.wait(0.05):
            seen.append(caching.cached())
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert caching.finished("second", 120)["status"]["phase"] == "Succeeded"
        fill_with(caching.source, 40)
        caching.succeeds("third")
    finally:
        over.set()
        watcher.join()
    assert seen and max(seen) <= limit // 2
    caching.require_sound_repository()


@pytest.mark.fault("F47", invariants="I3 I5 I10")
def test_a_cache_that_shrinks_under_a_running_restic_costs_no_backup(caching):
    tree.make_tree(caching.source / "tree", files=300)
    caching.configure()
    caching.pod("web-1")
    caching.succeeds("first")
    over = threading.Event()

    def devour():
        while not over.wait(0.01):
            for path in list(caching.cache.rglob("*")):
                if path.name not in ("version", "CACHEDIR.TAG"):
                    with contextlib.suppress(OSError):
                        path.unlink() if path.is_file() else None
    eater = threading.Thread(target=devour)
    eater.start()
    try:
        for number in range(3):
            fill_with(caching.source, 5)
            caching.succeeds(f"devoured-{number}")
    finally:
        over.set()
        eater.join()
    caching.require_sound_repository()


@pytest.mark.fault("F4", "F47", invariants="I3 I10")
def test_what_a_killed_restic_left_in_the_temporary_directory_is_swept_by_the_next_session(caching):
    caching.configure()
    caching.pod("web-1")
    caching.succeeds("first")
    left = [caching.scratch / "restic-tmp" / "restic-temp-pack-1", caching.cache / "restic-check-cache-1" / "pack"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * MI)
    caching.succeeds("second")
    assert not [path for path in left if path.exists()]


@pytest.mark.fault("F46", invariants="I13")
def test_a_restore_succeeds_although_the_disk_of_the_cache_is_full(bench, caching, ns):
    fill_with(caching.source, 3)
    caching.configure()
    caching.pod("web-1")
    caching.succeeds("before")
    expected = tree.fingerprint(caching.source)
    tree.destroy(caching.source)
    with small_disk(caching.scratch, "4m"):
        caching.cache.mkdir()
        with contextlib.suppress(OSError):
            (caching.cache / "old").write_bytes(b"x" * 8 * MI)
        bench.kube.apply(objects.restore_session(ns, path=caching.source))
        wait_until("its rights exist", lambda: bench.kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
        restorer = caching.pod("web-2", ["restore", "--restore-session=web-restore"])
        assert restorer.process.wait(120) == 0, restorer.output()
        with pytest.raises(OSError, match="No space left"):
            (caching.scratch / "probe").write_bytes(b"x" * MI)
    assert tree.differences(expected, tree.fingerprint(caching.source)) == []
