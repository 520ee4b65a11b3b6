"""A sidecar as a process, with a real restic and a repository in a directory; the controller's part is done by hand."""
import json
import subprocess
import time
from pathlib import Path

from stash_e2e import api_ring, objects, process
from stash_e2e.kube import wait_until
from stash_e2e.metrics import total
from stash_faults.makers import Administrator

from .figures import Figure

NS = "bench"
REST_SECONDS = 120


class Place:
    """Everything that one sidecar needs, in a directory and a namespace of its own."""

    def __init__(self, kube, directory, ns=NS):
        self.kube, self.directory, self.ns, self.admin = kube, Path(directory), ns, Administrator(kube)
        self.source, self.repository, self.secret = (self.directory / name for name in ("source", "repository", "secret"))
        for path in (self.source, self.secret, self.directory / "tmp"):
            path.mkdir(parents=True)
        (self.secret / "RESTIC_PASSWORD").write_text("bench")
        # Nothing mounts it here. A directory of the node would be asked about, and no webhook runs.
        made = objects.repository(ns, directory, source={"persistentVolumeClaim": {"claimName": "backups"}})
        made["spec"]["backend"]["local"]["mountPath"] = str(self.repository)
        kube.apply(objects.namespace(ns))
        kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": ns}}, made,
                   objects.backup_configuration(ns, mount_path=self.source, paths=[str(self.source)]),
                   {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "bench", "namespace": ns},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": ns}]})

    def start(self, path="/usr/bin:/bin"):
        return api_ring.Program(
            [api_ring.BIN / "stash", "run-backup", "--backup-configuration=web-backup", f"--secret-dir={self.secret}", "--enable-cache=false",
             "--metrics-enabled=false", f"--temp-dir={self.directory}/tmp", "--kubeconfig", api_ring.token_kubeconfig(self.kube, self.ns, "default", self.directory)],
            self.directory / "sidecar.log",
            env={"POD_NAME": "web-0", "POD_UID": "uid-0", "POD_NAMESPACE": self.ns, "NODE_NAME": "node", "PATH": path}).start()

    def begin_session(self, name):
        """Labels and one expected host, as the controller stamps them. The time just before it is offered."""
        made = objects.backup_session(self.ns, name)
        prefix = "stash.appscode.com"
        made["metadata"]["labels"] = {f"{prefix}/backup-configuration": "web-backup", f"{prefix}/invoker-type": "BackupConfiguration",
                                      f"{prefix}/invoker-name": "web-backup"}
        path = f"/apis/stash.appscode.com/v1beta1/namespaces/{self.ns}/backupsessions"
        status, text = self.admin.post(path, made)
        assert status == 201, text
        offered = time.time()
        reply = self.admin.client.pool.request(
            "PATCH", f"{self.admin.client.server}{path}/{name}/status", headers={"Content-Type": "application/merge-patch+json"},
            body=json.dumps({"status": {"phase": "Pending", "totalHosts": 1, "stats": [{"hostname": "host-0", "phase": "Pending"}]}}))
        assert reply.status == 200, reply.data
        return offered

    def host_phase(self, name):
        return self.kube.get("backupsession", name, self.ns)["status"]["stats"][0]["phase"]

    def back_up(self, name, seconds=300):
        self.begin_session(name)
        self.wait_until_backed_up(name, seconds)

    def wait_until_backed_up(self, name, seconds=60):
        wait_until(f"{name} is backed up", lambda: self.host_phase(name) in ("Succeeded", "Failed"), seconds, every=0.05)
        assert self.host_phase(name) == "Succeeded", (self.directory / "sidecar.log").read_text()[-2000:]


def writes_seen(kube):
    """Writing requests that the API server has answered about our kinds and events."""
    text, writing = kube.raw("/metrics"), {"name": "apiserver_request_total", "verb": ("POST", "PUT", "PATCH", "DELETE", "APPLY")}
    return total(text, **writing, group="stash.appscode.com") + total(text, **writing, resource="events")


def at_rest(ring):
    """After one backup; with what restic costs beside it."""
    kube, here = ring.kube, Place(ring.kube, ring.directory / "rest", "bench-rest")
    (here.source / "file").write_text("data")
    sidecar = here.start()
    try:
        here.back_up("warm-up", 60)
        anonymous = api_ring.settled("memory", lambda: process.status(sidecar.pid, "RssAnon"))
        writes, used = writes_seen(kube), process.cpu_seconds_of_threads(sidecar.pid)
        time.sleep(REST_SECONDS)  # what is measured is that nothing happens
        busy = (process.cpu_seconds_of_threads(sidecar.pid) - used) * 600 / REST_SECONDS
        return [Figure("sidecar at rest: anonymous memory", [anonymous / 1024], "MB", 3),
                Figure("sidecar at rest: resident memory, libraries that pods share included", [process.status(sidecar.pid, "VmRSS") / 1024], "MB", 14),
                Figure("sidecar at rest: threads", [process.status(sidecar.pid, "Threads")], "", 1),
                Figure("sidecar at rest: connections", [process.connections(sidecar.pid)], "", 1),
                Figure("sidecar at rest: processor time in 10 min", [busy], "s", 0.1, beside=f"of {REST_SECONDS} s"),
                Figure("sidecar at rest: API writes", [writes_seen(kube) - writes], "", 0)]
    finally:
        sidecar.stop()


def at_work(ring, counts=(100, 1_000, 10_000)):
    """Anonymous memory of the sidecar while so many files are backed up, with restic's resident memory beside it; and the curve."""
    ours, restics = [], []
    for count in counts:
        here = Place(ring.kube, ring.directory / f"files-{count}", f"bench-{count}-files")
        for i in range(count):
            directory = here.source / f"directory-{i // 500}"
            directory.mkdir(exist_ok=True)
            (directory / f"file-{i}").write_text(f"content of file {i}\n" * 20)
        sidecar = here.start()
        try:
            with process.Peak(sidecar.pid, "RssAnon") as peak:
                here.back_up("measured")
            ours.append((count, peak.most / 1024))
        finally:
            sidecar.stop()
        restics.append((count, restic_peak(here)))
    return ([Figure(f"sidecar during a backup of {count} files, without restic: anonymous memory", [value], "MB", 5,
                    beside=f"restic: {restic:.0f} MB resident")
             for (count, value), (_, restic) in zip(ours, restics)],
            {"Memory during a backup, by number of files (MB)": {"sidecar, anonymous": ours, "restic, resident": restics}})


def restic_peak(here):
    """Largest resident memory of the same backup by hand, into a repository of its own."""
    program = ("import resource, subprocess, sys; "
               "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    restic = ["restic", "--no-cache", "-r", str(here.directory / "by-hand")]
    env = {"RESTIC_PASSWORD": "bench", "PATH": "/usr/bin:/bin"}
    subprocess.run([*restic, "init"], env=env, check=True, capture_output=True)
    done = subprocess.run(["python3", "-c", program, *restic, "backup", str(here.source)], env=env, check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 1024
