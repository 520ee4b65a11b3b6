"""containerd with a root, a state and a socket of its own, and the pod network that it sets up."""

import json
import subprocess
from pathlib import Path

from node import processes
from node.identity import Cluster
from node.images import PAUSE
from node.say import Failure, wait_for

CNI_PLUGIN_DIRECTORIES = ("/usr/lib/cni", "/opt/cni/bin")


def configuration(cluster: Cluster, plugins: Path, snapshotter: str) -> str:
    return f"""version = 2
root = "{cluster.data}/containerd"
state = "{cluster.containerd_state}"
oom_score = 0

[grpc]
  address = "{cluster.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{cluster.data}/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # Lowering a process's OOM score needs a capability that root lacks in many sandboxes.
  restrict_oom_score_adj = true
  # Not in /run/netns: whatever is left after a crash is then recognisably ours.
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{cluster.data}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{cluster.run}/runc"
"""


def pod_network(cluster: Cluster) -> dict:
    return {
        "cniVersion": "0.4.0",
        "name": cluster.network,
        "plugins": [
            {
                "type": "bridge", "bridge": "pods", "isGateway": True, "ipMasq": True, "hairpinMode": True,
                "ipam": {"type": "host-local", "dataDir": f"{cluster.data}/cni-addresses",
                         "ranges": [[{"subnet": cluster.pod_cidr}]], "routes": [{"dst": "0.0.0.0/0"}]},
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def start(cluster: Cluster) -> None:
    plugins = next((Path(d) for d in CNI_PLUGIN_DIRECTORIES if (Path(d) / "bridge").exists()), None)
    if plugins is None:
        raise Failure(f"no CNI plugins in {' or '.join(CNI_PLUGIN_DIRECTORIES)}; run `make deps`")
    cni = cluster.data / "cni"
    cni.mkdir(exist_ok=True)
    (cni / "10-pods.conflist").write_text(json.dumps(pod_network(cluster), indent=2))
    config = cluster.data / "containerd.toml"
    config.write_text(configuration(cluster, plugins, _snapshotter(cluster.home)))
    processes.start(cluster, "containerd", ["containerd", "--config", config])


def _snapshotter(directory: Path) -> str:
    """Overlay does not stack on overlay (a tree inside a container): copies then, slower but right."""
    filesystem = subprocess.run(["stat", "--file-system", "--format=%T", directory], capture_output=True, text=True)
    return "native" if filesystem.stdout.strip() == "overlayfs" else "overlayfs"


def serves(cluster: Cluster) -> bool:
    return _ctr(cluster, "version").returncode == 0


def wait_until_serving(cluster: Cluster) -> None:
    def serving():
        processes.fail_if_one_died(cluster)
        return serves(cluster)

    wait_for("containerd to answer", serving, 30)


def load(cluster: Cluster, archive: Path) -> None:
    """Imports a docker-archive where the kubelet looks for images. A tag that is there already is moved."""
    done = _ctr(cluster, "--namespace", "k8s.io", "images", "import", str(archive))
    if done.returncode != 0:
        raise Failure(f"importing {archive} into cluster {cluster.name} failed: {done.stderr.strip()}")


def _ctr(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess:
    command = ["ctr", "--address", str(cluster.containerd_socket), *arguments]
    return subprocess.run(command, capture_output=True, text=True)
