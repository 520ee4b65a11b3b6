"""What a kubelet and libcni change outside of a cluster's own directories, and how it is put back.

Their paths are compiled in, so clusters share them with each other (and, on somebody's machine, with a real kubelet).
"""

import fcntl
import json
import socket
from contextlib import contextmanager
from pathlib import Path

from node.identity import Cluster
from node.paths import RUN

# The kubelet sets these for the whole machine. panic_on_oops is not what one wants on a laptop afterwards.
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
           "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")
KUBELET_SOCKET = Path("/var/lib/kubelet/device-plugins/kubelet.sock")
CONTAINER_LOG_LINKS = Path("/var/log/containers")
CNI_RESULTS = Path("/var/lib/cni/results")
SHIM_SOCKETS = Path("/run/containerd/s")


@contextmanager
def _alone():
    with open(RUN / "stash.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remember_settings(cluster: Cluster) -> None:
    """To be called before the kubelet starts. The first cluster sees the original values, later ones copy them."""
    with _alone():
        earlier = _settings_kept()
        values = json.loads(earlier[0].read_text()) if earlier else {name: _sysctl(name) for name in SYSCTLS}
        (cluster.run / "settings.json").write_text(json.dumps(values))


def restore_settings(cluster: Cluster) -> None:
    """Safe to repeat. The last cluster of the machine puts the values back."""
    with _alone():
        mine = cluster.run / "settings.json"
        if not mine.exists():
            return
        values = json.loads(mine.read_text())
        mine.unlink()
        if _settings_kept():
            return
        for name, value in values.items():
            if value is not None and value != _sysctl(name):
                (Path("/proc/sys") / name).write_text(value)
        _remove_dead_socket(KUBELET_SOCKET)


def _settings_kept() -> list[Path]:
    return sorted(RUN.glob("stash-*/settings.json"))


def _sysctl(name: str) -> str | None:
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return None  # not of this kernel


def _remove_dead_socket(path: Path) -> None:
    """Only if nobody listens: a kubelet that is not ours may."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError:
            pass


def files_of(cluster: Cluster) -> list[Path]:
    """Files in shared directories that are this cluster's. To be asked for while its own directories still stand."""
    found = []
    for address in cluster.containerd_state.glob("io.containerd.runtime.v2.task/*/*/address"):
        found.append(Path(address.read_text().strip().removeprefix("unix://")))
    found += [link for link in _entries(CONTAINER_LOG_LINKS)
              if link.is_symlink() and str(link.readlink()).startswith(f"{cluster.data}/")]
    pods = {result.name.removeprefix(f"{cluster.network}-").partition("-")[0]
            for result in _entries(CNI_RESULTS) if result.name.startswith(f"{cluster.network}-")}
    for sandboxes in cluster.run.glob("*/io.containerd.grpc.v1.cri/sandboxes"):
        pods.update(sandbox.name for sandbox in sandboxes.iterdir())
    found += [result for result in _entries(CNI_RESULTS) if pods.intersection(result.name.split("-"))]
    return [path for path in found if path.exists() or path.is_symlink()]


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.is_dir() else []
