"""Our programs against a real API server, each behind a fault proxy of its own, and one backup from beginning to end."""
import base64
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from node import ports
from servers import rest
from stash_e2e import api_ring, objects
from stash_e2e.kube import wait_until

from . import state
from .proxy import FaultProxy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "api"))
from test_programs import Workload, containers  # noqa: E402

LEASE = "stash-controller"  # the controller's own default
PASSWORD = "correct horse battery staple"


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
    return base64.b64encode(text.encode()).decode()


def before_api_server(kube, directory):
    """A proxy between one program and the API server."""
    cluster = json.loads(kube.kubectl("config", "view", "--raw", "--minify", "-o", "json"))["clusters"][0]["cluster"]
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

    def twin(self, name):
        """Another replica of controller or webhook, on ports of its own, not started yet."""
        program = getattr(self, name)
        made = api_ring.Program(program.argv, self.directory / f"{name}-twin.log", program.env)
        for port in ("health", "port"):
            if hasattr(program, port):
                setattr(made, port, ports.free())
                made.argv = [word.replace(f":{getattr(program, port)}", f":{getattr(made, port)}") for word in made.argv]
        return made

    def restart(self, name):
        """As the kubelet would."""
        getattr(self, name).start()
        wait_until_ready(getattr(self, name))


def with_capabilities(program, bounding_set):
    """The same program, not started yet, as a container that has these capabilities and no others: "-all,+chown" or "-dac_override"."""
    at = program.argv.index("pod") + 1
    program.argv[at:at] = ["setpriv", f"--bounding-set={bounding_set}"]
    return program


def wait_until_ready(program, seconds=60):
    wait_until("the program is ready", lambda: api_ring.answers(f"http://127.0.0.1:{program.health}/readyz"), seconds)


