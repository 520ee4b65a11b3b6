"""Whoever reaches a port of ours may say what he likes (F76 F85): he learns no secret, and keeps nobody from an answer."""
import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import threading
import time
import urllib.request

import pytest

from stash_e2e import api_ring, objects, process
from stash_e2e.kube import wait_until
from stash_faults import audit
from stash_faults.bench import BenchWorkload

from conftest import make_namespace

WEBHOOK = "system:serviceaccount:stash:stash-webhook"
CROWD = 40  # connections of one hostile client
PROBE = 3.0  # seconds that a kubelet waits for an answer, by the chart


def answer(webhook, path, body):
    """(status, text) of what the webhook's port says to anybody: no client certificate, no trust."""
    unverified = ssl._create_unverified_context()  # noqa: S323 - this client does not care whom it talks to
    connection = http.client.HTTPSConnection("127.0.0.1", webhook.port, timeout=10, context=unverified)
    with contextlib.closing(connection):
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()


def forged_review(ns, made, **request):
    resource = {"BackupConfiguration": "backupconfigurations"}.get(made["kind"], "deployments")
    group, _, version = made["apiVersion"].rpartition("/")
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": dict({
        "uid": "forged", "kind": {"group": group, "version": version, "kind": made["kind"]},
        "resource": {"group": group, "version": version, "resource": resource}, "namespace": ns, "name": made["metadata"]["name"],
        "operation": "CREATE", "userInfo": {"username": "system:admin", "groups": ["system:masters"]}, "object": made}, **request)})


@pytest.fixture
def neighbour(bench, workload, tmp_path):
    """Somebody else's backup, of which no answer for this namespace may speak."""
    ns = f"{workload.ns}-neighbour"
    make_namespace(bench.kube, ns)
    (tmp_path / "neighbour").mkdir()
    made = BenchWorkload(bench, ns, tmp_path / "neighbour")
    made.configure()
    yield made
    made.stop()


@pytest.mark.fault("F76", invariants="I15 I16")
def test_a_forged_review_learns_no_secret_and_nothing_of_another_namespace_and_has_nothing_written(bench, workload, neighbour):
    workload.configure()
    bench.kube.apply(objects.secret(workload.ns, password="canary-of-the-secret"))
    began, told = time.time(), []
    deployment = objects.deployment(workload.ns, workload.source)
    for path in ("/mutate", "/warn", "/authorize"):
        for made in (deployment, objects.backup_configuration(workload.ns), objects.repository(workload.ns, workload.repository)):
            for operation in ("CREATE", "UPDATE", "DELETE"):
                status, text = answer(bench.webhook, path, forged_review(workload.ns, made, operation=operation, oldObject=made))
                told.append(text)
                assert status in (200, 400) and (status != 200 or json.loads(text)["response"]["uid"] == "forged"), text
    _, text = answer(bench.webhook, "/mutate", forged_review(workload.ns, deployment))
    patch = base64.b64decode(json.loads(text)["response"]["patch"]).decode()
    assert "repository-secret" in patch, "the review was not taken for a real one, so this test proves nothing"
    for secret in ("canary-of-the-secret", neighbour.ns, str(neighbour.directory)):
        assert secret not in patch and not [text for text in told if secret in text]
    # The webhook could not tell a secret if it wanted to, and did no more than look.
    can = bench.kube.kubectl("auth", "can-i", "--list", f"--as={WEBHOOK}", "-n", workload.ns)
    assert "secrets" not in can, can
    done = audit.writes(audit.of(audit.read(bench.control_plane.audit_log), WEBHOOK, since=began))
    assert {call.resource for call in done} <= {"subjectaccessreviews"}, done


def says_nothing():
    while True:
        yield b""


def trickles_a_header():
    yield b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: "
    while True:
        yield b"x"


def trickles_a_body():
    yield b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    while True:
        yield b"x"


def asks_and_never_reads():
    while True:
        yield b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100


def sends_a_header_bomb():
    yield b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
    while True:
        yield b"X-Bomb: " + b"x" * 8000 + b"\r\n"


def sends_garbage():
    while True:
        yield os.urandom(1000)


HOSTILE = (says_nothing, trickles_a_header, trickles_a_body, asks_and_never_reads, sends_a_header_bomb, sends_garbage)


@contextlib.contextmanager
def crowd(port, speak):
    """So many clients that speak like that, each a piece every tenth of a second, and come again when they are thrown out."""
    over = threading.Event()

    def client():
        while not over.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2) as connection:
                for piece in speak():
                    if over.wait(0.1):
                        return
                    with contextlib.suppress(TimeoutError):  # its buffers are full, as a client that never reads wants them
                        connection.sendall(piece)
    threads = [threading.Thread(target=client, daemon=True) for _ in range(CROWD)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(5)


def probe(port, path):
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PROBE) as reply:
        assert reply.status == 200
    return time.monotonic() - began


@pytest.mark.fault("F85", invariants="I17")
@pytest.mark.parametrize("speak", HOSTILE, ids=[speak.__name__.replace("_", "-") for speak in HOSTILE])
@pytest.mark.parametrize("name", ["controller", "webhook"])
def test_a_kubelet_gets_its_answer_from_the_health_port_in_a_crowd_of_hostile_clients(bench, name, speak):
    program = getattr(bench, name)
    wait_until("it is ready", lambda: api_ring.answers(f"http://127.0.0.1:{program.health}/readyz"), 30)
    before = process.memory(program.pid)
    with crowd(program.health, speak):
        end = time.monotonic() + 4
        while time.monotonic() < end:
            for path in ("/healthz", "/readyz"):
                probe(program.health, path)
            time.sleep(0.1)
        assert process.memory(program.pid) - before < 32 << 20
    assert program.process.poll() is None


@pytest.mark.fault("F85", invariants="I15 I17")
@pytest.mark.parametrize("name", ["controller", "webhook"])
def test_a_health_port_has_nothing_but_health_and_metrics_and_takes_no_orders(bench, workload, name):
    workload.configure()
    port = getattr(bench, name).health
    paths = ["/", "/mutate", "/debug/pprof/", "/config", "/..", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//healthz", "/metrics/../..",
             "/healthz%00", "/" + "a" * 5000, "/metrics?" + "a=1&" * 1000]
    asked = [("GET", path) for path in paths] + [(method, path) for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT")
                                                 for path in ("/healthz", "/readyz", "/metrics")]
    for method, path in asked:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.closing(connection):
            connection.request(method, path)
            reply = connection.getresponse()
            text = reply.read().decode(errors="replace")
        if reply.status == 200:
            assert method == "GET" and path.startswith("/metrics?"), (method, path[:40], text[:200])
        assert "root:" not in text
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        metrics = reply.read().decode()
    assert "correct horse" not in metrics and str(workload.directory) not in metrics
