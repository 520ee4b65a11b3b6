"""Hooks that run a program in the application's container: the controller runs them, by the API server's pods/exec."""
import json
import subprocess

from stash_e2e import objects
from test_backup import snapshots

DUMP = f"{objects.SOURCE}/dump.sql"


def with_hooks(place, before, after, **more):
    hooks = {"preBackup": {"exec": {"command": ["/bin/sh", "-c", before]}, "containerName": "app", **more},
             "postBackup": {"exec": {"command": ["/bin/sh", "-c", after]}}}
    place.start_workload()
    told = place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *", hooks=hooks))
    assert "Warning" not in told
    place.wait_for_sidecar()


def files_in(place, snapshot):
    listed = subprocess.run(["restic", "--no-cache", "--no-lock", "-r", str(place.repository), "ls", "--json", snapshot["id"]],
                            env={"RESTIC_PASSWORD": "correct horse battery staple", "PATH": "/usr/bin:/bin"}, check=True,
                            capture_output=True, text=True)
    return [entry["path"] for entry in map(json.loads, listed.stdout.splitlines()) if entry.get("type") == "file"]


def test_a_dump_that_the_hook_before_writes_is_in_the_snapshot_and_gone_after_the_hook_after(place):
    with_hooks(place, f"echo 'INSERT INTO notes' > {DUMP}", f"rm {DUMP} && touch {objects.SOURCE}/thawed")
    session = place.trigger()
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert DUMP in files_in(place, snapshots(place)[0])
    assert sorted(path.name for path in place.source.iterdir()) == ["data.txt", "thawed"]


def test_a_hook_before_that_exits_with_3_fails_the_session_with_its_words_and_the_hook_after_runs(place):
    with_hooks(place, "echo 'the database is read-only' >&2; exit 3", f"touch {objects.SOURCE}/thawed")
    session = place.trigger()
    assert session["status"]["phase"] == "Failed"
    assert [host["error"] for host in session["status"]["stats"]] == [
        "the hook preBackup failed: container app: exit code 3: the database is read-only; nothing was backed up"]
    assert snapshots(place) == []
    assert (place.source / "thawed").exists()


def test_a_deadline_in_the_middle_of_a_frozen_backup_thaws_the_application(place):
    """The sidecar has lost its host by then and may not ask any more: the controller thaws by itself."""
    with_hooks(place, f"touch {objects.SOURCE}/frozen; sleep 600", f"rm {objects.SOURCE}/frozen", timeout="20m")
    # So long that restic has made the repository by then, too.
    place.kube.kubectl("patch", "backupconfiguration", "web-backup", "-n", place.ns, "--type=merge", "-p", '{"spec":{"timeOut":"60s"}}')
    session = place.trigger()
    assert session["status"]["phase"] == "Failed"
    assert session["status"]["stats"][0]["error"].startswith("it did not end within 1m0s")
    assert session["status"]["stats"][0]["hook"]["phase"] == "Succeeded", session["status"]
    assert not (place.source / "frozen").exists()
