"""Starts the cluster's processes, remembers them by PID and start time, and ends exactly those."""

import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from node.identity import Cluster
from node.say import Failure, tail

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Record:
    """A PID alone may belong to somebody else by now; PID, start time and boot together cannot."""

    name: str
    pid: int
    started: int  # clock ticks since boot
    boot: str

    def alive(self) -> bool:
        return self.boot == BOOT_ID.read_text().strip() and start_time(self.pid) == self.started


def start_time(pid: int) -> int | None:
    """None if there is no such process, or only its unreaped remains."""
    try:
        # The second field is the program's name in parentheses and may hold anything, so count from its end.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def observe(name: str, pid: int) -> Record | None:
    started = start_time(pid)
    return None if started is None else Record(name, pid, started, BOOT_ID.read_text().strip())


def start(cluster: Cluster, name: str, command: list, in_network: bool = True) -> Record:
    """Starts a daemon in a session of its own, so that it outlives this command and its terminal.

    nsenter replaces itself by the program: the PID is the program's. (`ip netns exec` would hide /sys/fs/cgroup.)
    """
    enter = ["nsenter", f"--net=/run/netns/{cluster.network}"] if in_network else []
    log = cluster.logs / f"{name}.log"
    with open(log, "a") as output:
        child = subprocess.Popen([str(part) for part in [*enter, *command]], stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, start_new_session=True, cwd="/")
    record = observe(name, child.pid)
    if record is None:
        child.wait()
        raise Failure(f"{name} ended at once. The end of {log}:\n{tail(log)}")
    kept = cluster.run / "pids" / f"{name}.json"
    kept.with_suffix(".new").write_text(json.dumps(asdict(record)))
    os.replace(kept.with_suffix(".new"), kept)
    _children.append(child)
    return record


# Children of this very command must be waited for when they die, or they stay as zombies until it ends.
_children: list[subprocess.Popen] = []


def reap() -> None:
    for child in _children:
        child.poll()


def recorded(cluster: Cluster) -> list[Record]:
    records = []
    for path in sorted((cluster.run / "pids").glob("*.json")):
        try:
            records.append(Record(**json.loads(path.read_text())))
        except (ValueError, TypeError):
            continue  # cut off while it was written: start() had not returned either
    return records


def fail_if_one_died(cluster: Cluster) -> None:
    reap()
    for record in recorded(cluster):
        if not record.alive():
            log = cluster.logs / f"{record.name}.log"
            raise Failure(f"{record.name} died. The end of {log}:\n{tail(log)}")


def end(records: list[Record], seconds: float = 15) -> list[Record]:
    """Kills and waits; returns those that are still there.

    SIGKILL, because all that they could tidy up is deleted next anyway and kube-apiserver takes seconds to leave.
    """
    for record in records:
        if record.alive():
            try:
                os.kill(record.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    limit = time.monotonic() + seconds
    while True:
        reap()
        left = [record for record in records if record.alive()]
        if not left or time.monotonic() > limit:
            return left
        time.sleep(0.02)


def running_with_argument(argument: str) -> list[Record]:
    """Processes that have `argument` as one whole word of their command line."""
    found = []
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if argument.encode() in words:
            record = observe(words[0].decode(errors="replace"), int(directory.name))
            if record:
                found.append(record)
    return found