class BenchWorkload(Workload):
    """A Deployment whose sidecars talk through the bench's proxy."""

    binary, more_env = None, {}  # another build of the sidecar, and variables for it
    own_pids = False  # whether each pod sees no processes but its own, as on a node

    def __init__(self, bench, ns, directory, kind="Deployment"):
        self.bench = bench
        super().__init__(bench.through("sidecar"), ns, directory, kind)
        self.restic_path = "/usr/bin:/bin"  # nothing in front of what is killed

    def share_repository_of(self, other):
        self.repository = other.repository
        self.bench.kube.apply(self.repository_object())

    def back_up(self, session="by-hand"):
        """The backup story: configuration, injection, pod, session, end."""
        self.configure()
        self.pod("web-1")
        self.session(session)
        return self.finished(session, 120)

    def apply_configuration(self, **spec):
        made = objects.backup_configuration(self.ns, schedule="0 0 1 1 *", mount_path=self.source, paths=[str(self.source)], **spec)
        self.bench.kube.apply(objects.aimed_at(made, self.kind))

    def is_configured(self):
        return ("stash" in containers(self.bench.kube, self.ns, workload=self.kind)
                and self.bench.kube.get("rolebinding", f"stash-sidecar-{self.kind.lower()}-web", self.ns) is not None)

    def sidecar_program(self, pod, args=None):
        program = super().sidecar_program(pod, args)
        if self.binary:
            program.argv = [str(self.binary) if word == str(api_ring.BIN / "stash") else word for word in program.argv]
        if self.own_pids:
            program.argv[1:1] = ["--pid", "--fork", "--kill-child", "--mount-proc"]
        program.env.update(self.more_env)
        return program

    def succeeds(self, session):
        """Its snapshot."""
        self.session(session)
        ended = self.finished(session, 300)
        assert ended["status"]["phase"] == "Succeeded", ended["status"]
        return self.require_one_snapshot(session)

    def restart_sidecar(self, name="web-1"):
        """As the kubelet would: the same pod, another container."""
        return self.sidecar(self.bench.kube.get("pod", name, self.ns))

    def state(self):
        return state.of_namespace(self.bench.kube, self.ns, self.directory)

    def told(self, kind, name):
        """What helps a person who has only this text."""
        found = self.bench.kube.get(kind, name, self.ns) or {}
        logs = [f"{program.log.name}: {program.output()[-1500:]}" for program in (*self.programs, self.bench.controller)]
        return "\n".join([str(found.get("status")), *logs])

    def restic(self, *argv):
        done = subprocess.run(["restic", "--no-cache", "--no-lock", "-r", str(self.repository), *argv], text=True, capture_output=True,
                              env={"RESTIC_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"}, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def restored(self, snapshot):
        """Where its files are, which restic alone brought back."""
        target = self.directory / f"restored-{snapshot['short_id']}"
        self.restic("restore", snapshot["id"], "--target", str(target))
        return target / self.source.relative_to("/")

    def restore(self):
        """As stash-init, once."""
        self.bench.kube.apply(objects.aimed_at(objects.restore_session(self.ns, path=self.source), self.kind))
        wait_until("its rights exist", lambda: self.bench.kube.get("rolebinding", f"stash-restore-init-container-{self.kind.lower()}-web", self.ns), 30)
        restorer = self.pod("web-restorer", ["restore", "--restore-session=web-restore"])
        assert restorer.process.wait(300) == 0, restorer.output()

    def require_sound_repository(self):
        """I10: what is in the repository can be read, all of it."""
        self.restic("check", "--read-data")

    def snapshots_of(self, session):
        uid = self.bench.kube.get("backupsession", session, self.ns)["metadata"]["uid"]
        return [snapshot for snapshot in self.snapshots() if any(uid in tag for tag in snapshot.get("tags", []))]

    def require_one_snapshot(self, session="by-hand"):
        """I5 and I7: the session's snapshot exists, and no second one is counted."""
        mine = self.snapshots_of(session)
        assert len(mine) == 1, mine
        return mine[0]

    def kill_restic(self):
        """kill -9 of restic alone, as the kernel does when memory is short; its sidecar lives on."""
        pid = self.restic_pid()
        assert pid, "no restic runs"
        os.kill(pid, signal.SIGKILL)

    def wait_until_running(self, session="by-hand"):
        return wait_until("a pod has claimed the session", lambda: (self.bench.kube.get("backupsession", session, self.ns) or {})
                          .get("status", {}).get("phase") == "Running", 60, every=0.1)


def rest_repository(ns, proxy):
    """A Repository on the REST server behind a proxy."""
    found = objects.repository(ns, "")
    found["spec"]["backend"] = {"rest": {"url": f"{proxy.url}/backups/"}, "storageSecretName": "repository-secret"}
    return found


class RemoteWorkload(BenchWorkload):
    """One whose repository is on a REST server behind a fault proxy of its own."""

    def __init__(self, bench, ns, directory, server, proxy, data):
        self.server, self.proxy, self.data = server, proxy, data
        super().__init__(bench, ns, directory)
        self.repository.rmdir()
        self.repository = data / "backups"
        for key, value in server.secret.items():
            (self.secret / key).write_text(value)

    def repository_object(self):
        return rest_repository(self.ns, self.proxy)

    def fill(self):
        """Less than elsewhere: what is hit here is chosen by a byte or a call, not by the moment."""
        for i in range(20):
            (self.source / f"large-{i}").write_bytes(os.urandom(4_000_000))

    def wait_for_restic_to_write(self):
        wait_until("restic uploads", lambda: any((self.data / "backups" / "data").glob("*/*")), 60, every=0.02)


@contextlib.contextmanager
def rest_server(directory, **options):
    """A REST server that serves `directory`/server/data, and the fault proxy before it."""
    (directory / "server").mkdir()
    with rest.rclone(directory / "server", **options) as server:
        with FaultProxy(server.backend("")["rest"]["url"], directory / "proxy", tls=False) as proxy:
            yield server, proxy


@contextlib.contextmanager
def remote_workload(bench, ns, directory, **server_options):
    with rest_server(directory, **server_options) as (server, proxy):
        made = RemoteWorkload(bench, ns, directory, server, proxy, directory / "server" / "data")
        try:
            yield made
        finally:
            made.stop()


@contextlib.contextmanager
def stopped(*pids):
    """SIGSTOP: the process keeps its sockets, locks and leases and does nothing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


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
