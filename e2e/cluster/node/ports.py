"""Ports for servers of the tests, below the range from which the kernel takes the local port of a connection.

A port of that range may be free when it is chosen and be somebody's connection when the server has come so far as to listen:
kube-apiserver gets there only seconds later, and tests beside it make thousands of connections.
"""

import random
import socket
from collections.abc import Iterable

from node.say import Failure

KERNELS_OWN = "/proc/sys/net/ipv4/ip_local_port_range"
CLUSTERS = 20000  # three for each cluster's number, which is unique on the machine
OTHERS = 21000


def of_cluster(number: int) -> list[int]:
    """Three free ones of 127.0.0.1, that no other cluster is given."""
    first = CLUSTERS + 3 * number
    taken = [port for port in range(first, first + 3) if not _is_free("127.0.0.1", port)]
    return list(range(first, first + 3)) if not taken else [free() for _ in range(3)]


def free(address: str = "127.0.0.1") -> int:
    with open(KERNELS_OWN) as file:
        end = int(file.read().split()[0])
    for port in _in_any_order(range(OTHERS, end) if end > OTHERS + 1000 else range(OTHERS, 65536)):
        if _is_free(address, port):
            return port
    raise Failure(f"no port of {address} is free from {OTHERS} on")


def _in_any_order(ports: range) -> Iterable[int]:
    """Those who choose at the same time choose differently."""
    start = random.randrange(len(ports))
    return (ports[(start + i) % len(ports)] for i in range(len(ports)))


def _is_free(address: str, port: int) -> bool:
    try:
        socket.create_server((address, port)).close()
    except OSError:
        return False
    return True
