"""The controller with many BackupConfigurations on a real API server: each has its Deployment, with the sidecar in it, and its CronJob.

There is no node and no kwok: pods are looked at only where sessions run, and what their number costs is measured by `hosts`.
"""
import contextlib
import time
import urllib.request

from stash_e2e import api_ring, objects, process
from stash_e2e.kube import wait_until
from stash_e2e.metrics import total
from stash_faults.makers import Administrator

from .figures import Figure

PER_NAMESPACE = 100  # whoever writes a Role has the API server list all RoleBindings of its namespace
QUIET = 2.0  # seconds of rest: steady
BUSY = 0.2  # of a processor, by which work is told from the looks of every ten minutes
FEW = 5  # keys that may be due even so: each BackupConfiguration is looked at every ten minutes
REST_SECONDS = 30
TOUCHED = 50


def scraped(program):
    with urllib.request.urlopen(f"http://127.0.0.1:{program.health}/metrics", timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("stash_controller_"))  # the gauges of so many objects take long to search


def requests(text):
    return total(text, "stash_controller_api_requests_total")


def until_steady(program, began, looks, limit=1200):
    """Seconds from `began` until it rested, having led, looked so many times since its start at what is in `looks`, by kind, and next to nothing being due.

    It is asked only when it rests, for so many gauges cost it a second or more.
    """
    since = None
    while time.monotonic() - began < limit:
        at, spent = time.monotonic(), process.cpu_seconds(program.pid)
        time.sleep(0.25)
        if process.cpu_seconds(program.pid) - spent > BUSY * (time.monotonic() - at):
            since = None
            continue
        since = since or at
        if time.monotonic() - since < QUIET:
            continue
        text = scraped(program)
        looked = all(total(text, "stash_controller_reconciles_total", kind=kind, result="ok") >= number for kind, number in looks.items())
        if looked and total(text, "stash_controller_leader") and total(text, "stash_controller_queue_depth", state="due") <= FEW:
            return since - began
        since = None
    raise AssertionError(f"the controller is not steady after {limit} s")


def reconcile_milliseconds(kube, program, count):
    """The mean of a look at one BackupConfiguration, when some of so many are touched."""
    def read():
        text = scraped(program)
        name = "stash_controller_reconcile_duration_seconds"
        return total(text, f"{name}_sum", kind="BackupConfiguration"), total(text, f"{name}_count", kind="BackupConfiguration")
    seconds, looks = read()
    for i in range(0, count, max(1, count // TOUCHED)):
        kube.kubectl("annotate", "backupconfiguration", f"backup-{i}", "-n", namespace_of(i), f"bench.example.com/at={time.monotonic()}", "--overwrite")
    until_steady(program, time.monotonic(), {})
    more_seconds, more_looks = read()
    return 1000 * (more_seconds - seconds) / (more_looks - looks)


def started(program, count):
    """Seconds from now to steady, with so many BackupConfigurations and Deployments."""
    began = time.monotonic()
    program.start()
    wait_until("the controller is ready", lambda: api_ring.answers(f"http://127.0.0.1:{program.health}/readyz"), 60, every=0.05)
    return until_steady(program, began, {"BackupConfiguration": count, "Workload": count})


def namespace_of(number):
    return f"bench-scale-{number // PER_NAMESPACE}"


def make(ring, numbers):
    """BackupConfigurations and their Deployments, rolled out."""
    admin, kinds = Administrator(ring.kube), {"backupconfigurations": "stash.appscode.com/v1beta1", "deployments": "apps/v1"}
    ring.namespaces(*(namespace_of(number) for number in numbers[::PER_NAMESPACE]))

    def paths(kind):
        return [f"/apis/{kinds[kind]}/namespaces/{namespace_of(i)}/{kind}" for i in numbers]
    admin.make(paths("backupconfigurations"),
               [objects.backup_configuration(namespace_of(i), name=f"backup-{i}", workload=f"web-{i}", schedule="0 0 1 1 *") for i in numbers])
    admin.make(paths("deployments"), [objects.deployment(namespace_of(i), "/data", name=f"web-{i}") for i in numbers])
    admin.patch([f"{path}/web-{i}/status" for path, i in zip(paths("deployments"), numbers)],  # Kubernetes would say so; also after a nudge
                {"status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}})
    last = ring.kube.get("deployment", f"web-{numbers[-1]}", namespace_of(numbers[-1]))
    assert len(last["spec"]["template"]["spec"]["containers"]) == 2, "no sidecar"


# The API server works out whether who writes a Role may grant what is in it: 75 to 98 ms for each object, unless he may grant anything.
MAY_GRANT = ({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "bench-may-grant"},
              "rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "clusterroles"], "verbs": ["escalate", "bind"]}]},
             {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "bench-may-grant"},
              "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "bench-may-grant"},
              "subjects": [{"kind": "ServiceAccount", "name": "stash-operator", "namespace": "stash"}]})


@contextlib.contextmanager
def spared(kube):
    """The API server does not ask of each Role whether the operator may grant it, which is minutes where there are thousands."""
    kube.apply(*MAY_GRANT)
    yield
    for made in reversed(MAY_GRANT):  # after a failure the whole API server goes
        kube.delete(made["kind"].lower(), made["metadata"]["name"])


def at_scale(ring, counts=(100, 1_000, 10_000)):
    kube = ring.kube
    webhook = api_ring.start_webhook(kube, ring.directory)
    program = ring.start_controller()
    program.stop()
    made, found, curves = 0, [], {"start": [], "memory": [], "reconcile": []}
    try:
        for count in counts:
            make(ring, range(made, count))
            new, made = count - made, count
            many = new > 1_000
            with spared(kube) if many else contextlib.nullcontext():
                making = started(program, count)
                program.stop()
            making = f"{making:.0f} s when it had to make CronJobs, roles and the rest for {new}" + (", spared the check of what it may grant" if many else "")
            ready = started(program, count)
            asked = requests(scraped(program))
            time.sleep(REST_SECONDS)  # what is measured is that next to nothing happens
            memory = process.status(program.pid, "RssAnon") / 1024
            at_rest = (requests(scraped(program)) - asked) / REST_SECONDS
            reconcile = reconcile_milliseconds(kube, program, count)
            curves["start"].append((count, ready))
            curves["memory"].append((count, memory))
            curves["reconcile"].append((count, reconcile))
            found = [Figure(f"controller, {count} BackupConfigurations: start to steady", [ready], "s", 30,
                            beside=making),
                     Figure(f"controller, {count} BackupConfigurations: anonymous memory", [memory], "MB", 60,
                            beside=f"{process.status(program.pid, 'VmHWM') / 1024:.0f} MB resident at the most"),
                     Figure(f"controller, {count} BackupConfigurations at rest: requests a second", [at_rest], "", 1, beside="the lease is renewed every 2 s"),
                     Figure(f"controller: a look at one of {count}, in looks at one of {counts[0]}", [reconcile / curves["reconcile"][0][1]], "×", 1.5,
                            beside=", ".join(f"{value:.2g} ms of {n}" for n, value in curves["reconcile"]))]
            program.stop()
    finally:
        program.stop()
        webhook.stop()
    return found, {"Start of the controller to steady, by BackupConfigurations (s)": {"controller": curves["start"]},
                   "Anonymous memory of the controller, by BackupConfigurations (MB)": {"controller": curves["memory"]},
                   "Time of one look at a BackupConfiguration, by their number (ms)": {"controller": curves["reconcile"]}}
