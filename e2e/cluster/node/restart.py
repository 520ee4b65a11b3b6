"""Kills daemons of the node and starts them again, as their init system would."""

from pathlib import Path

from node import container_runtime, kubelet, processes
from node.identity import Cluster
from node.processes import Record
from node.say import Failure, wait_for

_SERVES = {"containerd": container_runtime.serves, "kubelet": kubelet.serves}


def daemons(cluster: Cluster, names: list[str]) -> None:
    """All of them are gone before the first comes back; returns when they serve."""
    running = {record.name: record for record in processes.recorded(cluster) if record.alive()}
    missing = [name for name in names if name not in running]
    if missing:
        raise Failure(f"cluster {cluster.name} runs no {', '.join(missing)}; it runs {', '.join(running)}")
    commands = {name: _command_of(running[name]) for name in names}
    stuck = processes.end([running[name] for name in names])
    if stuck:
        raise Failure(f"{', '.join(record.name for record in stuck)} does not end")
    started = {name: processes.start(cluster, name, command) for name, command in commands.items()}

    def serves(name):
        processes.reap()
        if not started[name].alive():  # the kubelet gives up when containerd is not quite there
            started[name] = processes.start(cluster, name, commands[name])
        return _SERVES.get(name, lambda _: True)(cluster)

    for name in names:
        wait_for(f"{name} to serve again", lambda name=name: serves(name), 30)


def _command_of(record: Record) -> list[str]:
    """nsenter has replaced itself, so these are the daemon's own words."""
    return Path(f"/proc/{record.pid}/cmdline").read_bytes().decode().split("\0")[:-1]
