"""The few requests that bringing a cluster up needs, with the administrator's certificate."""

import http.client
import json
import ssl
import urllib.request
from pathlib import Path


class Api:
    def __init__(self, pki: Path, server: str):
        self._server = server
        context = ssl.create_default_context(cafile=pki / "ca.crt")
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        # Never through a proxy that the shell's environment names.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                                   urllib.request.HTTPSHandler(context=context))

    def text(self, path: str, body: dict | None = None) -> str | None:
        """GET, or POST when there is a body. None: no answer, or one that says no (also: already exists)."""
        request = urllib.request.Request(self._server + path, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with self._opener.open(request, timeout=5) as answer:
                return answer.read().decode()
        except (OSError, http.client.HTTPException):  # OSError: also urllib's, TLS' and time-outs
            return None

    def get(self, path: str) -> dict | None:
        text = self.text(path)
        return None if text is None else json.loads(text)

    def ready(self) -> bool:
        return self.text("/readyz") == "ok"
