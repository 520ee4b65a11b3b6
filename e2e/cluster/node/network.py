"""The cluster's network namespace and the veth pair that joins it to the ordinary shell's."""

import ipaddress
import json
import subprocess
from pathlib import Path

from node import mounts
from node.identity import Cluster
from node.say import Failure

NAMESPACES = Path("/run/netns")


def create(cluster: Cluster) -> None:
    """Node address with a default route over our end of the pair; routes from here to pods and services.

    Nothing leaves the machine: forwarding stays off (or as it was) in the namespace we came from.
    """
    _check_free(cluster)
    inner, outer, namespace = "eth0", cluster.network, cluster.network
    _ip("netns", "add", namespace)
    _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", namespace)
    _ip("addr", "add", f"{cluster.host_address}/24", "dev", outer)
    _ip("link", "set", outer, "up")
    _ip("-n", namespace, "link", "set", "lo", "up")
    _ip("-n", namespace, "addr", "add", f"{cluster.node_address}/24", "dev", inner)
    _ip("-n", namespace, "link", "set", inner, "up")
    _ip("-n", namespace, "route", "add", "default", "via", cluster.host_address)
    for cidr in (cluster.pod_cidr, cluster.service_cidr):
        _ip("route", "add", cidr, "via", cluster.node_address, "dev", outer)
    _run("nsenter", f"--net={NAMESPACES / namespace}", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")


def remove(cluster: Cluster) -> None:
    """Safe to repeat. Interfaces, routes and firewall tables of the namespace go with it."""
    if (Path("/sys/class/net") / cluster.network).exists():
        _ip("link", "del", cluster.network)
    name = NAMESPACES / cluster.network
    if name.exists():
        mounts.unmount(name)
        name.unlink()


def _check_free(cluster: Cluster) -> None:
    ours = [ipaddress.ip_network(cidr) for cidr in (cluster.node_cidr, cluster.pod_cidr, cluster.service_cidr)]
    answer = subprocess.run(["ip", "-json", "-4", "route", "show", "table", "all"], capture_output=True, text=True)
    for route in json.loads(answer.stdout or "[]"):
        try:
            taken = ipaddress.ip_network(route["dst"], strict=False)
        except ValueError:
            continue  # "default"
        for network in ours:
            if taken.overlaps(network):
                raise Failure(f"this machine already routes {taken} (device {route.get('dev', '?')}), and cluster "
                              f"{cluster.name} needs {network}; take that network down, or another cluster number "
                              f"by creating the directory {cluster.run}")


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"`{' '.join(command)}` failed: {done.stderr.strip()}; are you root, and not in a container that "
                      "may not make network namespaces?")
