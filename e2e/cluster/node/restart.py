"""Kills daemons of the node and starts them again, as their init system would; or the whole node, as a power cut does."""

from pathlib import Path

from node import cgroups, container_runtime, kubelet, processes
from node.identity import Cluster
from node.processes import Record
from node.say import Failure, wait_for

NODE = ["containerd", "kubelet"]  # what runs on each node of a larger cluster; the control plane is elsewhere
_SERVES = {"containerd": container_runtime.serves, "kubelet": kubelet.serves}


def daemons(cluster: Cluster, names: list[str]) -> None:
    """All of them are gone before the first comes back; returns when they serve."""
    start_again(cluster, kill(cluster, names))


def power_cut(cluster: Cluster) -> None:
    """Every process of every pod dies at one moment, and nobody is there to tell of it. Disks stay, and so does what a pod has
    in memory (/run is not emptied). Returns when the kubelet is back; the pods' containers start after that."""
    commands = kill(cluster, NODE)
    _end(cgroups.processes(cluster))
    _end(processes.running_with_argument(str(cluster.containerd_socket)))  # shims
    start_again(cluster, commands)


def kill(cluster: Cluster, names: list[str]) -> dict[str, list[str]]:
    """Returns the commands that start_again() takes."""
    running = {record.name: record for record in processes.recorded(cluster) if record.alive()}
    missing = [name for name in names if name not in running]
    if missing:
        raise Failure(f"cluster {cluster.name} runs no {', '.join(missing)}; it runs {', '.join(running)}")
    commands = {name: _command_of(running[name]) for name in names}
    _end([running[name] for name in names])
    return commands


def start_again(cluster: Cluster, commands: dict[str, list[str]]) -> None:
    started = {name: processes.start(cluster, name, command) for name, command in commands.items()}

    def serves(name):
        processes.reap()
        if not started[name].alive():  # the kubelet gives up when containerd is not quite there
            started[name] = processes.start(cluster, name, commands[name])
        return _SERVES.get(name, lambda _: True)(cluster)

    for name in commands:
        wait_for(f"{name} to serve again", lambda name=name: serves(name), 30)


def _end(records: list[Record]) -> None:
    stuck = processes.end(records)
    if stuck:
        raise Failure(f"{', '.join(record.name for record in stuck)} does not end")


def _command_of(record: Record) -> list[str]:
    """nsenter has replaced itself, so these are the daemon's own words."""
    return Path(f"/proc/{record.pid}/cmdline").read_bytes().decode().split("\0")[:-1]
