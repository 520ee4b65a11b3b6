"""Carries connections into another network; run as a program: ADDRESS PORT NETWORK ADDRESS PORT.

It listens at the first address, in the network that it is started in, and connects to the second in NETWORK, the path of
a namespace (/proc/PID/ns/net). A socket stays in the namespace that its process was in when it was made.
"""

import contextlib
import ctypes
import os
import socket
import sys
import threading

CLONE_NEWNET = 0x40000000


def enter(network: str) -> None:
    """The calling thread, and the threads that it makes."""
    descriptor = os.open(network, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {network}")
    finally:
        os.close(descriptor)


def pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def carry(client: socket.socket, server: tuple[str, int]) -> None:
    with client:
        try:
            upstream = socket.create_connection(server, timeout=10)
        except OSError:
            return
        with upstream:
            upstream.settimeout(None)
            back = threading.Thread(target=pour, args=(upstream, client))
            back.start()
            pour(client, upstream)
            back.join()


def main(address: str, port: str, network: str, server: str, server_port: str) -> None:
    listener = socket.create_server((address, int(port)))
    enter(network)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=carry, args=(client, (server, int(server_port))), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
