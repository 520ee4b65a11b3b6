"""How far a backup is, for those who watch: `kubectl get backupsessions`."""
import os
import signal
import time

from stash_e2e.kube import wait_until
from test_programs import workload  # noqa: F401


def crawl(restic):
    """A hundredth of a second of work."""
    os.kill(restic, signal.SIGCONT)
    time.sleep(0.01)
    os.kill(restic, signal.SIGSTOP)


def shown(kube, ns):
    """{"PROGRESS": "12%", ...} as kubectl prints it."""
    head, row = kube.kubectl("get", "backupsession", "by-hand", "-n", ns, "-o", "wide").splitlines()
    starts = [i for i, c in enumerate(head) if c != " " and (i == 0 or head[i - 3:i].isspace() and len(head[i - 3:i]) == 3)]
    return {head[a:b].strip(): row[a:b].strip() for a, b in zip(starts, [*starts[1:], None])}


def test_a_backup_shows_percent_bytes_and_step_while_it_runs_and_nothing_of_them_is_left_over(kube, ns, workload):
    workload.fill()
    workload.configure()
    workload.pod("web-1")
    workload.session("by-hand")
    workload.wait_for_restic_to_write()
    restic = wait_until("it backs up", lambda: workload.restic_pid("backup"), 10)

    def told():
        crawl(restic)
        progress = kube.get("backupsession", "by-hand", ns)["status"].get("progress", {})
        return "/" in progress.get("bytes", "") and progress
    try:
        progress = wait_until("its progress is told", told, 60)
        row = shown(kube, ns)
    finally:
        os.kill(restic, signal.SIGCONT)
    assert 0 <= int(progress["percent"].rstrip("%")) < 100
    assert (row["PHASE"], row["PROGRESS"], row["BYTES"], row["HOSTS"]) == ("Running", progress["percent"], progress["bytes"], "0/1")
    assert row["STEP"] == f"backup {workload.source}"
    assert workload.finished("by-hand", 90)["status"]["phase"] == "Succeeded"
    row = shown(kube, ns)
    assert (row["PHASE"], row["PROGRESS"], row["HOSTS"], row["REMAINING"], row["STEP"]) == ("Succeeded", "100%", "1/1", "", "")
    assert row["DURATION"] and "/" not in row["BYTES"]
