"""Programs in pods, seen from outside: the node shares this machine's table of processes, so a test can hold one still."""
import os
import signal
from contextlib import contextmanager
from pathlib import Path

from .kube import wait_until


class PodProcess:
    """One process of a pod. Its number alone could be somebody else's by now; the descriptor cannot."""

    def __init__(self, pid, words):
        self.pid, self.words = pid, words
        self._descriptor = os.pidfd_open(pid)

    def send(self, number):
        signal.pidfd_send_signal(self._descriptor, number)

    def status(self, field):
        """A line of /proc/PID/status; "" once the process is gone."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return ""
        return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{field}:")), "")

    def has_pending(self, number):
        return any(int(self.status(field) or "0", 16) >> (number - 1) & 1 for field in ("SigPnd", "ShdPnd"))

    def close(self):
        os.close(self._descriptor)


def of_pod(pod, *words):
    """The pod's process with all these words in its command line, or None."""
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            if f"pod{pod['metadata']['uid']}" not in (directory / "cgroup").read_text():
                continue
            line = (directory / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended meanwhile
        if set(words) <= {Path(word).name for word in line} | set(line):
            return PodProcess(int(directory.name), line)
    return None


@contextmanager
def held_in_the_middle_of_a_backup(pod, repository):
    """The pod's restic, stopped after it wrote the first of its data; it goes on at the end at the latest."""
    def writing():
        return any((repository / "locks").glob("*")) and any((repository / "data").glob("*/*")) and of_pod(pod, "restic", "backup")
    restic = wait_until("restic writes into the repository", writing, 90, every=0.02)
    restic.send(signal.SIGSTOP)
    try:
        wait_until("restic stands still", lambda: restic.status("State").startswith("T"), 5, every=0.02)
        yield restic
    finally:
        try:
            restic.send(signal.SIGCONT)
        except ProcessLookupError:
            pass
        restic.close()
