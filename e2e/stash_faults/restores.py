"""Volumes that were backed up and then spoilt, and pods whose applications start when their stash-init ends with 0."""
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

from stash_e2e import objects, quick_key, tree
from stash_e2e.kube import wait_until

from . import state
from .bench import PASSWORD, BenchWorkload, containers, rest_repository
from .failpoints import WITH_FAILPOINTS, places_in

SESSION = "web-restore"
ATTEMPTS = 5
LARGE = 6_000_000  # bytes; with the other files some 25 MB as they lie in a volume
VOLUME = "data"  # a volume lies in a directory of its own, so that its own mode and times are compared too


def mounted(volume, path, *argv):
    """The command line as in a container that has the volume at `path`."""
    return ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "pod", str(volume), str(path), *map(str, argv)]


class Saved:
    """The volumes of some hosts, and what the real restic saved of them: all at one path, as in their pods. `user`: whose all is."""

    def __init__(self, directory, hosts, user=0):
        self._directory, self.user = directory, user
        self.path, self.repository = directory / "path", directory / "repository"
        self.path.mkdir(parents=True)
        self._restic(self.path, "init")
        quick_key.weaken(self.repository, PASSWORD)
        for i, host in enumerate(hosts):
            volume = directory / host / VOLUME
            tree.make_tree(volume, seed=i)
            (volume / "large").write_bytes(random.Random(i).randbytes(LARGE))
            (volume / "whose").write_text(host)
            add_closed(volume)
            self.give_to_user(volume)
            self._restic(volume, "backup", "--host", host, self.path)
        self.give_to_user(self.repository)

    def give_to_user(self, path):
        if self.user:
            subprocess.run(["chown", "--recursive", "--no-dereference", f"{self.user}:{self.user}", path], check=True)

    def _restic(self, volume, *argv):
        done = subprocess.run(mounted(volume, self.path, "restic", "--no-cache", "-r", self.repository, *argv), text=True, capture_output=True,
                              env={"RESTIC_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"}, timeout=120)
        assert done.returncode == 0, done.stderr

    def whole(self, host):
        """What a complete restore makes of an empty volume."""
        return tree.fingerprint(self._directory / host)

    def spoilt(self, host, directory):
        """Another copy of a volume, of which much was lost, and what a complete restore makes of it."""
        subprocess.run(["cp", "-a", self._directory / host, directory], check=True)
        spoil(directory / VOLUME)
        self.give_to_user(directory)
        return self.whole(host) | {path: seen for path, seen in tree.fingerprint(directory).items() if path.endswith(b"additional")}


def add_closed(volume):
    """What its own user may not write to, as git leaves its objects, and Go its modules."""
    closed = volume / "closed"
    closed.mkdir()
    for name in ("file", "other"):
        (closed / name).write_text(name)
        (closed / name).chmod(0o444)
    (closed / "link").symlink_to("file")
    closed.chmod(0o555)


