"""The webhook's authority and certificate change while workloads are admitted without a pause (F55, F56)."""
import json
import threading
from datetime import timedelta

import pytest

from stash_e2e import objects
from stash_e2e.kube import wait_until
from stash_faults.authority import Authority, decoded, encoded, names_in
from stash_faults.bench import encoded as base64_of
from stash_faults.makers import CLIENTS, Administrator, post

SECRET = ("secret", "stash-webhook-cert", "stash")
PROPAGATED = timedelta(minutes=6)  # longer than certs::kPropagation


class Load:
    """Creations that are not kept, one after the other by each of several clients; each must come back with its sidecar."""

    def __init__(self, pool, path, made):
        self.answered, self.wrong, self._over = 0, [], threading.Event()
        self._pool, self._path, self._made = pool, f"{path}?dryRun=All", made
        self._threads = [threading.Thread(target=self._go_on) for _ in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _go_on(self):
        while not self._over.is_set():
            status, text = self._pool.submit(post, self._path, self._made).result(60)
            if status != 201 or b'"name":"stash"' not in text:
                self.wrong.append((status, text[:300]))
            self.answered += 1

    def go_on_for(self, more):
        """Until so many more have been answered."""
        until = self.answered + more
        wait_until("the creations go on", lambda: self.answered >= until, 120)
        assert not self.wrong, self.wrong[:3]


def patch(kube, kind, name, change, *where):
    kube.kubectl("patch", kind, name, *where, "--type=merge", "-p", json.dumps(change))


def data(kube):
    return decoded(kube.get(*SECRET))


def write(kube, **changed):
    patch(kube, *SECRET[:2], {"data": encoded({key.replace("_", "."): text for key, text in changed.items()})}, "-n", SECRET[2])


def bundles(kube):
    return {hook["clientConfig"]["caBundle"] for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
            for found in kube.list(kind) for hook in found["webhooks"]}


def published(kube, authority):
    return bundles(kube) == {base64_of(authority)}


@pytest.mark.slow
@pytest.mark.fault("F55", "F56", invariants="I1 I4 I8")
def test_no_creation_goes_without_its_sidecar_while_authority_and_certificate_change(bench, workload, ns, recovery, record_property, tmp_path):
    kube, admin = bench.kube, Administrator(bench.kube)
    workload.configure()
    path = f"/apis/apps/v1/namespaces/{ns}/deployments"
    made = objects.deployment(ns, workload.source, name="web")
    made["metadata"]["name"] = "web"
    kube.delete("deployment", "web", ns)  # so that a creation of this name is none of one that exists

    def look_now():
        """It looks once a minute, and first of all when it starts."""
        bench.controller.stop()
        bench.restart("controller")
    names = names_in(data(kube)["tls.crt"])
    aged = Authority(tmp_path / "aged", names, made_ago=timedelta(days=300), life=timedelta(days=365))
    certificate, key = aged.leaf(made_ago=timedelta(days=1))
    bench.controller.stop()  # or it would make the successor before there is anybody to disturb
    write(kube, ca_crt=aged.certificate, ca_key=aged.key, tls_crt=certificate, tls_key=key)
    for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for found in kube.list(kind):
            for i, _ in enumerate(found["webhooks"]):
                found["webhooks"][i]["clientConfig"]["caBundle"] = base64_of(aged.certificate)
            patch(kube, kind, found["metadata"]["name"], {"webhooks": found["webhooks"]})
    wait_until("the aged pair serves", lambda: b'"name":"stash"' in admin.post(f"{path}?dryRun=All", made)[1], 60)

    with admin.makers() as pool, Load(pool, path, made) as load:
        load.go_on_for(100)
        recovery.fault_ended()
        bench.restart("controller")
        wait_until("it has a successor, and both are trusted", lambda: data(kube)["ca.crt"].count("BEGIN") == 2 and published(kube, data(kube)["ca.crt"]), 60)
        assert data(kube)["tls.crt"] == certificate, "nobody may trust the successor yet"
        load.go_on_for(100)

        # As if minutes had passed: of a successor of that age the certificate may be.
        successor = Authority(tmp_path / "successor", names, made_ago=PROPAGATED, life=timedelta(days=365))
        bench.controller.stop()
        write(kube, ca_crt=successor.certificate + aged.certificate, ca_key=successor.key)
        bench.restart("controller")
        wait_until("the successor has signed", lambda: data(kube)["tls.crt"] != certificate, 90)
        assert published(kube, data(kube)["ca.crt"])
        load.go_on_for(100)

        certificate, key = successor.leaf(made_ago=PROPAGATED)
        write(kube, tls_crt=certificate, tls_key=key)
        load.go_on_for(100)
        look_now()
        wait_until("the aged one is forgotten", lambda: data(kube)["ca.crt"].count("BEGIN") == 1 and published(kube, data(kube)["ca.crt"]), 90)
        load.go_on_for(200)
        recovery.recovered(within=600)
    record_property("creations", load.answered)
