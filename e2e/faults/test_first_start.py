"""The first start of an installation with two replicas of everything (F57)."""
import base64
import json
import socket
import ssl
import time

import pytest

from stash_e2e.kube import wait_until
from stash_faults import audit
from stash_faults.bench import LEASE, wait_until_ready

OPERATOR = "system:serviceaccount:stash:stash-operator"
SECRET, SERVICE = "stash-webhook-cert", "stash-webhook.stash.svc"
CONFIGURATIONS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")


def bundles(kube):
    """Of every webhook, as the API server has them; "" where there is none."""
    return {base64.b64decode(hook["clientConfig"].get("caBundle", "")).decode()
            for kind in CONFIGURATIONS for found in kube.list(kind) for hook in found["webhooks"]}


def forget_the_installation(kube):
    """As helm leaves it: no certificates, no bundles, no lease."""
    kube.delete("secret", SECRET, "stash")
    kube.delete("lease", LEASE, "stash")
    for kind in CONFIGURATIONS:
        for found in kube.list(kind):
            kube.kubectl("patch", kind, found["metadata"]["name"], "--type=json", "-p",
                         json.dumps([{"op": "remove", "path": f"/webhooks/{i}/clientConfig/caBundle"} for i in range(len(found["webhooks"]))]))


def is_trusted(port, authority):
    """Whether what the webhook serves there is what an API server with that bundle accepts."""
    trust = ssl.create_default_context(cadata=authority)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        try:
            with trust.wrap_socket(plain, server_hostname=SERVICE):
                return True
        except ssl.SSLError:
            return False


@pytest.fixture
def replicas(bench):
    """Two controllers and two webhooks, none of which runs. In the end the bench's own two run again."""
    for program in (bench.controller, bench.webhook):
        program.stop()
    made = {name: [getattr(bench, name), bench.twin(name)] for name in ("controller", "webhook")}
    yield made
    for name, (own, twin) in made.items():
        twin.stop()
        if own.process.poll() is not None:
            bench.restart(name)


@pytest.mark.fault("F57", invariants="I1 I7")
@pytest.mark.parametrize("round_", range(2))
def test_two_controllers_and_two_webhooks_at_their_first_start_make_one_ca_that_both_serve(bench, replicas, recovery, round_):
    forget_the_installation(bench.kube)
    began = time.time()
    recovery.fault_ended()
    for programs in replicas.values():
        for program in programs:
            program.start()
    for program in (*replicas["controller"], *replicas["webhook"]):
        wait_until_ready(program)
    published = wait_until("every webhook has one and the same bundle", lambda: len(found := bundles(bench.kube)) == 1 and "" not in found and found, 60)
    authority, = published
    assert authority.count("BEGIN CERTIFICATE") == 1, "two of them made one"
    for program in replicas["webhook"]:
        wait_until("it serves a certificate of this CA", lambda: is_trusted(program.port, authority), 60)
    recovery.recovered(within=60)
    made = [call for call in audit.of(audit.read(bench.control_plane.audit_log), OPERATOR, since=began)
            if call.resource == "secrets" and call.verb in audit.WRITES]
    assert [(call.verb, call.code) for call in made] == [("create", 201)], made
