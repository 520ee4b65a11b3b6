"""etcd, kube-apiserver, kube-controller-manager, kube-scheduler: their flags, for both kinds of ring."""

from dataclasses import dataclass
from pathlib import Path

from node import certificates, ports, processes
from node.api import Api
from node.certificates import Certificate
from node.identity import Cluster
from node.paths import tool
from node.say import wait_for

ISSUER = "https://kubernetes.default.svc.cluster.local"

AUDIT_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""


@dataclass(frozen=True)
class Endpoints:
    """Where the control plane listens."""

    in_network: bool  # of the cluster's own network namespace; else on this shell's loopback
    address: str
    api_port: int
    etcd_port: int
    etcd_peer_port: int

    @property
    def server(self) -> str:
        return f"https://{self.address}:{self.api_port}"

    @property
    def etcd(self) -> str:
        return f"http://127.0.0.1:{self.etcd_port}"


def endpoints_of_node(cluster: Cluster) -> Endpoints:
    return Endpoints(True, cluster.node_address, 6443, 2379, 2380)


def endpoints_on_loopback(cluster: Cluster) -> Endpoints:
    return Endpoints(False, "127.0.0.1", *ports.of_cluster(cluster.number))


def make_identities(cluster: Cluster, where: Endpoints, extra: list[Certificate]) -> None:
    """All keys, certificates and kubeconfigs of the control plane, and the `extra` ones of the node."""
    names = ["DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc", "DNS:localhost",
             "DNS:kubernetes.default.svc.cluster.local", f"IP:{where.address}", "IP:127.0.0.1"]
    certificates.make_authority(cluster.pki)
    certificates.make_service_account_keys(cluster.pki)
    for certificate in [
        Certificate("apiserver", "kube-apiserver", "", (*names, f"IP:{cluster.api_service_address}")),
        Certificate("apiserver-to-kubelet", "kube-apiserver", "system:masters"),
        Certificate("admin", "admin", "system:masters"),
        Certificate("controller-manager", "system:kube-controller-manager"),
        Certificate("scheduler", "system:kube-scheduler"),
        *extra,
    ]:
        certificates.sign(cluster.pki, certificate)


def write_kubeconfig(cluster: Cluster, where: Endpoints, name: str, path: Path) -> Path:
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text(certificates.kubeconfig(cluster.pki, name, where.server, cluster.name))
    return fresh.replace(path)


def start_etcd(cluster: Cluster, where: Endpoints) -> None:
    peer = f"http://127.0.0.1:{where.etcd_peer_port}"
    processes.start(cluster, "etcd", [
        tool("etcd"), "--name=node", f"--data-dir={cluster.home}/data/etcd",
        f"--listen-client-urls={where.etcd}", f"--advertise-client-urls={where.etcd}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=node={peer}",
        "--unsafe-no-fsync=true",  # a crash of the machine is the end of this cluster anyway
        "--log-level=warn",
    ], where.in_network)


def start_apiserver(cluster: Cluster, where: Endpoints) -> None:
    policy = cluster.home / "audit-policy.yaml"
    policy.write_text(AUDIT_POLICY)
    pki = cluster.pki
    flags = [
        f"--etcd-servers={where.etcd}",
        f"--bind-address={where.address}", f"--advertise-address={where.address}",
        f"--secure-port={where.api_port}",
        f"--tls-cert-file={pki}/apiserver.crt", f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt", "--authorization-mode=Node,RBAC",
        f"--service-account-issuer={ISSUER}", f"--service-account-key-file={pki}/service-account.pub",
        f"--service-account-signing-key-file={pki}/service-account.key",
        f"--service-cluster-ip-range={cluster.service_cidr}",
        f"--audit-policy-file={policy}", f"--audit-log-path={cluster.home}/audit.log",
        "--allow-privileged=true", "--profiling=false",
    ]
    if where.in_network:
        flags += [
            "--enable-admission-plugins=NodeRestriction",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={pki}/apiserver-to-kubelet.crt",
            f"--kubelet-client-key={pki}/apiserver-to-kubelet.key",
            f"--kubelet-certificate-authority={pki}/ca.crt",
        ]
    else:
        flags.append("--endpoint-reconciler-type=none")  # a loopback address may not be an endpoint
    processes.start(cluster, "kube-apiserver", [tool("kube-apiserver"), *flags], where.in_network)


def wait_until_ready(cluster: Cluster, api: Api, seconds: float = 180) -> None:
    def ready():
        processes.fail_if_one_died(cluster)
        return api.ready()

    wait_for("kube-apiserver to be ready", ready, seconds)


def start_controller_manager(cluster: Cluster, where: Endpoints) -> None:
    config = write_kubeconfig(cluster, where, "controller-manager", cluster.pki / "controller-manager.kubeconfig")
    processes.start(cluster, "kube-controller-manager", [
        tool("kube-controller-manager"), f"--kubeconfig={config}", "--leader-elect=false", "--secure-port=0",
        "--use-service-account-credentials=true", "--profiling=false",
        f"--service-account-private-key-file={cluster.pki}/service-account.key",
        f"--root-ca-file={cluster.pki}/ca.crt",
        f"--service-cluster-ip-range={cluster.service_cidr}",
        "--kube-api-qps=200", "--kube-api-burst=400",  # the default of 20 a second makes tests wait
    ], where.in_network)


def start_scheduler(cluster: Cluster, where: Endpoints) -> None:
    config = write_kubeconfig(cluster, where, "scheduler", cluster.pki / "scheduler.kubeconfig")
    processes.start(cluster, "kube-scheduler", [
        tool("kube-scheduler"), f"--kubeconfig={config}", "--leader-elect=false", "--secure-port=0",
        "--profiling=false", "--kube-api-qps=200", "--kube-api-burst=400",
    ], where.in_network)
