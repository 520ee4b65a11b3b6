"""What /proc says of a process."""
import os
import threading
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def status(pid, field):
    """Kilobytes, or a count."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise KeyError(field)


def memory(pid, field="RssAnon"):
    """Bytes; of VmHWM, the largest resident set so far."""
    return 1024 * status(pid, field)


def cpu_seconds(pid):
    """So far, without its children. In steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_seconds_of_threads(pid):
    """So far, of the threads that it has now, without steps."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def connections(pid):
    """Sockets of the network; a pair by which libcurl wakes itself leads nowhere."""
    network = set()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        network |= {line.split()[9] for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]}
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue  # closed meanwhile
        found += target.startswith("socket:[") and target[len("socket:["):-1] in network
    return found


class Peak:
    """The largest value of a field of /proc/PID/status while the block runs, looked at every 5 ms."""

    def __init__(self, pid, field):
        self.pid, self.field, self.most, self._ended = pid, field, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        while not self._ended.is_set():
            try:
                self.most = max(self.most, status(self.pid, self.field))
            except (OSError, KeyError):
                return
            time.sleep(0.005)
