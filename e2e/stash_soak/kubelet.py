"""The kubelet's part without a node: binds pods, says that they run, and runs our containers of some of them as processes.

Pods with the label stash-soak=real have their stash-init and stash containers run, so do all pods of CronJobs; of the others
only the status is written. It looks at all pods again and again, so that no outage makes it miss anything.
"""
import base64
import json
import threading
import time
from dataclasses import dataclass

from stash_e2e import api_ring

from .api import MERGE, Outage, Refused, path_of

NODE = "node-0"
OURS = "soak-"  # what the names of the soak's namespaces begin with
REPLACED = ("--secret-dir", "--repository-secret-dir", "--enable-cache", "--kubeconfig", "--temp-dir")
RESTART = 1.0  # seconds until a container that ended is started again


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass
class Running:
    """What runs for one pod."""
    ns: str
    name: str
    uid: str
    program: object = None
    container: str = ""
    restored: bool = False
    restarts: int = 0
    again_at: float = 0.0
    killed: bool = False  # by the soak: its end says nothing
    told: str = ""  # the phase that was written last
    going_since: float = 0.0


class Kubelet:
    def __init__(self, api, proxy, directory, say):
        self.api, self.proxy, self.directory, self.say = api, proxy, directory, say
        self.pods = {}  # uid: Running
        self.lock = threading.RLock()
        self.over = threading.Event()
        self.ended_badly = []  # sidecars that ended though nobody ended them
        self.processes_started = self.jobs_run = 0
        self._thread = threading.Thread(target=self._run, name="kubelet")

    def start(self):
        self._register()
        self._thread.start()

    def stop(self):
        self.over.set()
        if self._thread.is_alive():
            self._thread.join()
        for running in self.pods.values():
            if running.program:
                running.program.kill()

    # For faults and samples.

    def sidecars(self, ns=None):
        """Those that run now."""
        with self.lock:
            return [running for running in self.pods.values() if running.container == "stash" and not running.going_since
                    and (ns is None or running.ns == ns) and running.program and running.program.process.poll() is None]

    def killed(self, running):
        with self.lock:
            running.killed = True
            running.program.kill()

    # The node.

    def _register(self):
        self.api.create("nodes", None, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": {"kubernetes.io/hostname": NODE}}})
        self._beat()

    def _beat(self):
        ready = [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "", "lastHeartbeatTime": now(), "lastTransitionTime": now()}]
        room = {"cpu": "64", "memory": "256Gi", "pods": "5000"}
        self.api.call("PATCH", path_of("nodes", None, NODE, "/status"), {"status": {"conditions": ready, "capacity": room, "allocatable": room}}, MERGE)

    def _run(self):
        beaten = 0.0
        while not self.over.wait(1):
            try:
                if time.monotonic() - beaten > 10:
                    self._beat()
                    beaten = time.monotonic()
                pods = [pod for pod in self.api.call("GET", path_of("pods"))["items"] if pod["metadata"]["namespace"].startswith(OURS)]
            except (Outage, Refused):
                continue
            with self.lock:
                for pod in pods:
                    try:
                        self._follow(pod)
                    except Refused:
                        continue  # it changed meanwhile; the next round will do
                    except Outage:
                        break
                self._forget_all_but({pod["metadata"]["uid"] for pod in pods})

    def _forget_all_but(self, living):
        for uid in [uid for uid in self.pods if uid not in living]:
            running = self.pods.pop(uid)
            if running.program:
                running.program.kill()

    def _follow(self, pod):
        meta = pod["metadata"]
        running = self.pods.setdefault(meta["uid"], Running(meta["namespace"], meta["name"], meta["uid"]))
        if meta.get("deletionTimestamp"):
            return self._end(pod, running)
        if not pod["spec"].get("nodeName"):
            self.api.call("POST", path_of("pods", running.ns, running.name, "/binding"),
                          {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": running.name, "uid": meta["uid"]},
                           "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}})
        phase = pod.get("status", {}).get("phase")
        if phase in ("Succeeded", "Failed"):
            return None
        if pod["spec"]["containers"][0].get("args", [""])[0] == "create-backupsession":
            return self._job(pod, running)
        if meta["labels"].get("stash-soak") == "real":
            return self._real(pod, running)
        if running.told != "Running" or phase != "Running":
            self._tell(pod, running, "Running")
        return None

    def _end(self, pod, running):
        """SIGTERM, then SIGKILL when the grace is over; the object goes when the process has."""
        process = running.program.process if running.program else None
        if process and process.poll() is None:
            if not running.going_since:
                running.going_since = time.monotonic()
                process.terminate()
                return
            if time.monotonic() - running.going_since < (pod["metadata"].get("deletionGracePeriodSeconds") or 0):
                return
            running.program.kill()
        running.going_since = running.going_since or time.monotonic()
        self.api.call("DELETE", path_of("pods", running.ns, running.name),
                      {"gracePeriodSeconds": 0, "preconditions": {"uid": running.uid}})

    def _job(self, pod, running):
        if running.program is None:
            self._launch(pod, running, pod["spec"]["containers"][0], pod["spec"]["serviceAccountName"], [])
            self.jobs_run += 1
        code = running.program.process.poll()
        if code is None:
            if running.told != "Running":
                self._tell(pod, running, "Running")
        else:
            self._tell(pod, running, "Failed" if code else "Succeeded", code)

    def _real(self, pod, running):
        if self._ended(running) and time.monotonic() < running.again_at:
            return
        init = next((c for c in pod["spec"].get("initContainers", []) if c["name"] == "stash-init"), None)
        if init and not running.restored:
            if running.told != "Pending":
                self._tell(pod, running, "Pending")
            if running.program and running.program.process.poll() == 0:
                running.restored, running.program = True, None
            else:
                self._keep(pod, running, init)
                return
        sidecar = next((c for c in pod["spec"]["containers"] if c["name"] == "stash"), None)
        if sidecar:
            self._keep(pod, running, sidecar)
        if running.told != "Running" or pod.get("status", {}).get("phase") != "Running":
            self._tell(pod, running, "Running")

    def _ended(self, running):
        """Notes the end of its process, once."""
        if not running.program or running.program.process.poll() is None or running.again_at:
            return bool(running.again_at)
        code = running.program.process.poll()
        if running.container == "stash" and not running.killed:
            self.ended_badly.append(f"the sidecar of pod {running.ns}/{running.name} ended with {code}: {running.program.output()[-300:]}")
        running.again_at = time.monotonic() + RESTART
        return True

    def _keep(self, pod, running, container):
        if running.program and running.program.process.poll() is None:
            return
        if running.program:
            running.restarts += 1
        self._launch(pod, running, container, pod["spec"].get("serviceAccountName", "default"), self._places(pod, container))

    def _places(self, pod, container):
        """The volumes of a pod are directories here; paths in backups are the directories' own."""
        home = self.directory / pod["metadata"]["namespace"] / pod["metadata"]["labels"]["app"]
        temporary = self.directory / "pods" / pod["metadata"]["uid"]
        temporary.mkdir(parents=True, exist_ok=True)
        return [f"--secret-dir={home / 'secret'}", "--enable-cache=false", f"--temp-dir={temporary}"]

    def _launch(self, pod, running, container, account, more):
        ns, name = running.ns, running.name
        kubeconfig = self.directory / "pods" / f"{running.uid}.kubeconfig"
        kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(json.dumps(self._kubeconfig(ns, self.api.token(ns, account))))
        given = [word for word in container["args"] if not word.startswith(REPLACED)]
        env = {"POD_NAME": name, "POD_UID": running.uid, "POD_NAMESPACE": ns, "NODE_NAME": NODE,
               "JOB_NAME": pod["metadata"]["labels"].get("batch.kubernetes.io/job-name", "")}
        # A pod's host name is its name; by it restic knows which locks are its own.
        argv = ["unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "pod", api_ring.BIN / "stash", *given, *more, "--kubeconfig", kubeconfig]
        running.program = api_ring.Program(argv, self.directory / "pods" / f"{ns}-{name}.log", env).start()
        running.container, running.again_at, running.killed = container["name"], 0.0, False
        self.processes_started += 1

    def _kubeconfig(self, ns, token):
        cluster = {"server": self.proxy.url, "certificate-authority-data": base64.b64encode(self.proxy.authority.encode()).decode()}
        return {"apiVersion": "v1", "kind": "Config", "current-context": "soak", "clusters": [{"name": "soak", "cluster": cluster}],
                "users": [{"name": "soak", "user": {"token": token}}],
                "contexts": [{"name": "soak", "context": {"cluster": "soak", "user": "soak", "namespace": ns}}]}

    def _tell(self, pod, running, phase, code=None):
        ready = "True" if phase == "Running" else "False"
        conditions = [{"type": kind, "status": "True" if kind == "PodScheduled" else ready, "lastTransitionTime": now()}
                      for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]

        def state():
            if code is not None:
                return {"terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "startedAt": now(), "finishedAt": now()}}
            return {"running": {"startedAt": now()}} if phase == "Running" else {"waiting": {"reason": "PodInitializing"}}
        containers = [{"name": c["name"], "image": c["image"], "imageID": c["image"], "ready": phase == "Running", "started": phase == "Running",
                       "restartCount": running.restarts if c["name"] == "stash" else 0, "state": state()} for c in pod["spec"]["containers"]]
        status = {"phase": phase, "conditions": conditions, "containerStatuses": containers, "startTime": now(), "podIP": "127.0.0.1"}
        if pod["spec"].get("initContainers"):
            status["initContainerStatuses"] = [{"name": c["name"], "image": c["image"], "imageID": c["image"], "ready": phase == "Running", "restartCount": 0,
                                                "state": {"terminated": {"exitCode": 0, "reason": "Completed"}} if phase == "Running"
                                                else {"running": {"startedAt": now()}}} for c in pod["spec"]["initContainers"]]
        self.api.call("PATCH", path_of("pods", running.ns, running.name, "/status"), {"status": status}, MERGE)
        running.told = phase
