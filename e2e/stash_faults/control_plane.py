"""etcd and kube-apiserver of an API ring, to be stopped, killed and started again."""
import contextlib
import os
import signal
import sys
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

    def wait_until_ready(self):
        def ready():
            try:
                return self._kube.raw("/readyz") == "ok"
            except CommandFailed:
                return False
        wait_until("the API server is ready", ready, 60)

    def _record(self, name):
        return next(record for record in processes.recorded(self._cluster) if record.name == name)
