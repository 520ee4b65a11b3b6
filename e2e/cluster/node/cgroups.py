"""One cgroup per cluster, in which the kubelet makes all others: it tells which processes are ours, and bounds them."""

import os
import time
from pathlib import Path

from node.identity import Cluster
from node.processes import Record, observe

MOUNT = Path("/sys/fs/cgroup")
_WANTED = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def version_2() -> bool:
    return (MOUNT / "cgroup.controllers").exists()


def _roots(cluster: Cluster) -> list[Path]:
    if version_2():
        return [MOUNT / cluster.network]
    # "cpu" and "cpu,cpuacct" may be links to one another; go to each hierarchy once.
    hierarchies = {os.path.realpath(entry) for entry in MOUNT.iterdir() if entry.is_dir()}
    return sorted(Path(hierarchy) / cluster.network for hierarchy in hierarchies)


def create(cluster: Cluster) -> None:
    if version_2():
        _offer_controllers(MOUNT)
    for root in _roots(cluster):
        root.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):  # version 1 leaves them empty, and then no process may enter
            if (root / file).exists() and not version_2():
                (root / file).write_text((root.parent / file).read_text())
        if version_2():
            _offer_controllers(root)


def _offer_controllers(group: Path) -> None:
    offered = (group / "cgroup.controllers").read_text().split()
    for controller in _WANTED:
        if controller in offered:
            (group / "cgroup.subtree_control").write_text(f"+{controller}")


def processes(cluster: Cluster) -> list[Record]:
    """Every process of every pod."""
    pids = set()
    for root in _roots(cluster):
        for members in root.rglob("cgroup.procs"):
            try:
                pids.update(int(pid) for pid in members.read_text().split())
            except OSError:
                continue  # removed meanwhile
    return [record for pid in sorted(pids) if pid and (record := observe("a pod's process", pid))]


def remove(cluster: Cluster, seconds: float = 5) -> list[Path]:
    """Returns what could not be removed. A killed process's memory may keep its group for a moment."""
    limit = time.monotonic() + seconds
    while True:
        left = [root for root in _roots(cluster) if not _remove_tree(root)]
        if not left or time.monotonic() > limit:
            return left
        time.sleep(0.05)


def _remove_tree(root: Path) -> bool:
    for directory, _, _ in os.walk(root, topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            pass
    return not root.exists()
