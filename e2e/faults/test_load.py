"""Many creations at once (F68) and many objects (F24): nobody is refused or held up, and our programs stay within their limits."""
import asyncio
import collections
import concurrent.futures
import contextlib
import json
import re
import threading
import time

import pytest

from stash_e2e import api_ring, objects, process
from stash_e2e.kube import wait_until
from stash_faults.bench import wait_until_ready
from stash_faults.makers import CLIENTS, Administrator, post

from conftest import make_namespace
from test_programs import containers
from test_unreachable_webhook import lead_to

MI = 1 << 20
WEBHOOK = "workload.admission.stash.appscode.com"


class Balancer:
    """Leads each connection to the one of several ports that has had the fewest, as a Service does, in a thread of its own."""

    def __init__(self, ports):
        self.ports, self.led, self._loop = list(ports), collections.Counter(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancer", daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        async def stop():
            self._server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader, writer):
        port = min(self.ports, key=self.led.__getitem__)
        self.led[port] += 1
        with contextlib.closing(writer):
            try:
                there, back = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                writer.transport.abort()
                return
            with contextlib.closing(back):
                await asyncio.wait([asyncio.ensure_future(_copy(reader, back)), asyncio.ensure_future(_copy(there, writer))],
                                   return_when=asyncio.FIRST_COMPLETED)


async def _copy(source, sink):
    with contextlib.suppress(ConnectionError):
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()


def admission(kube):
    """(calls up to so many seconds by the bucket's bound, calls that went on without an answer) of the webhook for workloads so far."""
    buckets, ignored = {}, 0.0
    for line in kube.raw("/metrics").splitlines():
        if f'name="{WEBHOOK}"' not in line:
            continue
        value = float(line.rsplit(" ", 1)[1])
        if line.startswith("apiserver_admission_webhook_admission_duration_seconds_bucket"):
            bound = re.search(r'le="([^"]+)"', line).group(1)
            buckets[bound] = buckets.get(bound, 0) + value
        if line.startswith("apiserver_admission_webhook_fail_open_count"):
            ignored += value
    return buckets, ignored


RATE, SECONDS = 200, 5
BACKED_UP = 20  # of the workloads; the others are asked about as well


@pytest.mark.slow  # a rate on a busy machine
@pytest.mark.fault("F68", "F1", invariants="I1 I3 I4 I17")
def test_of_two_hundred_creations_a_second_none_is_refused_or_waits_half_the_time_limit_while_one_of_two_replicas_is_killed(
        bench, ns, tmp_path, record_property):
    kube, admin, count = bench.kube, Administrator(bench.kube), RATE * SECONDS
    kube.apply(objects.secret(ns), objects.repository(ns, tmp_path),
               *(objects.backup_configuration(ns, name=f"backup-{i}", workload=f"web-{i * count // BACKED_UP}", schedule="0 0 1 1 *")
                 for i in range(BACKED_UP)))
    backed_up = [f"web-{i * count // BACKED_UP}" for i in range(BACKED_UP)]
    path = f"/apis/apps/v1/namespaces/{ns}/deployments"
    made = [objects.deployment(ns, tmp_path, name=f"web-{i}") for i in range(count)]
    twin = bench.twin("webhook").start()
    try:
        wait_until_ready(twin)
        with Balancer([bench.webhook.port, twin.port]) as balancer:
            lead_to(kube, balancer.port)
            # The API server keeps connections of before to the first one.
            bench.webhook.kill()
            bench.restart("webhook")
            for _ in range(2):
                wait_until("both replicas know what they need", lambda: admin.post(f"{path}?dryRun=All", made[0])[1].count(b'"name":"stash"') > 0, 30)
            memory = api_ring.settled("memory", lambda: process.memory(bench.webhook.pid), same_for=1.0)
            with admin.makers() as pool:
                assert all(status == 201 for status, _ in pool.map(post, [f"{path}?dryRun=All"] * CLIENTS * 4, made[:CLIENTS * 4])), "warm-up"
                before, ignored_before = admission(kube)
                began = time.monotonic()
                answers = [pool.submit(post, path, made[i], began + i / RATE) for i in range(count)]
                ended = concurrent.futures.as_completed(answers, timeout=300)
                for _ in range(count // 3):
                    next(ended)
                assert balancer.led[twin.port], "nobody asks the replica that is to be killed"
                twin.kill()  # amid whatever it has been asked
                for _ in range(count // 3):
                    next(ended)
                balancer.ports.remove(twin.port)  # as when its readiness has been missed
                refused = [text for status, text in (answer.result() for answer in answers) if status != 201]
            record_property("creations a second", round(count / (time.monotonic() - began)))
            assert not refused, refused[:3]
            after, ignored = admission(kube)
            answered = {bound: value - before.get(bound, 0) for bound, value in after.items()}
            record_property("answered within", answered)
            record_property("without an answer", ignored - ignored_before)
            assert answered["+Inf"] >= count, "not all of them were asked about"
            assert answered["2.5"] == answered["+Inf"], f"half of the time limit was not enough: {answered}"
            # Who has half of the connections may lose what it was asked on them, and what is sent to it until that is noticed.
            assert ignored - ignored_before <= count / 3, "the other replica did not take over"
            for name in backed_up:
                wait_until("it is injected", lambda name=name: containers(kube, ns, name) == ["app", "stash"], 60)
            grown = process.memory(bench.webhook.pid) - memory
            record_property("more memory", grown)
            assert grown < 32 * MI, f"the webhook took {grown / MI:.0f} MiB more"
    finally:
        twin.stop()
        lead_to(kube, bench.webhook.port)
        admin.delete_all(path)  # there is no controller that would do it with the namespace


SESSIONS, CONFIGURATIONS, PODS = 5_000, 500, 1_000
CROWD = 500  # sessions of one configuration, which keeps one
LIMIT = 256 * MI  # resources.limits.memory of controller and webhook in the chart
AT_REST = 0.05  # of one processor


def pods(ns):
    """Each of the size that pods really have."""
    environment = [{"name": f"VARIABLE_{i}", "value": "x" * 50} for i in range(40)]
    for i in range(PODS):
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"load-{i:04}", "namespace": ns, "labels": {"app": "load"}},
               "spec": {"containers": [{"name": "app", "image": objects.SAMPLE_IMAGE, "env": environment},
                                       {"name": "stash", "image": "localhost/stash:dev"}]}}


