"""Processes of a server, and the network and files that they see."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from servers.built import Failure, tail


@contextlib.contextmanager
def process(name: str, command: list, directory: Path, *, ready: tuple[str, int] | None = None, enter=(), env=None):
    """Runs until the block is left. `ready` is the address that it must listen at first."""
    log = directory / f"{name}.log"
    with open(log, "a") as output:
        child = subprocess.Popen([str(part) for part in [*enter, *command]], stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, start_new_session=True, cwd=directory,
                                 env=os.environ | (env or {}))
    try:
        if ready:
            wait_until_it_listens(child, ready, log, enter)
        yield child
    finally:
        # Its own session: the group is this server's and nobody else's.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def wait_until_it_listens(child, ready, log: Path, enter=(), seconds: float = 90) -> None:
    name, (address, port) = log.stem, ready
    limit = time.monotonic() + seconds
    while not _listens(address, port, enter):
        if child.poll() is not None:
            raise Failure(f"{name} ended with exit code {child.returncode}. The end of {log}:\n{tail(log)}")
        if time.monotonic() > limit:
            raise Failure(f"{name} does not listen at {address}:{port} after {seconds:.0f} s. The end of {log}:\n{tail(log)}")
        time.sleep(0.05)


def _listens(address: str, port: int, enter) -> bool:
    if enter:
        probe = ["bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"]
        return subprocess.run([*enter, *probe], stderr=subprocess.DEVNULL).returncode == 0
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((address, port)) == 0


@contextlib.contextmanager
def own_network(directory: Path, etc: dict[str, str | Path] | None = None):
    """A network with nothing but a loopback of its own, and with files of `etc` laid over /etc: {"hosts": text}, or a
    directory to show there. Yields what to put before a command that is to run in it. Nothing outside changes."""
    overlay = directory / "etc"
    overlay.mkdir(exist_ok=True)
    script = "ip link set lo up || exit 1\n"
    for name, content in (etc or {}).items():
        if isinstance(content, Path):
            (overlay / name).symlink_to(content)
        else:
            (overlay / name).write_text(content)
    if etc:
        script += f"mount -t overlay overlay -o lowerdir={overlay}:/etc /etc || exit 1\n"
    script += "echo ready\nexec sleep infinity\n"
    holder = subprocess.Popen(["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if holder.stdout.readline() != "ready\n":
            holder.kill()
            raise Failure(f"no network of its own: {holder.stderr.read().strip()}; are you root, and not in a container "
                          "that may not make namespaces?")
        yield ["nsenter", f"--target={holder.pid}", "--net", "--mount", f"--wd={directory}"]
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
        holder.stderr.close()


@contextlib.contextmanager
def reached_at(address: str, port: int, inside: list[str], directory: Path, enter=()):
    """What listens at 127.0.0.1:`port` in an own network (`inside` is what own_network yields) is reached at this address
    too: of this machine, or of the network that `enter` leads to."""
    network = f"/proc/{inside[1].removeprefix('--target=')}/ns/net"
    command = [sys.executable, Path(__file__).with_name("relay.py"), address, port, network, "127.0.0.1", port]
    with process(f"relay-{port}", command, directory, ready=(address, port), enter=enter):
        yield
