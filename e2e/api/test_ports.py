"""Servers of the tests listen where no connection of the tests beside them can be in their way."""
from urllib.parse import urlsplit

from node import ports


def first_port_of_the_kernels_own():
    with open(ports.KERNELS_OWN) as file:
        return int(file.read().split()[0])


def test_an_api_server_without_a_node_has_a_port_that_no_connection_is_given(kube):
    server = kube.kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    assert urlsplit(server).port < first_port_of_the_kernels_own()


def test_a_port_for_a_server_is_one_that_no_connection_is_given():
    chosen = {ports.free() for _ in range(20)}
    assert max(chosen) < first_port_of_the_kernels_own()
    assert len(chosen) > 10  # those who choose at the same time choose differently