@pytest.mark.slow
@pytest.mark.fault("F24", invariants="I6 I17 I19 I20")
def test_thousands_of_objects_leave_controller_and_webhook_within_their_memory_and_at_rest_once_they_have_been_read(
        bench, workload, ns, recovery, record_property):
    kube, admin, large = bench.kube, Administrator(bench.kube), f"{ns}-load"
    workload.configure()
    workload.pod("web-1")
    make_namespace(kube, large)
    kube.apply(objects.secret(large), objects.repository(large, "/data"), objects.deployment(large, "/data/load", name="load", replicas=PODS))
    ours = f"/apis/stash.appscode.com/v1beta1/namespaces/{large}"
    try:
        admin.make(f"/api/v1/namespaces/{large}/pods", pods(large))
        admin.make(f"{ours}/backupconfigurations", (objects.backup_configuration(large, name=f"load-{i:03}", workload=f"missing-{i:03}", paused=True)
                                                    for i in range(CONFIGURATIONS)))
        admin.make(f"{ours}/backupsessions", (objects.backup_session(large, f"load-{i:04}", f"nobody-{i % CONFIGURATIONS}") for i in range(SESSIONS)))
        admin.make(f"{ours}/backupsessions", (objects.backup_session(large, f"crowd-{i:03}", "load-000") for i in range(CROWD)))
        # The controller is busy with all of them, and takes them in turn.
        workload.session("by-hand")
        assert workload.finished("by-hand", 400)["status"]["phase"] == "Succeeded"
        # At a start everything is listed at once, in pages.
        for name in ("controller", "webhook"):
            getattr(bench, name).stop()
            bench.restart(name)
        recovery.fault_ended()
        workload.session("after")
        assert workload.finished("after", 120)["status"]["phase"] == "Succeeded"
        recovery.recovered()
        following = [call for call in bench.proxies["controller"].calls if "/backupsessions?" in call.target and "continue=" in call.target]
        assert len(following) >= SESSIONS // 500 - 1
        wait_until("every session is decided", lambda: all(found.get("status", {}).get("phase") in ("Skipped", "Failed")
                                                           for found in kube.list("backupsessions", large)), 180, every=3)
        wait_until("the crowd has gone", lambda: sum(found["metadata"]["name"].startswith("crowd-")
                                                     for found in kube.list("backupsessions", large)) <= 1, 120, every=3)
        for name in ("controller", "webhook"):
            program = getattr(bench, name)
            most = process.memory(program.pid, "VmHWM")
            record_property(f"{name}: most memory", most)
            assert most < LIMIT, f"{name} took {most / MI:.0f} MiB"

            def rests():
                used, began = process.cpu_seconds(program.pid), time.monotonic()
                api_ring.settled("the namespace", workload.state, same_for=5.0)
                return (process.cpu_seconds(program.pid) - used) / (time.monotonic() - began) < AT_REST
            wait_until(f"the {name} is at rest", rests, 60)
    finally:
        for path in (f"{ours}/backupsessions", f"{ours}/backupconfigurations", f"/api/v1/namespaces/{large}/pods"):
            admin.delete_all(path)
