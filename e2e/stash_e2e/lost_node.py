"""The node of one pod is lost: kubelet and containerd are dead and so is the pod, and nobody tells the API server.

There is one node only, so the other pods stay where they are and play those of other nodes.
"""
import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))
from node import cgroups, identity, processes, restart  # noqa: E402


@contextlib.contextmanager
def of_pod(kube, pod):
    cluster = identity.find(kube.cluster)
    commands = restart.kill(cluster, restart.NODE)
    try:
        mark = f"pod{pod['metadata']['uid']}"
        left = processes.end([record for record in cgroups.processes(cluster) if mark in _groups(record.pid)])
        assert not left, left
        yield
    finally:
        restart.start_again(cluster, commands)


def _groups(pid):
    try:
        return Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return ""  # it ended meanwhile
