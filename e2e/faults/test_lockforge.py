"""Forged locks are locks: restic reads them, respects them, and removes those that its own rules call stale."""
import datetime
import json
import os
import subprocess

import pytest

from stash_faults import lockforge

PASSWORD = "correct horse battery staple"
HOUR = datetime.timedelta(hours=1)


def restic(repository, *argv):
    return subprocess.run(["restic", "--no-cache", "-r", str(repository), *map(str, argv)], text=True, capture_output=True,
                          env={"RESTIC_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"}, timeout=60)


@pytest.fixture(params=[1, 2], ids=["format-1", "format-2"])
def repository(tmp_path, request):
    made = restic(tmp_path / "repository", "init", f"--repository-version={request.param}")
    assert made.returncode == 0, made.stderr
    return tmp_path / "repository"


def test_restic_reads_a_forged_lock_as_one_of_its_own(repository):
    path = lockforge.forge(repository, PASSWORD, hostname="web-0", age=HOUR, pid=123, username="somebody", exclusive=True)
    lock = json.loads(restic(repository, "--no-lock", "cat", "lock", path.name).stdout)
    assert (lock["hostname"], lock["pid"], lock["username"], lock["exclusive"]) == ("web-0", 123, "somebody", True)
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(lock["time"].replace("Z", "+00:00"))
    assert HOUR <= age < HOUR + datetime.timedelta(minutes=2)


def test_a_fresh_lock_of_another_host_is_respected_and_an_old_one_is_stale(repository):
    living = lockforge.forge(repository, PASSWORD, hostname="elsewhere", exclusive=True)
    assert "locked" in restic(repository, "check").stderr
    restic(repository, "unlock")
    assert living.exists()
    stale = lockforge.forge(repository, PASSWORD, hostname="elsewhere", age=HOUR, exclusive=True)
    restic(repository, "unlock")
    assert living.exists() and not stale.exists()


def test_a_lock_of_this_host_without_its_process_is_stale_at_once(repository):
    dead = lockforge.forge(repository, PASSWORD, hostname=os.uname().nodename, pid=2**22 - 1)
    # restic asks whether a process lives by sending it SIGHUP, which ends whoever does not ignore it.
    with subprocess.Popen(["nohup", "sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as owner:
        living = lockforge.forge(repository, PASSWORD, hostname=os.uname().nodename, pid=owner.pid)
        restic(repository, "unlock")
        assert living.exists() and not dead.exists()
        owner.kill()


def test_a_wrong_password_forges_nothing(repository):
    with pytest.raises(ValueError, match="opens no key"):
        lockforge.forge(repository, "wrong", hostname="web-0")
    assert not list((repository / "locks").iterdir())
