"""Many sidecars at once, each a process of its own: one session over all of them, all at rest, and many sessions in one minute."""
import contextlib
import json
import time

from stash_e2e import api_ring, objects, process
from stash_e2e.kube import wait_until
from stash_e2e.metrics import total
from stash_e2e.objects import FINAL
from stash_faults.makers import post

from . import stand_in
from .controller import requests, scraped, until_steady
from .figures import Figure
from .sidecar import Place

REST_SECONDS = 60
SETTLE_SECONDS = 20


def requests_answered(kube):
    """By the API server, about our kinds; without the long ones, of which each sidecar has one."""
    text, ours = kube.raw("/metrics"), {"name": "apiserver_request_total", "group": "stash.appscode.com"}
    return total(text, **ours) - total(text, **ours, verb="WATCH")


class Crowd(Place):
    """A DaemonSet's pods, one on each of so many nodes that are only names. Started by start_all."""

    def __init__(self, kube, directory, ns, count, configurations=("web-backup",)):
        super().__init__(kube, directory, ns)
        self.programs = []
        (self.source / "file").write_text("data")
        path = stand_in.make(self.directory / "bin")
        kube.apply(objects.secret(ns), objects.workload(ns, "DaemonSet", "/data"))
        for name in configurations:
            made = objects.backup_configuration(ns, name=name, mount_path=self.source, paths=[str(self.source)], schedule="0 0 1 1 *")
            kube.apply(objects.aimed_at(made, "DaemonSet"))
        kube.kubectl("patch", "daemonset/web", "-n", ns, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {"desiredNumberScheduled": count}}))
        owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "web", "uid": kube.get("daemonset", "web", ns)["metadata"]["uid"], "controller": True}
        self.admin.make(f"/api/v1/namespaces/{ns}/pods", [
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"web-{i}", "namespace": ns, "labels": {"app": "web"}, "ownerReferences": [owner]},
             "spec": {"nodeName": f"node-{i}", "containers": [{"name": "app", "image": objects.SAMPLE_IMAGE}, {"name": "stash", "image": "localhost/stash:dev"}]}}
            for i in range(count)])
        for i in range(count):  # a kubelet would say so
            reply = self.admin.client.pool.request(
                "PATCH", f"{self.admin.client.server}/api/v1/namespaces/{ns}/pods/web-{i}/status", body=json.dumps({"status": {"phase": "Running"}}),
                headers={"Content-Type": "application/merge-patch+json"})
            assert reply.status == 200, reply.data
        token = api_ring.token_kubeconfig(kube, ns, "default", self.directory)
        for pod in kube.list("pod", ns):
            name = pod["metadata"]["name"]
            (self.directory / f"tmp-{name}").mkdir()
            self.programs.append(api_ring.Program(
                [api_ring.BIN / "stash", "run-backup", *(f"--backup-configuration={each}" for each in configurations), f"--secret-dir={self.secret}",
                 "--enable-cache=false", "--metrics-enabled=false", f"--temp-dir={self.directory}/tmp-{name}", "--kubeconfig", token],
                self.directory / f"{name}.log", env={"POD_NAME": name, "POD_UID": pod["metadata"]["uid"], "POD_NAMESPACE": ns,
                                                     "NODE_NAME": pod["spec"]["nodeName"], "PATH": path}))

    def start_all(self):
        for program in self.programs:
            program.start()
        wait_until("every sidecar watches", lambda: all("watching" in p.output() or "waiting" in p.output() for p in self.programs), 180, every=1)

    def stop_all(self):
        for program in self.programs:
            program.kill()

    def final_status(self, session):
        """Nothing while it has not ended."""
        status = self.kube.get("backupsession", session, self.ns).get("status", {})
        return status if status.get("phase") in FINAL else None

    def log_of_one_that_failed(self):
        return next((program.output()[-1500:] for program in self.programs if "error" in program.output()), "")


