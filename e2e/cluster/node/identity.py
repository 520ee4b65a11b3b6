"""Which cluster: its name, its number on this machine, and the paths and addresses that follow from them."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from node.paths import CLUSTERS, RUN
from node.say import Failure

NUMBERS = range(1, 100)
RING_KINDS = ("node", "api")


@dataclass(frozen=True)
class Cluster:
    """`home` is below the tree and holds what is large or worth reading; `run` holds sockets, PIDs and mount points.

    The number is unique on the machine, over all trees: claiming it is the creation of its run directory.
    """

    name: str
    number: int

    @property
    def home(self) -> Path:
        return CLUSTERS / self.name

    @property
    def run(self) -> Path:
        return RUN / f"stash-{self.number}"

    @property
    def kind(self) -> str:
        """node: a whole cluster. api: etcd and kube-apiserver only."""
        return json.loads((self.run / "owner").read_text())["kind"]

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def pki(self) -> Path:
        return self.home / "pki"

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def network(self) -> str:
        """Name of the network namespace, of the cgroup and of the CNI network."""
        return f"stash-{self.number}"

    @property
    def data(self) -> Path:
        """home/data under a short name (a bind mount), because sockets are made below it."""
        return self.run / "data"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def containerd_state(self) -> Path:
        return self.run / "containerd"

    @property
    def node_cidr(self) -> str:
        return f"10.254.{self.number}.0/24"

    @property
    def node_address(self) -> str:
        return f"10.254.{self.number}.1"

    @property
    def host_address(self) -> str:
        """Our end of the veth pair, in the namespace of the ordinary shell."""
        return f"10.254.{self.number}.254"

    @property
    def pod_cidr(self) -> str:
        return f"10.253.{self.number}.0/24"

    @property
    def service_cidr(self) -> str:
        return f"10.252.{self.number}.0/24"

    @property
    def api_service_address(self) -> str:
        return f"10.252.{self.number}.1"

    @property
    def dns_address(self) -> str:
        return f"10.252.{self.number}.10"


def check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?", name):
        raise Failure(f"'{name}' cannot be a cluster's name; use up to 30 of a-z, 0-9 and '-' (it also names the node)")


def find(name: str) -> Cluster | None:
    return next((cluster for cluster in of_this_tree() if cluster.name == name), None)


def of_this_tree() -> list[Cluster]:
    """All that were brought up from this tree and not (fully) taken down, even if build/ was deleted meanwhile."""
    found = []
    for number in NUMBERS:
        try:
            owner = json.loads((RUN / f"stash-{number}" / "owner").read_text())
        except (OSError, ValueError):
            continue
        if Path(owner["home"]).parent == CLUSTERS:
            found.append(Cluster(Path(owner["home"]).name, number))
    return found


def claim(name: str, kind: str) -> Cluster:
    """Takes a free number. mkdir is atomic, so two commands never get the same one."""
    assert kind in RING_KINDS
    for number in NUMBERS:
        cluster = Cluster(name, number)
        try:
            cluster.run.mkdir(mode=0o755)
        except FileExistsError:
            continue
        owner = {"home": str(cluster.home), "kind": kind}
        (cluster.run / "owner").write_text(json.dumps(owner))
        (cluster.run / "pids").mkdir()
        for directory in (cluster.home, cluster.logs, cluster.pki, cluster.home / "data"):
            directory.mkdir(parents=True, exist_ok=True)
        pids = cluster.home / "pids"
        pids.unlink(missing_ok=True)
        os.symlink(cluster.run / "pids", pids)
        return cluster
    raise Failure(f"all {len(NUMBERS)} cluster numbers are taken ({RUN}/stash-*); take clusters down with "
                  "`e2e/cluster/cluster down --all` in the trees that own them")
