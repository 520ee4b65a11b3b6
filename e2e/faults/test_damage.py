"""Disks that are full, bytes that flipped, repositories and sources that are gone (F36 F37 F43 F44 F46)."""
import contextlib
import os
import shutil
import subprocess

import pytest

from stash_e2e import objects, tree
from stash_e2e.kube import wait_until


ATTEMPTS = 5  # of a restore, by docs/restore.md


@contextlib.contextmanager
def small_disk(path, size, *options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill_with(directory, megabytes):
    for i in range(megabytes):
        (directory / f"random-{i}").write_bytes(os.urandom(1_000_000))


@pytest.mark.fault("F46", invariants="I3 I5 I6 I10")
@pytest.mark.parametrize("size, options", [("16m", ()), ("64m", ("nr_inodes=400",))], ids=["bytes", "inodes"])
def test_a_repository_on_a_full_disk_fails_the_session_and_works_again_when_there_is_room(workload, recovery, size, options):
    with small_disk(workload.repository, size, *options):
        workload.configure()
        sidecar = workload.pod("web-1")
        workload.session("first")
        assert workload.finished("first", 90)["status"]["phase"] == "Succeeded"
        fill_with(workload.source, 40)
        ballast = workload.repository / "ballast"
        ballast.mkdir()
        with contextlib.suppress(OSError):
            for i in range(1000):  # the last inodes, or the last bytes
                (ballast / str(i)).write_bytes(b"x" * 10_000 if not options else b"")
        workload.session("full")
        failed = workload.finished("full", 300)
        assert failed["status"]["phase"] == "Failed", failed["status"]
        assert failed["status"]["stats"][0]["error"]
        assert sidecar.process.poll() is None
        shutil.rmtree(ballast)
        for large in workload.source.glob("random-*"):
            large.unlink()
        recovery.fault_ended()
        workload.session("next")
        session = workload.finished("next", 120)
        assert session["status"]["phase"] == "Succeeded", session["status"]
        recovery.recovered()
        workload.require_one_snapshot("next")
        workload.require_sound_repository()


@pytest.mark.fault("F36", invariants="I14")
def test_a_repository_that_was_wiped_is_not_made_again(workload):
    workload.configure()
    workload.pod("web-1")
    workload.session("first")
    assert workload.finished("first", 90)["status"]["phase"] == "Succeeded"
    for path in workload.repository.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    workload.session("wiped")
    failed = workload.finished("wiped", 120)
    assert failed["status"]["phase"] == "Failed" and failed["status"]["stats"][0]["error"]
    assert not (workload.repository / "config").exists()


def flip(path):
    """One bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


@pytest.mark.fault("F37", invariants="I5 I11")
@pytest.mark.parametrize("part", ["config", "index", "data", "snapshots"])
@pytest.mark.parametrize("damage", [flip, lambda path: (path.chmod(0o600), os.truncate(path, path.stat().st_size // 2))], ids=["flipped", "truncated"])
def test_damage_is_never_pruned_away_nor_repaired_in_silence(workload, part, damage):
    workload.configure(retentionPolicy={"name": "keep-1", "keepLast": 1, "prune": True})
    workload.pod("web-1")
    for name in ("first", "second"):
        (workload.source / name).write_bytes(os.urandom(100_000))
        workload.session(name)
        assert workload.finished(name, 90)["status"]["phase"] == "Succeeded"
    files = [workload.repository / "config"] if part == "config" else [p for p in (workload.repository / part).rglob("*") if p.is_file()]
    damage(files[0])
    others = {p.name for p in (workload.repository / "data").rglob("*") if p.is_file()}
    (workload.source / "third").write_bytes(os.urandom(100_000))
    workload.session("damaged")
    session = workload.finished("damaged", 180)
    if session["status"]["phase"] == "Succeeded":
        workload.require_one_snapshot("damaged")
        assert part in ("data", "snapshots", "index"), "a repository that cannot be opened took a backup"
    else:
        assert session["status"]["stats"][0]["error"]
    if part in ("config", "index"):  # restic sees these at once; a pack is seen by the check only
        assert others <= {p.name for p in (workload.repository / "data").rglob("*") if p.is_file()}, "something was pruned"


@pytest.mark.fault("F43", invariants="I5 I11")
def test_a_source_that_is_not_mounted_is_no_backup_and_costs_no_older_snapshot(workload):
    workload.configure(retentionPolicy={"name": "keep-1", "keepLast": 1, "prune": True}, backupHistoryLimit=5)
    workload.pod("web-1")
    workload.session("first")
    assert workload.finished("first", 90)["status"]["phase"] == "Succeeded"
    with small_disk(workload.source, "1m"):  # empty, over what was there
        workload.session("unmounted")
        failed = workload.finished("unmounted", 90)
    assert failed["status"]["phase"] == "Failed", failed["status"]
    workload.require_one_snapshot("first")
    workload.require_sound_repository()


@pytest.mark.fault("F44", invariants="I13")
@pytest.mark.parametrize("size, options", [("2m", ()), ("64m", ("ro",))], ids=["too-small", "read-only"])
def test_a_restore_without_room_fails_holds_the_application_and_can_be_let_go(bench, workload, ns, size, options):
    kube = bench.kube
    fill_with(workload.source, 8)
    workload.configure()
    workload.pod("web-1")
    workload.session("before")
    assert workload.finished("before", 90)["status"]["phase"] == "Succeeded"
    tree.destroy(workload.source)
    with small_disk(workload.source, size, *options):
        kube.apply(objects.restore_session(ns, path=workload.source))
        wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
        arguments = ["restore", "--restore-session=web-restore"]
        failing = workload.pod("web-2", arguments)
        assert failing.process.wait(120) != 0, failing.output()
        failed = kube.wait_for_phase("restoresession", "web-restore", ns, ("Failed",), 60)
        assert failed["status"]["stats"][0]["error"]
        pod = kube.get("pod", "web-2", ns)
        for _ in range(ATTEMPTS - 2):  # as the kubelet would
            assert workload.sidecar(pod, arguments).process.wait(120) != 0, failing.output()
        # After the last one it stays and waits, which holds the application; whoever wants it as it is deletes the session.
        waiting = workload.sidecar(pod, arguments)
        wait_until("it has given up", lambda: "is not restored" in waiting.output(), 120)
        assert waiting.process.poll() is None
        kube.delete("restoresession", "web-restore", ns)
        assert waiting.process.wait(60) == 0, waiting.output()


@pytest.mark.fault("F44", invariants="I13 I16")
def test_a_symbolic_link_at_the_target_leads_no_restore_out_of_the_volume(bench, workload, ns, tmp_path):
    kube = bench.kube
    (workload.source / "folder").mkdir()
    (workload.source / "folder" / "file").write_text("from the backup")
    workload.configure()
    workload.pod("web-1")
    workload.session("before")
    assert workload.finished("before", 90)["status"]["phase"] == "Succeeded"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("of somebody else")
    shutil.rmtree(workload.source / "folder")
    (workload.source / "folder").symlink_to(outside)
    kube.apply(objects.restore_session(ns, path=workload.source))
    wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
    workload.pod("web-2", ["restore", "--restore-session=web-restore"]).process.wait(60)
    assert (outside / "file").read_text() == "of somebody else"
    assert sorted(path.name for path in outside.iterdir()) == ["file"]
