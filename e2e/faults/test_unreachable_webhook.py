"""The webhook runs and the API server cannot reach it: nobody is held up for long, it is said, and soon made up for (F60)."""
import contextlib
import json
import socket
import time

import pytest

from node import ports
from stash_e2e import objects
from stash_e2e.kube import wait_until

from test_programs import containers

KINDS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
ASKED_EVERY = 20  # seconds; a nudge in vain is followed by the next one so soon at the latest
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stash-webhook", "namespace": "stash"},
           "spec": {"type": "ExternalName", "externalName": "127.0.0.1"}}


def lead_to(kube, port):
    """As a targetPort of the webhook's Service would."""
    for kind in KINDS:
        for found in kube.list(kind):
            kube.kubectl("patch", kind, found["metadata"]["name"], "--type=json", "-p", json.dumps(
                [{"op": "replace", "path": f"/webhooks/{i}/clientConfig/service/port", "value": port} for i in range(len(found["webhooks"]))]))


@contextlib.contextmanager
def port_of_nobody(bench):
    lead_to(bench.kube, ports.free())
    yield


@contextlib.contextmanager
def port_of_somebody_else(bench):
    """A server that speaks HTTP without TLS, and not about admission."""
    lead_to(bench.kube, bench.webhook.health)
    yield


@contextlib.contextmanager
def port_that_swallows(bench):
    """Packets vanish, as behind a NetworkPolicy: the kernel drops each SYN while the queue of a listener is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        lead_to(bench.kube, listener.getsockname()[1])
        yield


@contextlib.contextmanager
def no_service(bench):
    bench.kube.delete("service", "stash-webhook", "stash")
    yield
    bench.kube.apply(SERVICE)


@contextlib.contextmanager
def unreachable(bench, way):
    """The API server keeps connections to a webhook for a while, so the webhook's own end is part of the fault."""
    with way(bench):
        bench.webhook.kill()
        bench.restart("webhook")
        yield
    lead_to(bench.kube, bench.webhook.port)


def drop_the_sidecar(kube, ns):
    """As an author does who knows of none and replaces his manifest."""
    kube.kubectl("patch", "deployment", "web", "-n", ns, "--type=json", "-p", '[{"op":"remove","path":"/spec/template/spec/containers/1"}]')


def nudges(bench, ns):
    return sum(call.method == "PATCH" and f"/namespaces/{ns}/deployments/web" in call.target for call in bench.proxies["controller"].calls)


@pytest.mark.fault("F60", "F87", invariants="I1 I4 I8")
@pytest.mark.parametrize("way", [port_of_nobody, port_of_somebody_else, port_that_swallows, no_service], ids=lambda way: way.__name__)
def test_a_webhook_that_cannot_be_reached_delays_a_workload_by_its_time_limit_at_most_and_it_is_said(bench, workload, recovery, way):
    kube, ns = bench.kube, workload.ns
    workload.configure()
    kube.apply(objects.backup_configuration(ns, name="late-backup", workload="late", schedule="0 0 1 1 *"))
    with unreachable(bench, way):
        began = time.monotonic()
        kube.apply(objects.deployment(ns, workload.source, name="late"))
        assert time.monotonic() - began < 10, "its time limit is 5 s"
        assert containers(kube, ns, "late") == ["app"]
        drop_the_sidecar(kube, ns)
        assert containers(kube, ns) == ["app"]
        for name in ("web-backup", "late-backup"):
            said = wait_until("the condition names the webhook", lambda name=name: (
                c := kube.condition("backupconfiguration", name, ns, "StashSidecarInjected")) and c["status"] == "False" and c, 60)
            assert "is stash-webhook running?" in said["message"], said
    recovery.fault_ended()
    for name in ("web", "late"):
        wait_until("it is injected", lambda name=name: containers(kube, ns, name) == ["app", "stash"], 60)
    recovery.recovered(within=30)


@pytest.mark.slow
@pytest.mark.fault("F60", invariants="I8 I20")
def test_after_a_long_outage_the_sidecar_is_back_within_half_a_minute_although_nobody_asked_in_a_hurry(bench, workload, recovery):
    kube, ns = bench.kube, workload.ns
    workload.configure()
    with unreachable(bench, port_of_nobody):
        drop_the_sidecar(kube, ns)
        before, began = nudges(bench, ns), time.monotonic()
        wait_until("the controller has asked six times in vain", lambda: nudges(bench, ns) - before >= 6, 150)
        assert time.monotonic() - began > 3 * ASKED_EVERY
    recovery.fault_ended()
    wait_until("it is injected", lambda: containers(kube, ns) == ["app", "stash"], 60)
    recovery.recovered(within=30)
