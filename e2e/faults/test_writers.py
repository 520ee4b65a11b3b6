"""The restic that notices a second writer does notice one, and none where there is none."""
import subprocess
from pathlib import Path

import pytest

from stash_e2e.kube import wait_until
from stash_faults.writers import Writers

PASSWORD = "correct horse battery staple"


@pytest.fixture
def writers(tmp_path):
    return Writers(tmp_path / "writers")


def restic(writers, tmp_path, *argv):
    """Started; one that backs up waits for the end of its standard input before it ends."""
    return subprocess.Popen(["restic", "--no-cache", "-r", str(tmp_path / "repository"), *argv], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            env={"RESTIC_PASSWORD": PASSWORD, "PATH": writers.path})


def test_two_writers_of_one_host_at_once_are_noticed_and_others_are_not(writers, tmp_path):
    assert restic(writers, tmp_path, "init").wait(60) == 0
    backup = ("backup", "--stdin", "--host")
    dead = restic(writers, tmp_path, *backup, "host-0")
    dead.kill()
    dead.wait(10)
    with restic(writers, tmp_path, *backup, "host-0") as first, restic(writers, tmp_path, *backup, "host-1") as other:
        wait_until("both are past the script", lambda: all(Path(f"/proc/{each.pid}/comm").read_text() == "restic\n" for each in (first, other)), 30)
        assert restic(writers, tmp_path, "snapshots", "--host", "host-0").wait(60) == 0
        other.communicate(b"x", 60)
        assert other.returncode == 0 and writers.at_once() == [] and writers.watched() == ["host-0", "host-1"]
        with restic(writers, tmp_path, "backup", "--stdin", "--host=host-0") as second:
            second.communicate(b"x", 60)
        first.communicate(b"x", 60)
    assert (first.returncode, second.returncode) == (0, 0)
    assert [line.split(":")[0] for line in writers.at_once()] == ["a second writer of host-0"]
