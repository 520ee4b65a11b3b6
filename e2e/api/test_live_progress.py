"""How far a backup or a restore is, for those who watch: `kubectl get backupsessions,restoresessions`."""
import os
import signal
import time

from stash_e2e import objects
from stash_e2e.kube import wait_until
from test_programs import workload  # noqa: F401


def crawl(restic):
    """A hundredth of a second of work."""
    os.kill(restic, signal.SIGCONT)
    time.sleep(0.01)
    os.kill(restic, signal.SIGSTOP)


def shown(kube, ns, kind="backupsession", name="by-hand"):
    """{"PROGRESS": "12%", ...} as kubectl prints it."""
    head, row = kube.kubectl("get", kind, name, "-n", ns, "-o", "wide").splitlines()
    starts = [i for i, c in enumerate(head) if c != " " and (i == 0 or head[i - 3:i].isspace() and len(head[i - 3:i]) == 3)]
    return {head[a:b].strip(): row[a:b].strip() for a, b in zip(starts, [*starts[1:], None])}


def told_and_shown(kube, ns, kind, name):
    """The progress in the status, and what kubectl prints of the same."""
    progress = kube.get(kind, name, ns)["status"].get("progress", {})
    row = shown(kube, ns, kind, name)
    same = (row["PROGRESS"], row["BYTES"]) == (progress.get("percent"), progress.get("bytes"))
    return same and "/" in row["BYTES"] and (progress, row)


def test_a_backup_shows_percent_bytes_and_step_while_it_runs_and_nothing_of_them_is_left_over(kube, ns, workload):
    workload.fill()
    workload.configure()
    workload.pod("web-1")
    workload.session("by-hand")
    workload.wait_for_restic_to_write()
    restic = wait_until("it backs up", lambda: workload.restic_pid("backup"), 30, every=0.02)

    def told():
        crawl(restic)
        return told_and_shown(kube, ns, "backupsession", "by-hand")
    try:
        progress, row = wait_until("its progress is told and shown", told, 60)
    finally:
        os.kill(restic, signal.SIGCONT)
    assert 0 <= int(progress["percent"].rstrip("%")) < 100
    assert (row["PHASE"], row["HOSTS"]) == ("Running", "0/1")
    assert row["STEP"] == f"backup {workload.source}"
    assert workload.finished("by-hand")["status"]["phase"] == "Succeeded"
    row = shown(kube, ns)
    assert (row["PHASE"], row["PROGRESS"], row["HOSTS"], row["REMAINING"], row["STEP"]) == ("Succeeded", "100%", "1/1", "", "")
    assert row["DURATION"] and "/" not in row["BYTES"]


def test_a_restore_shows_them_too(kube, ns, workload):
    workload.fill()
    workload.configure()
    workload.pod("web-1")
    workload.session("before")
    assert workload.finished("before")["status"]["phase"] == "Succeeded"
    for file in workload.source.iterdir():
        file.unlink()
    kube.apply(objects.restore_session(ns, path=workload.source))
    wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
    restorer = workload.pod("web-2", ["restore", "--restore-session=web-restore"])
    restic = wait_until("it restores", lambda: workload.restic_pid("restore"), 30, every=0.01)
    os.kill(restic, signal.SIGSTOP)

    def a_file_is_back():
        crawl(restic)
        return any(workload.source.iterdir())
    try:
        # What is on the disk is told without restic's doing, so it need not go on.
        wait_until("a file is back", a_file_is_back, 30, every=0.01)
        progress, row = wait_until("its progress is told and shown", lambda: told_and_shown(kube, ns, "restoresession", "web-restore"), 60)
    finally:
        os.kill(restic, signal.SIGCONT)
    assert 0 <= int(progress["percent"].rstrip("%")) <= 100
    assert (row["PHASE"], row["HOSTS"]) == ("Running", "0/1")
    assert row["STEP"] == f"restore {workload.source}"
    assert restorer.process.wait(120) == 0, restorer.output()
    kube.wait_for_phase("restoresession", "web-restore", ns, ("Succeeded",), 30)
    row = shown(kube, ns, "restoresession", "web-restore")
    assert (row["PHASE"], row["PROGRESS"], row["HOSTS"], row["REMAINING"], row["STEP"]) == ("Succeeded", "100%", "1/1", "", "")
