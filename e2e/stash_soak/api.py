"""The API server as the soak's administrator sees it: in this process, since a kubectl for each call would be most of the load."""
import base64
import http.client
import json
import ssl
import threading
import time
from urllib.parse import quote, urlsplit

GROUPS = {
    "/api/v1": ("namespaces", "nodes", "pods", "secrets", "serviceaccounts", "replicationcontrollers"),
    "/apis/apps/v1": ("deployments", "statefulsets", "daemonsets", "replicasets"),
    "/apis/batch/v1": ("cronjobs", "jobs"),
    "/apis/rbac.authorization.k8s.io/v1": ("roles", "rolebindings"),
    "/apis/coordination.k8s.io/v1": ("leases",),
    "/apis/stash.appscode.com/v1alpha1": ("repositories",),
    "/apis/stash.appscode.com/v1beta1": ("backupconfigurations", "backupsessions", "restoresessions"),
}
PREFIX = {resource: prefix for prefix, resources in GROUPS.items() for resource in resources}
MERGE = "application/merge-patch+json"


class Outage(Exception):
    """No answer."""


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text[:300]}")
        self.status, self.text = status, text


def path_of(resource, ns=None, name=None, more=""):
    parts = [PREFIX[resource]] + (["namespaces", ns] if ns else []) + [resource] + ([quote(name)] if name else [])
    return "/".join(parts) + more


class Api:
    def __init__(self, kube, directory):
        view = json.loads(kube.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        cluster, user = view["clusters"][0]["cluster"], view["users"][0]["user"]
        self.server = urlsplit(cluster["server"])
        for name in ("certificate", "key"):
            (directory / name).touch(mode=0o600)
            (directory / name).write_bytes(base64.b64decode(user[f"client-{name}-data"]))
        self._tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        self._tls.load_cert_chain(directory / "certificate", directory / "key")
        self._own = threading.local()

    def call(self, method, path, body=None, content="application/json"):
        """One try, and a second one when the connection was left over from an earlier call."""
        text = None if body is None else json.dumps(body)
        for fresh in (False, True):
            connection = None if fresh else getattr(self._own, "connection", None)
            used = connection is not None
            connection = connection or http.client.HTTPSConnection(self.server.hostname, self.server.port, context=self._tls, timeout=15)
            try:
                connection.request(method, path, text, {"Content-Type": content} if text else {})
                reply = connection.getresponse()
                data = reply.read()
                break
            except (OSError, http.client.HTTPException) as problem:
                connection.close()
                self._own.connection = None
                if not used:
                    raise Outage(f"{method} {path}: {problem!r}") from problem
        self._own.connection = connection
        if reply.status >= 400:
            raise Refused(reply.status, data.decode(errors="replace"))
        return json.loads(data)

    def patiently(self, method, path, body=None, content="application/json", seconds=150, ok=()):
        """Over outages. Answers in `ok` count as done; a webhook that is away answers 500."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.call(method, path, body, content)
            except Refused as refusal:
                if refusal.status in ok:
                    return None
                if refusal.status not in (429, 500, 503, 504) or time.monotonic() > deadline:
                    raise
            except Outage:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.5)

    def create(self, resource, ns, body, **more):
        return self.patiently("POST", path_of(resource, ns), body, ok=(409,), **more)

    def merge(self, resource, ns, name, body, subresource="", ok=(404,)):
        return self.patiently("PATCH", path_of(resource, ns, name, subresource), body, MERGE, ok=ok)

    def delete(self, resource, ns, name, ok=(404,)):
        return self.patiently("DELETE", path_of(resource, ns, name),
                              {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}, ok=ok)

    def get(self, resource, ns, name):
        return self.patiently("GET", path_of(resource, ns, name), ok=(404,))

    def list(self, resource, ns=None, seconds=150):
        return self.patiently("GET", path_of(resource, ns), seconds=seconds)["items"]

    def token(self, ns, account):
        made = self.call("POST", path_of("serviceaccounts", ns, account, "/token"),
                         {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}})
        return made["status"]["token"]
