"""Objects over HTTPS on a connection that stays, for tests poll: a `kubectl get` costs a tenth of a second of processor time,
a `kubectl apply` three."""
import base64
import json
import os
import re
import tempfile
import threading
import urllib.parse

import urllib3
import yaml


class RequestFailed(Exception):
    """What the API server answered, or why there was no answer."""

    def __init__(self, path, status, text):
        super().__init__(f"{path}: {status or 'no answer'} {text}")
        self.status = status


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def shown(item):
    """As kubectl shows it: without the book of who manages which field."""
    item["metadata"].pop("managedFields", None)
    return item


class Client:
    """One API server, by the first context of a kubeconfig with a client certificate. May be used from several threads."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server = cluster["server"]
        with tempfile.TemporaryDirectory() as directory:
            def file_of(name, text):
                path = os.path.join(directory, name)
                with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
                    out.write(base64.b64decode(text))
                return path
            context = urllib3.util.ssl_.create_urllib3_context()
            context.load_verify_locations(file_of("ca", cluster["certificate-authority-data"]))
            context.load_cert_chain(file_of("cert", user["client-certificate-data"]), file_of("key", user["client-key-data"]))
        self.pool = urllib3.PoolManager(maxsize=8, ssl_context=context, retries=False, timeout=urllib3.Timeout(connect=5, read=30))
        self.lock = threading.Lock()
        self.resources, self.kinds = {}, {}

    def request(self, method, path, body=None):
        try:
            # A connection that the server closed meanwhile is found out by using it: once more on a new one.
            reply = self.pool.request(method, self.server + path, body=body, headers={"Content-Type": "application/json"} if body else {},
                                      retries=urllib3.Retry(total=1, redirect=0, status=0, backoff_factor=0))
        except urllib3.exceptions.HTTPError as problem:
            raise RequestFailed(path, 0, str(problem)) from problem
        text = reply.data.decode(errors="replace")
        if reply.status >= 300:
            raise RequestFailed(path, reply.status, text)
        return reply, text

    def json(self, path):
        return json.loads(self.request("GET", path)[1])

    def discover(self):
        """All names that kubectl takes for a resource, by what the server says that it has."""
        found = {}
        groups = [("", "/api/v1")]
        for group in self.json("/apis")["groups"]:
            preferred = group["preferredVersion"]
            for version in [preferred, *(v for v in group["versions"] if v != preferred)]:
                groups.append((group["name"], f"/apis/{version['groupVersion']}"))
        for group, prefix in groups:
            try:
                listed = self.json(prefix)["resources"]
            except RequestFailed:
                continue  # an API of which only the registration is there
            for resource in listed:
                if "/" in resource["name"] or "list" not in resource["verbs"]:
                    continue
                entry = (prefix, resource["name"], resource["namespaced"])
                self.kinds[(prefix, resource["kind"])] = entry
                for name in {resource["name"], resource.get("singularName") or resource["kind"].lower(), *resource.get("shortNames", [])}:
                    found.setdefault(name, entry)
                    found.setdefault(f"{name}.{group}", entry)
        return found

    def resource(self, kind):
        with self.lock:
            if kind.lower() not in self.resources:
                self.resources = self.discover()
            if kind.lower() not in self.resources:
                raise RequestFailed("/apis", 0, f"the server has no resource {kind}")
            return self.resources[kind.lower()]

    def path(self, kind, ns):
        return self.path_of(self.resource(kind), ns)

    @staticmethod
    def path_of(entry, ns):
        prefix, plural, namespaced = entry
        return f"{prefix}/namespaces/{ns or 'default'}/{plural}" if namespaced and ns != "*" else f"{prefix}/{plural}"

    def get(self, kind, name, ns=None):
        """The object, or None when there is none."""
        try:
            return shown(self.json(f"{self.path(kind, ns)}/{name}"))
        except RequestFailed as failure:
            if failure.status == 404:
                return None
            raise

    def list(self, kind, ns=None, selector=None):
        """Of all namespaces without `ns`."""
        query = f"?labelSelector={urllib.parse.quote(selector)}" if selector else ""
        answer = self.json(self.path(kind, ns or "*") + query)
        kind_of_list, version = answer["kind"].removesuffix("List"), answer["apiVersion"]
        return [shown({"apiVersion": version, "kind": kind_of_list, **item}) for item in answer["items"]]

    def entry_of(self, prefix, kind):
        with self.lock:
            if (prefix, kind) not in self.kinds:
                try:
                    self.resources = self.discover()
                except RequestFailed:
                    return None
            return self.kinds.get((prefix, kind))

    def create(self, manifest):
        """What `kubectl apply` does with an object that is not there; returns what it prints. None when there is one already, or
        something else is in the way that kubectl says better."""
        version, kind = manifest["apiVersion"], manifest["kind"]
        place = (f"/apis/{version}" if "/" in version else f"/api/{version}", kind)
        entry = self.entry_of(*place)
        if entry is None:
            return None
        metadata = manifest["metadata"] | ({"namespace": manifest["metadata"].get("namespace", "default")} if entry[2] else {})
        metadata["annotations"] = dict(metadata.get("annotations") or {})
        manifest = manifest | {"metadata": metadata}
        applied = json.dumps(manifest, sort_keys=True, separators=(",", ":")) + "\n"
        manifest = manifest | {"metadata": metadata | {"annotations": metadata["annotations"] | {LAST_APPLIED: applied}}}
        path = self.path_of(entry, metadata.get("namespace"))
        try:
            reply, _ = self.request("POST", f"{path}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict", json.dumps(manifest).encode())
        except RequestFailed:
            return None
        group = version.partition("/")[0] if "/" in version else ""
        singular = f"{kind.lower()}.{group}" if group else kind.lower()
        warnings = re.findall(r'299 \S+ "((?:[^"\\]|\\.)*)"', reply.headers.get("Warning", ""))
        told = [f"Warning: {text}" for text in (re.sub(r"\\(.)", r"\1", text) for text in warnings)]
        return "\n".join([*told, f"{singular}/{metadata['name']} created", ""])
