"""The node: kubelet and kube-proxy."""

import json
import socket
import ssl

from node import cgroups, machine, processes
from node.certificates import Certificate
from node.control_plane import Endpoints, write_kubeconfig
from node.identity import Cluster
from node.paths import tool

PORT = 10250


def certificates(cluster: Cluster) -> list[Certificate]:
    return [
        Certificate("kubelet", f"system:node:{cluster.name}", "system:nodes"),
        Certificate("kubelet-server", f"system:node:{cluster.name}", "system:nodes",
                    (f"IP:{cluster.node_address}", f"DNS:{cluster.name}")),
        Certificate("kube-proxy", "system:kube-proxy"),
    ]


def configuration(cluster: Cluster) -> dict:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": cluster.node_address,
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": f"{cluster.pki}/ca.crt"}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{cluster.pki}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{cluster.pki}/kubelet-server.key",
        "containerRuntimeEndpoint": f"unix://{cluster.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cluster.network}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "clusterDNS": [cluster.dns_address],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{cluster.data}/resolv.conf",
        "podLogsDir": f"{cluster.data}/pod-logs",
        "volumePluginDir": f"{cluster.data}/volume-plugins",
        "serializeImagePulls": False,
        "syncFrequency": "10s",  # how soon a changed Secret or ConfigMap shows in a volume; the default is a minute
        # The disk and the images are the machine's own affair: never evict, never delete an image.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
    }


def start(cluster: Cluster, where: Endpoints) -> None:
    machine.remember_settings(cluster)
    cgroups.create(cluster)
    (cluster.data / "resolv.conf").write_text("")  # pods ask the cluster's DNS, and that asks nobody
    for directory in ("pod-logs", "volume-plugins"):
        (cluster.data / directory).mkdir(exist_ok=True)
    config = cluster.data / "kubelet.json"
    config.write_text(json.dumps(configuration(cluster), indent=2))
    credentials = write_kubeconfig(cluster, where, "kubelet", cluster.pki / "kubelet.kubeconfig")
    processes.start(cluster, "kubelet", [
        tool("kubelet"), f"--config={config}", f"--kubeconfig={credentials}", f"--root-dir={cluster.data}/kubelet",
        f"--hostname-override={cluster.name}", f"--node-ip={cluster.node_address}",
    ])


def serves(cluster: Cluster) -> bool:
    """Once it has spoken to containerd. A connection alone says nothing: a killed kubelet's socket is there for a moment."""
    trust = ssl.create_default_context(cafile=cluster.pki / "ca.crt")
    try:
        with socket.create_connection((cluster.node_address, PORT), 1) as connection:
            trust.wrap_socket(connection, server_hostname=cluster.node_address).close()
    except OSError:
        return False
    return True


def start_proxy(cluster: Cluster, where: Endpoints) -> None:
    credentials = write_kubeconfig(cluster, where, "kube-proxy", cluster.pki / "kube-proxy.kubeconfig")
    processes.start(cluster, "kube-proxy", [
        tool("kube-proxy"), f"--kubeconfig={credentials}", "--proxy-mode=nftables",
        f"--cluster-cidr={cluster.pod_cidr}", f"--hostname-override={cluster.name}", "--oom-score-adj=0",
        # Connection tracking limits belong to the machine; do not touch them.
        "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
    ])
