"""Another mutating webhook, as a mesh or an agent has one: it puts a container into every pod template, and touches those of others."""
import base64
import http.server
import json
import ssl
import threading
from pathlib import Path

from servers import certificate

NAME = "other"


class OtherInjector:
    """`name` decides about the order: the API server asks webhooks in the order of their configurations' names.

    It does what injectors do to each other: its container comes first, every container that it finds gets a variable, and what is
    there already it leaves.
    """

    def __init__(self, kube, name, ns, directory: Path):
        self.kube, self.name, self.ns, self.asked = kube, name, ns, 0
        self._made = certificate.make(directory, ["DNS:localhost", "IP:127.0.0.1"])

    def __enter__(self):
        other = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 - the library's name
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                other.asked += 1
                answer = json.dumps({**review, "request": None, "response": other.answer(review["request"])}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._made.certificate, self._made.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.kube.apply({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": {"name": self.name},
            "webhooks": [{"name": "other.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                          "reinvocationPolicy": "IfNeeded",
                          "clientConfig": {"url": f"https://127.0.0.1:{self._server.server_port}/", "caBundle": base64.b64encode(self._made.authority.encode()).decode()},
                          "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE", "UPDATE"]}],
                          "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.ns}}}]})
        return self

    def __exit__(self, *_):
        self.kube.delete("mutatingwebhookconfiguration", self.name)
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def answer(request):
        pod, patch = request["object"]["spec"]["template"]["spec"], []
        for i, container in enumerate(pod["containers"]):
            variable = {"name": "OTHER", "value": "was here"}
            if container["name"] == NAME or variable in container.get("env", []):
                continue
            patch.append({"op": "add", "path": f"/spec/template/spec/containers/{i}/env/-", "value": variable} if "env" in container
                         else {"op": "add", "path": f"/spec/template/spec/containers/{i}/env", "value": [variable]})
        if all(container["name"] != NAME for container in pod["containers"]):
            patch.append({"op": "add", "path": "/spec/template/spec/containers/0",
                          "value": {"name": NAME, "image": pod["containers"][0]["image"], "command": ["sleep", "infinity"]}})
        return {"uid": request["uid"], "allowed": True,
                **({"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()} if patch else {})}
