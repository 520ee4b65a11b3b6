"""Brings up a cluster of one node, or only an API server, and says so when it is usable."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from node import (addons, container_runtime, control_plane, down, identity, images, kubelet, mounts, network, processes,
                  tools)
from node.api import Api
from node.identity import Cluster
from node.paths import ROOT
from node.say import Failure, say, tail

API_TOOLS = ["etcd", "kube-apiserver", "kubectl"]


def node(name: str) -> None:
    _bring_up(name, "node", list(tools.BY_NAME), _boot_node)


def api_only(name: str, controllers: bool) -> None:
    needed = [*API_TOOLS, "kube-controller-manager"] if controllers else API_TOOLS
    _bring_up(name, "api", needed, lambda cluster: _boot_api(cluster, controllers))


def _bring_up(name: str, kind: str, needed_tools: list[str], boot: Callable[[Cluster], None]) -> None:
    identity.check_name(name)
    running = identity.find(name)
    if running:
        if is_whole(running) and running.kind == kind:
            say(f"cluster {name}: is running. {hint(running)}")
            return
        say(f"cluster {name}: the remains of an earlier one are in the way; taking them down")
        down.take_down(running)
    tools.ensure(needed_tools)
    started = time.monotonic()
    cluster = identity.claim(name, kind)
    try:
        boot(cluster)
    except BaseException as problem:
        if isinstance(problem, Failure):
            _add_evidence(cluster, problem)
        down.take_down(cluster, keep_logs=True)
        raise
    say(f"cluster {name}: up in {time.monotonic() - started:.1f} s. {hint(cluster)}")


def is_whole(cluster: Cluster) -> bool:
    """All that was started still runs, and the API server says that it is well."""
    records = processes.recorded(cluster)
    if not records or not all(record.alive() for record in records) or not cluster.kubeconfig.exists():
        return False
    return _api_of(cluster).ready()


def hint(cluster: Cluster) -> str:
    path = cluster.kubeconfig
    return f"export KUBECONFIG={path}  (kubectl is {ROOT}/build/tools/kubectl)"


def _api_of(cluster: Cluster) -> Api:
    """Only the kubeconfig knows the port of an API-server-only ring."""
    line = next(line for line in cluster.kubeconfig.read_text().splitlines() if "server: " in line)
    return Api(cluster.pki, line.split("server: ")[1])


def _boot_api(cluster: Cluster, controllers: bool) -> None:
    where = control_plane.endpoints_on_loopback(cluster)
    control_plane.start_etcd(cluster, where)
    control_plane.make_identities(cluster, where, [])
    control_plane.start_apiserver(cluster, where)
    control_plane.write_kubeconfig(cluster, where, "admin", cluster.kubeconfig)
    api = Api(cluster.pki, where.server)
    control_plane.wait_until_ready(cluster, api)
    if controllers:
        control_plane.start_controller_manager(cluster, where)
    else:
        # Pods are refused without it, and the controller that makes it is not there.
        api.text("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    addons.wait_for_default_account(api)


def _boot_node(cluster: Cluster) -> None:
    where = control_plane.endpoints_of_node(cluster)
    archives = images.ensure()
    network.create(cluster)
    mounts.bind(cluster.home / "data", cluster.data)
    control_plane.start_etcd(cluster, where)
    container_runtime.start(cluster)
    control_plane.make_identities(cluster, where, kubelet.certificates(cluster))
    control_plane.start_apiserver(cluster, where)
    control_plane.write_kubeconfig(cluster, where, "admin", cluster.kubeconfig)
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(_load_images, cluster, archives)
        api = Api(cluster.pki, where.server)
        control_plane.wait_until_ready(cluster, api)
        control_plane.start_controller_manager(cluster, where)
        control_plane.start_scheduler(cluster, where)
        kubelet.start_proxy(cluster, where)
        addons.apply_dns(cluster)
        loading.result()
    kubelet.start(cluster, where)
    addons.wait_until_usable(cluster, api)


def _load_images(cluster: Cluster, archives: list) -> None:
    container_runtime.wait_until_serving(cluster)
    for archive in archives:
        container_runtime.load(cluster, archive)


def _add_evidence(cluster: Cluster, failure: Failure) -> None:
    """The ends of all logs; whoever reads a CI's output has nothing else."""
    parts = [str(failure)]
    for log in sorted(cluster.logs.glob("*.log")):
        if f"{log}:" not in parts[0]:
            parts.append(f"--- {log}\n{tail(log, 8)}")
    failure.args = ("\n".join(parts),)