def one_session(ring, count=500):
    """One session over all hosts; before it all are at rest."""
    kube, api_server = ring.kube, ring.api_server_pid()

    def busy():
        used, began = process.cpu_seconds(api_server), time.monotonic()
        time.sleep(REST_SECONDS)  # what is measured is that next to nothing happens
        return 100 * (process.cpu_seconds(api_server) - used) / (time.monotonic() - began)
    with contextlib.ExitStack() as stack:
        controller = ring.start_controller()
        stack.callback(controller.stop)
        here = Crowd(kube, ring.directory / "hosts", "bench-hosts", count)
        stack.callback(here.stop_all)
        time.sleep(SETTLE_SECONDS)  # the making of all that is no rest
        alone = busy()
        here.start_all()
        time.sleep(SETTLE_SECONDS)
        asked, began = requests_answered(kube), time.monotonic()
        together = busy()
        rest = [Figure(f"{count} sidecars at rest: processor time of the API server above its own", [together - alone], "% of a core", 2,
                       beside=f"{alone:.2g} % without them"),
                Figure(f"{count} sidecars at rest: requests a second and sidecar", [(requests_answered(kube) - asked) / (time.monotonic() - began) / count],
                       "", 0.01)]
        asked, began = requests_answered(kube), time.monotonic()
        kube.apply(objects.backup_session(here.ns, "all-of-them"))
        status = wait_until("the session has ended", lambda: here.final_status("all-of-them"), 300, every=0.5)
        took = time.monotonic() - began
        succeeded = sum(host["phase"] == "Succeeded" for host in status["stats"])
        assert succeeded, f"{status['phase']}: {here.log_of_one_that_failed()}"
        return rest + [Figure(f"one session over {count} hosts: until it is final", [took], "s", 30),
                       Figure(f"one session over {count} hosts: API requests for each host", [(requests_answered(kube) - asked) / count], "", 6),
                       Figure(f"one session over {count} hosts: entries lost", [count - succeeded], "", 0)]


def one_minute(ring, sidecars=20, sessions=1_000):
    """Sessions of so many BackupConfigurations, made as fast as the API server takes them."""
    kube, names = ring.kube, [f"backup-{i}" for i in range(sessions // sidecars)]
    with contextlib.ExitStack() as stack:
        controller = ring.start_controller()
        stack.callback(controller.stop)
        crowds = []
        for number in range(sidecars):
            ns = f"bench-minute-{number}"
            crowds.append(Crowd(kube, ring.directory / ns, ns, 1, configurations=names))
            stack.callback(crowds[-1].stop_all)
            crowds[-1].start_all()
        made = [(f"/apis/stash.appscode.com/v1beta1/namespaces/{here.ns}/backupsessions", objects.backup_session(here.ns, f"session-{name}", name))
                for name in names for here in crowds]
        until_steady(controller, time.monotonic(), {"BackupConfiguration": sessions, "Workload": sidecars})  # the making of a thousand CronJobs is no part of a minute's sessions
        with crowds[0].admin.makers() as pool:
            before, began = scraped(controller), time.monotonic()
            answers = list(pool.map(post, *zip(*made), chunksize=20))
            took = time.monotonic() - began
        assert all(status == 201 for status, _ in answers), answers[0]

        def sessions_now():
            return [session.get("status", {}) for session in kube.list("backupsessions")]  # in one request, for the API server is what is loaded

        def hosts_are_final(status):
            return status.get("phase") in FINAL or (status.get("stats") and all(host["phase"] in FINAL for host in status["stats"]))
        last_host = None
        while True:
            found = sessions_now()
            assert time.monotonic() - began < 600, f"only {sum(s.get('phase') in FINAL for s in found)} of {sessions} sessions are final"
            if last_host is None and all(hosts_are_final(status) for status in found):
                last_host = time.monotonic()
            if all(s.get("phase") in FINAL for s in found):
                break
            time.sleep(0.5)
        wait_until("nothing is due", lambda: not total(scraped(controller), "stash_controller_queue_depth", state="due"), 120)
        drained = time.monotonic() - last_host
        after = scraped(controller)
        refused = total(after, "stash_controller_api_requests_total", code="429") - total(before, "stash_controller_api_requests_total", code="429")
        return [Figure(f"{sessions} sessions made within {took:.0f} s: not Succeeded", [sum(s["phase"] != "Succeeded" for s in found)], "", 0),
                Figure(f"{sessions} sessions: queue drained after the last host's result", [drained], "s", 60,
                       beside=f"{time.monotonic() - began:.0f} s from the first session to the last one's end"),
                Figure(f"{sessions} sessions: requests of the controller that were refused as too many (429)", [refused], "", 0,
                       beside=f"of {requests(after) - requests(before):.0f}")]
