"""The webhook: its answer beside an echo of the same bytes by the same server, what it adds to a creation, and its memory."""
import json
import statistics
import subprocess
import time

from stash_e2e import api_ring, objects, process
from stash_e2e.kube import wait_until
from stash_faults.makers import Administrator

from .figures import Figure

RUNS = 3
CREATIONS = 200


def beside_an_echo():
    """No API server: nothing but server, TLS and injector."""
    runs = [json.loads(subprocess.run([api_ring.BIN / "webhook_latency"], check=True, capture_output=True, text=True).stdout) for _ in range(RUNS)]

    def each(connections, idle, read):
        return [read(row) for run in runs for row in run["rows"] if (row["connections"], row["idle"]) == (connections, idle)]

    def told(connections, idle=0):
        echo = statistics.median(each(connections, idle, lambda row: row["echo"]["median_us"]))
        ours = statistics.median(each(connections, idle, lambda row: row["mutate"]["median_us"]))
        return f"echo {echo:.0f} µs, injection {ours:.0f} µs"

    def throughput(connections, idle=0):
        echo = statistics.median(each(connections, idle, lambda row: row["echo"]["per_second"]))
        ours = statistics.median(each(connections, idle, lambda row: row["mutate"]["per_second"]))
        return f"echo {echo:.0f}, injection {ours:.0f} a second"

    size = f"{runs[0]['review_bytes']} bytes"
    found = [Figure(f"injection of a review of {size}, 1 connection: median, in echoes", each(1, 0, lambda row: row["mutate"]["median_us"] / row["echo"]["median_us"]),
                    "×", 2, beside=told(1))]
    for connections in (1, 8, 64, 256):
        found.append(Figure(f"injection throughput, {connections} connections, of the echo's", each(
            connections, 0, lambda row: 100 * row["mutate"]["per_second"] / row["echo"]["per_second"]), "%", 50, at_least=True, beside=throughput(connections)))
    found.append(Figure("injection, 64 connections: p99", each(64, 0, lambda row: row["mutate"]["p99_us"] / 1000), "ms", 20,
                        beside=f"echo {statistics.median(each(64, 0, lambda row: row['echo']['p99_us'])) / 1000:.3g} ms"))
    found.append(Figure("injection, 64 connections and 256 that say nothing: p99", each(64, 256, lambda row: row["mutate"]["p99_us"] / 1000), "ms", None,
                        beside=f"echo {statistics.median(each(64, 256, lambda row: row['echo']['p99_us'])) / 1000:.3g} ms"))
    found.append(Figure("injection: failed requests", [sum(row[path]["failed"] for row in run["rows"] for path in ("echo", "mutate")) for run in runs], "", 0))
    return found


def added_to_a_creation(ring):
    """Deployments made in turn in a namespace that asks for injection and in one that the webhook is not asked about."""
    kube, admin = ring.kube, Administrator(ring.kube)
    webhook = api_ring.start_webhook(kube, ring.directory)
    try:
        for ns in ("bench-asked", "bench-not-asked"):
            ring.namespaces(ns)
            kube.apply(*(objects.backup_configuration(ns, name=f"backup-{i}", workload=f"web-{i}", schedule="0 0 1 1 *") for i in range(CREATIONS)))
        kube.kubectl("label", "namespace", "bench-not-asked", "stash.appscode.com/injection-")
        path = "/apis/apps/v1/namespaces/{}/deployments"
        wait_until("the webhook knows", lambda: admin.post(path.format("bench-asked") + "?dryRun=All", objects.deployment(
            "bench-asked", "/data", name=f"web-{CREATIONS - 1}"))[1].count(b'"name":"stash"') > 0, 30)
        took = {"bench-asked": [], "bench-not-asked": []}
        for i in range(CREATIONS):
            for ns in took:
                made = objects.deployment(ns, "/data", name=f"web-{i}")
                began = time.monotonic()
                status, text = admin.post(path.format(ns), made)
                took[ns].append(1000 * (time.monotonic() - began))
                assert status == 201, text
        with_it, without = (statistics.median(took[ns]) for ns in took)
        return [Figure("a creation of a Deployment: added by the injection, at the median", [with_it - without], "ms", 5,
                       beside=f"{with_it:.3g} ms with it, {without:.3g} ms without")]
    finally:
        webhook.stop()


def memory(ring, counts=(100, 1_000, 10_000)):
    """Of a webhook that starts when so many BackupConfigurations are there."""
    kube, admin, ns, sizes, made = ring.kube, Administrator(ring.kube), "bench-many", [], 0
    goals = {1_000: 12, 10_000: 30}
    webhook = api_ring.start_webhook(kube, ring.directory)
    ring.namespaces(ns)
    path = f"/apis/stash.appscode.com/v1beta1/namespaces/{ns}/backupconfigurations"
    found = []
    try:
        for count in counts:
            admin.make(path, [objects.backup_configuration(ns, name=f"backup-{i}", workload=f"web-{i}", schedule="0 0 1 1 *") for i in range(made, count)])
            made = count
            webhook.stop()  # a new one has read them all at once, as after a rollout
            webhook.start()
            wait_until("the webhook is ready", lambda: api_ring.answers(f"http://127.0.0.1:{webhook.health}/readyz"), 60)
            anonymous = api_ring.settled("memory", lambda: process.status(webhook.pid, "RssAnon"))
            resident = process.status(webhook.pid, "VmRSS") / 1024
            sizes.append((count, anonymous / 1024))
            found.append(Figure(f"webhook that knows {count} BackupConfigurations: anonymous memory", [anonymous / 1024], "MB", goals.get(count),
                                beside=f"{resident:.3g} MB resident, with libraries; {process.status(webhook.pid, 'VmHWM') / 1024:.3g} MB at the most"))
    finally:
        webhook.stop()
    return found, {"Anonymous memory of the webhook, by BackupConfigurations (MB)": {"webhook": sizes}}
