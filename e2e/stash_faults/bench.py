"""Our programs against a real API server, each behind a fault proxy of its own, and one backup from beginning to end."""
import contextlib
import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from stash_e2e import api_ring, objects
from stash_e2e.kube import wait_until

from . import state
from .proxy import FaultProxy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "api"))
from test_programs import Workload, containers  # noqa: E402

PASSWORD = "correct horse battery staple"
FINAL = ("Succeeded", "Failed", "Skipped")


class ThroughProxy:
    """The Kube of an administrator, whose kubeconfigs for programs lead to a proxy."""

    def __init__(self, kube, proxy):
        self._kube, self._proxy = kube, proxy

    def __getattr__(self, name):
        return getattr(self._kube, name)

    def kubectl(self, *argv, **more):
        printed = self._kube.kubectl(*argv, **more)
        if argv[:2] != ("config", "view"):
            return printed
        view = json.loads(printed)
        view["clusters"][0]["cluster"] = {"server": self._proxy.url, "certificate-authority-data": encoded(self._proxy.authority)}
        return json.dumps(view)


def encoded(text):
    import base64
    return base64.b64encode(text.encode()).decode()


def before_api_server(kube, directory):
    """A proxy between one program and the API server."""
    cluster = json.loads(kube.kubectl("config", "view", "--raw", "--minify", "-o", "json"))["clusters"][0]["cluster"]
    import base64
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return FaultProxy(cluster["server"], directory, authority=authority)


@dataclasses.dataclass
class Bench:
    """What all tests share: the API server, controller and webhook, and the proxies of the three programs."""
    kube: object
    control_plane: object
    directory: Path
    proxies: dict  # controller, webhook, sidecar
    controller: object = None
    webhook: object = None

    @contextlib.contextmanager
    def rule(self, method, path, act, programs=("controller", "webhook", "sidecar"), **more):
        """The same rule before several programs."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.proxies[program].rule(method, path, act, **more)) for program in programs]

    def through(self, program):
        return ThroughProxy(self.kube, self.proxies[program])

    def restart(self, program):
        """As the kubelet would."""
        program.start()
        wait_until("the program is ready again", lambda: api_ring.answers(f"http://127.0.0.1:{program.health}/readyz"), 60)


class BenchWorkload(Workload):
    """A Deployment whose sidecars talk through the bench's proxy."""

    def __init__(self, bench, ns, directory):
        self.bench = bench
        super().__init__(bench.through("sidecar"), ns, directory)

    def back_up(self, session="by-hand"):
        """The backup story: configuration, injection, pod, session, end."""
        self.configure()
        self.pod("web-1")
        self.session(session)
        return self.finished(session, 120)

    def state(self):
        return state.of_namespace(self.bench.kube, self.ns, self.directory)

    def restic(self, *argv):
        done = subprocess.run(["restic", "--no-cache", "--no-lock", "-r", str(self.repository), *argv], text=True, capture_output=True,
                              env={"RESTIC_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"}, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def require_sound_repository(self):
        """I10: what is in the repository can be read, all of it."""
        self.restic("check", "--read-data")

    def require_one_snapshot(self, session="by-hand"):
        """I5 and I7: the session's snapshot exists, and no second one is counted."""
        uid = self.bench.kube.get("backupsession", session, self.ns)["metadata"]["uid"]
        mine = [snapshot for snapshot in self.snapshots() if any(uid in tag for tag in snapshot.get("tags", []))]
        assert len(mine) == 1, mine

    def restic_pid(self):
        """Of the restic that backs up for this workload, or None."""
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (directory / "cmdline").read_bytes().split(b"\0")
                    if b"backup" in words and Path(words[0].decode()).name == "restic" and str(self.source).encode() in words:
                        return int(directory.name)
        return None

    def wait_until_running(self, session="by-hand"):
        return wait_until("a pod has claimed the session", lambda: (self.bench.kube.get("backupsession", session, self.ns) or {})
                          .get("status", {}).get("phase") == "Running", 60, every=0.1)


@contextlib.contextmanager
def stopped(program):
    """SIGSTOP of one of our programs."""
    program.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        program.process.send_signal(signal.SIGCONT)


class Recovery:
    """Measures how long the state that a fault disturbed takes to come back; each measurement counts as one try."""

    def __init__(self, properties):
        self._properties, self._began = properties, time.monotonic()

    def fault_ended(self):
        self._began = time.monotonic()

    def recovered(self, within=120.0):
        seconds = time.monotonic() - self._began
        self._properties.append(("recovery", round(seconds, 2)))
        assert seconds <= within, f"recovered only after {seconds:.0f} s"
