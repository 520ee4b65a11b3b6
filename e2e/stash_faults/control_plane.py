"""etcd and kube-apiserver of an API ring, to be stopped, killed and started again."""
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))
from node import identity, processes  # noqa: E402

from stash_e2e.kube import CommandFailed, wait_until  # noqa: E402


class ControlPlane:
    def __init__(self, kube):
        self._kube, self._cluster = kube, identity.find(kube.cluster)
        self._commands = {record.name: Path(f"/proc/{record.pid}/cmdline").read_text().rstrip("\0").split("\0")
                          for record in processes.recorded(self._cluster)}

    @property
    def audit_log(self) -> Path:
        return self._cluster.home / "audit.log"

    def kill(self, name):
        record = self._record(name)
        os.kill(record.pid, signal.SIGKILL)
        wait_until(f"{name} is gone", lambda: processes.reap() or not record.alive(), 10, every=0.02)

    def start(self, name):
        # The kernel may close a killed program's sockets after its end.
        wait_until(f"the ports of {name} are free", lambda: all(map(_is_free, _ports(self._commands[name]))), 10, every=0.02)
        processes.start(self._cluster, name, self._commands[name], in_network=False)
        self.wait_until_ready()

    @contextlib.contextmanager
    def stopped(self, name):
        """SIGSTOP: the sockets stay and nobody answers."""
        pid = self._record(name).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stall(self, name, seconds):
        with self.stopped(name):
            time.sleep(seconds)

    def restart(self, name):
        self.kill(name)
        self.start(name)

    @contextlib.contextmanager
    def slow(self, name, still=0.5, awake=0.05):
        """Stands still most of the time, again and again."""
        over = threading.Event()

        def stutter():
            while not over.is_set():
                with self.stopped(name):
                    over.wait(still)
                over.wait(awake)
        thread = threading.Thread(target=stutter, name=f"slow {name}")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def wait_until_ready(self):
        def ready():
            try:
                return self._kube.raw("/readyz") == "ok"
            except CommandFailed:
                return False
        wait_until("the API server is ready", ready, 60)

    def _record(self, name):
        return next(record for record in processes.recorded(self._cluster) if record.name == name)


def _ports(command):
    return [int(word.partition("=")[2]) for word in command if word.startswith("--secure-port=")]


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
