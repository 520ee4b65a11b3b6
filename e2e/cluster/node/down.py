"""Takes a cluster down and leaves nothing behind, also when it is half dead or was started by a crashed command."""

import shutil
import time

from node import cgroups, machine, mounts, network, processes
from node.identity import Cluster
from node.say import say


def take_down(cluster: Cluster, keep_logs: bool = False) -> list[str]:
    """Safe to repeat. Returns what could not be removed, one sentence each; the claim is kept then, for another try.

    Order: first those who would restart what is killed next, then the pods' processes while their parents can still
    reap them, then the parents, then everybody else.
    """
    started = time.monotonic()
    records = {record.name: record for record in processes.recorded(cluster)}
    problems = []

    restarters = ("kubelet", "kube-controller-manager", "kube-scheduler")
    stuck = processes.end([records[name] for name in restarters if name in records])
    stuck += processes.end(cgroups.processes(cluster))
    stuck += processes.end(processes.running_with_argument(str(cluster.containerd_socket)))  # shims
    stuck += processes.end(list(records.values()))
    problems += [f"process {record.pid} ({record.name}) does not end" for record in stuck]

    outside = machine.files_of(cluster)
    mounted = mounts.unmount_all_below(cluster.run) + mounts.unmount_all_below(cluster.home)
    problems += [f"{point} cannot be unmounted" for point in mounted]
    for path in outside:
        path.unlink(missing_ok=True)
    network.remove(cluster)
    machine.restore_settings(cluster)
    problems += [f"cgroup {group} cannot be removed" for group in cgroups.remove(cluster)]

    if not mounted:  # else deleting would reach into volumes
        problems += _delete(cluster, keep_logs)
    if not problems:
        shutil.rmtree(cluster.run)
        say(f"cluster {cluster.name}: down in {time.monotonic() - started:.1f} s"
            + (f"; its logs stay in {cluster.logs}" if keep_logs else ""))
    return problems


def _delete(cluster: Cluster, keep_logs: bool) -> list[str]:
    failed = []

    def note(_function, path, error) -> None:
        if not isinstance(error[1], FileNotFoundError):
            failed.append(f"{path} cannot be deleted: {error[1]}")

    if not keep_logs:
        shutil.rmtree(cluster.home, onerror=note)
        return failed
    for entry in cluster.home.iterdir():
        if entry == cluster.logs:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, onerror=note)
        else:
            entry.unlink()
    return failed
