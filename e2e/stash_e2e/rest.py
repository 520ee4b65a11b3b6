"""Reading objects over HTTPS on a connection that stays: tests poll, and each kubectl would cost a tenth of a second of processor time."""
import base64
import json
import os
import tempfile
import threading
import urllib.parse

import urllib3
import yaml


class RequestFailed(Exception):
    """What the API server answered, or why there was no answer."""

    def __init__(self, path, status, text):
        super().__init__(f"GET {path}: {status or 'no answer'} {text}")
        self.status = status


def shown(item):
    """As kubectl shows it: without the book of who manages which field."""
    item["metadata"].pop("managedFields", None)
    return item


class Reader:
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
        self.resources = {}

    def json(self, path):
        try:
            # A connection that the server closed meanwhile is found out by using it: once more on a new one.
            reply = self.pool.request("GET", self.server + path, retries=urllib3.Retry(total=1, redirect=0, status=0, backoff_factor=0))
        except urllib3.exceptions.HTTPError as problem:
            raise RequestFailed(path, 0, str(problem)) from problem
        text = reply.data.decode(errors="replace")
        if reply.status != 200:
            raise RequestFailed(path, reply.status, text)
        return json.loads(text)

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
        prefix, plural, namespaced = self.resource(kind)
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