def spoil(volume):
    """Files are missing, others changed, of another kind or another mode, and one is there that was not."""
    shutil.rmtree(volume / "folder-05")
    for path in sorted(volume.glob("folder-0[0-3]/*.txt"))[::3]:
        path.unlink()
    for path in volume.glob("folder-1*/*.bin"):  # nothing but its bytes tells
        times = path.stat()
        path.write_bytes(b"x" * times.st_size)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.truncate(volume / "large", LARGE // 4)
    for name in ("link to a file", "run.sh", "hard link"):
        (volume / name).unlink()
    (volume / "link to a file").write_text("a file now")
    (volume / "run.sh").symlink_to("sparse")
    (volume / "hard link").write_text("of its own now")
    (volume / "closed" / "other").unlink()
    (volume / "secret.key").chmod(0o644)
    (volume / "folder-04").chmod(0o700)
    (volume / "folder-01" / "additional").write_text("in no snapshot")


class Restoring(BenchWorkload):
    """A workload, a RestoreSession for it, and its pods as processes: who ends before its restore is done is started again, as the
    kubelet would, and whose stash-init ends with 0 has an application that looks at its volume at once and then works in it."""

    binary = WITH_FAILPOINTS / "stash"

    def __init__(self, bench, ns, directory, kind, size, saved, remote=None):
        self._remote = remote
        super().__init__(bench, ns, directory, kind)
        self.saved, self._locks = saved, (remote[2] if remote else saved.repository) / "locks"
        saved.give_to_user(directory)
        if remote:
            for key, value in remote[0].secret.items():
                (self.secret / key).write_text(value)
        else:
            self.share_repository_of(saved)
        if size > 1:
            bench.kube.kubectl("scale", f"{kind.lower()}/web", "-n", ns, f"--replicas={size}")
        self.hosts = [f"host-{i}" for i in range(size)] if kind == "StatefulSet" else ["host-0"]
        for lock in self._locks.iterdir():  # of a pod that was lost in another story: it goes in half an hour
            lock.unlink()
        self.expected = {host: saved.spoilt(host, directory / host) for host in self.hosts}
        self.pods = [f"web-{i}" for i in range(size)]
        self.every_pod = list(self.pods)
        self.running, self.started, self.ended = {}, set(), []  # the pod's name: its stash-init; and (name, exit code)
        self.failpoint, self._places = {}, "places"

    def repository_object(self):
        return rest_repository(self.ns, self._remote[1]) if self._remote else super().repository_object()

    def host_of(self, pod):
        return f"host-{pod.split('-')[1]}" if self.kind == "StatefulSet" else "host-0"

    def ask_for_restore(self):
        self.bench.kube.apply(objects.aimed_at(objects.restore_session(self.ns, path=self.saved.path), self.kind))

    def is_injected(self):
        return ("stash-init" in containers(self.bench.kube, self.ns, kind="initContainers", workload=self.kind)
                and self.bench.kube.get("rolebinding", f"stash-restore-init-container-{self.kind.lower()}-web", self.ns) is not None)

    def session(self):
        return self.bench.kube.get("restoresession", SESSION, self.ns) or {}

    def sidecar_program(self, pod, args=None):
        program = super().sidecar_program(pod, args or ["restore", f"--restore-session={SESSION}"])
        name = pod["metadata"]["name"]
        host = self.host_of(name)
        program.env.update(self.failpoint, STASH_FAILPOINT_LOG=str(self.directory / f"{name}.{self._places}"))
        if self.saved.user:
            at = program.argv.index(str(self.binary))
            program.argv[at:at] = ["setpriv", f"--reuid={self.saved.user}", f"--regid={self.saved.user}", "--clear-groups"]
        program.argv = mounted(self.directory / host / VOLUME, self.saved.path, *program.argv)
        return program

    def start_pods(self):
        for name in self.pods:
            self.running[name] = self.pod(name)

    def keep_running(self):
        """Whether all applications have started. To be called often: it is when they look."""
        for name, program in self.running.items():
            code = program.process.poll()
            if code is None or name in self.started:
                continue
            if code == 0:
                self.started.add(name)
                self.application_starts(name)
                continue
            self.ended.append((name, code))
            program.env.pop("STASH_FAILPOINT", None)
            program.start()
        return len(self.started) == len(self.running)

    def application_starts(self, pod):
        host = self.host_of(pod)
        self.require_volume(host, f"{pod} starts")
        volume = self.directory / host / VOLUME
        (volume / f"of-{pod}").write_text("new")
        (volume / "folder-00" / "binary-012.bin").unlink(missing_ok=True)
        with open(volume / "folder-01" / "text-001.txt", "a") as text:
            text.write(f"{pod} was here\n")
        self.expected[host] = tree.fingerprint(volume.parent)

    def require_volume(self, host, what):
        """I13"""
        differing = tree.differences(self.expected[host], tree.fingerprint(self.directory / host))
        assert not differing, f"{what}, and the volume of {host} is not as it should be: {differing}"

    def require_the_truth(self):
        """I6 I13: the session has succeeded and says so of each host."""
        found = self.bench.kube.wait_for_phase("restoresession", SESSION, self.ns, ("Succeeded",), 60)
        told = {host["hostname"]: host["phase"] for host in found["status"]["stats"]}
        assert told == dict.fromkeys(self.hosts, "Succeeded"), found["status"]

    def require_no_other_restore(self):
        """I13: what starts from now on restores nothing, asks no restic and writes nothing, and what applications did stays."""
        self.failpoint, self._places = {}, "passed again"
        if self.kind == "StatefulSet":
            self.remove_pod(self.pods[0])
        else:
            self.pods.append("web-new")
        again = [self.restart_sidecar(name) if self.bench.kube.get("pod", name, self.ns) else self.pod(name) for name in self.pods]
        for program in again:
            assert program.process.wait(30) == 0, program.output()[-2000:]
        passed = [(path.name, path.read_text()) for path in self.directory.glob("*.passed again")]
        assert not passed, passed
        for host in self.hosts:
            self.require_volume(host, "all was restored before")

    def require_no_lock(self):
        """I12: what was killed left none, or its successor has removed it."""
        # What restic is killed at before it renames it is no lock: restic takes no file for one that has no ID for a name.
        left = [path for path in self._locks.iterdir() if "-tmp-" not in path.name]
        assert not left, f"locks are left: {left}"

    def remove_pod(self, name):
        self.bench.kube.kubectl("delete", "pod", name, "-n", self.ns, "--grace-period=0", "--force")

    # What strikes at a moment says whether there was anything to hit. `which` of several pods: 0 is the first, 1 beyond the last.

    def kill_all_of_a_pod(self, which):
        """kill -9 of a stash-init and of its restic with it, as the kernel ends a container."""
        name = self._one_that_restores(which)
        if name:
            self.running[name].kill()
        return bool(name)

    def kill_only_restic(self, _):
        pid = self.restic_pid()
        if not pid:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it ended meanwhile
            return False
        return True

    def lose_a_pod(self, which):
        """Its node is gone, and the workload has another pod instead."""
        name = self._one_that_restores(which)
        if not name:
            return False
        self.running.pop(name).kill()
        self.remove_pod(name)
        successor = name if self.kind == "StatefulSet" else f"{name}-next"
        self.pods[self.pods.index(name)] = successor
        self.every_pod.append(successor)
        self.running[successor] = self.pod(successor)
        return True

    def _one_that_restores(self, which):
        names = sorted(name for name, program in self.running.items() if program.process.poll() is None)
        return names[int(which * len(names))] if names else None

    def places(self):
        return places_in(*self.directory.glob("*.places"))

    def state(self):
        found = state.of_namespace(self.bench.kube, self.ns, self.directory, *self.every_pod)
        status = found[f"restoresessions/{SESSION}"]["status"]
        # What tells of the kill, and may.
        status["conditions"] = sorted((condition for condition in status["conditions"] if condition["type"] != "RestoreDisrupted"),
                                      key=lambda condition: condition["type"])
        for host in status.get("stats", []):
            host.pop("attempts", None)
        return found
