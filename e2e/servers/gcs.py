"""Google Cloud Storage: fake-gcs-server, under Google's names.

restic 0.14 knows no other address than storage.googleapis.com, so the server has a network and a hosts file of its own
in which it is that. A token is given by a small server of ours, which knows one key of one service account.
"""

import contextlib
import json
import secrets
import subprocess
import sys
from pathlib import Path

from servers import certificate
from servers.built import go_program
from servers.running import own_network, process, reached_at
from servers.server import Server

GOOGLE = ["storage.googleapis.com", "www.googleapis.com"]
TOKEN_PORT = 8090


@contextlib.contextmanager
def fake_gcs(directory: Path, *, address: str = ""):
    """At `address` of this machine too, if there is one: pods of the cluster find Google's names there."""
    made = certificate.make(directory, [f"DNS:{name}" for name in GOOGLE])
    hosts = "127.0.0.1 localhost " + " ".join(GOOGLE) + "\n"
    with own_network(directory, {"hosts": hosts}) as enter:
        command = [go_program("fake-gcs-server"), "-scheme", "https", "-host", "127.0.0.1", "-port", "443", "-backend",
                   "memory", "-public-host", GOOGLE[0], "-cert-location", made.certificate, "-private-key-location",
                   made.key]
        key_id = secrets.token_hex(20)
        tokens = [sys.executable, Path(__file__).with_name("google_tokens.py"), str(TOKEN_PORT), key_id]
        with process("fake-gcs-server", command, directory, ready=("127.0.0.1", 443), enter=enter), \
                process("google-tokens", tokens, directory, ready=("127.0.0.1", TOKEN_PORT), enter=enter), \
                contextlib.ExitStack() as outside:
            for port in (443, TOKEN_PORT) if address else ():
                outside.enter_context(reached_at(address, port, enter, directory))
            token_server = address or "127.0.0.1"
            private_key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True,
                                         check=True).stdout
            secret = {"GOOGLE_PROJECT_ID": "test", "CA_CERT_DATA": made.authority,
                      "GOOGLE_SERVICE_ACCOUNT_JSON_KEY": _account(key_id, private_key, token_server)}
            yield Server("gcs", secret,
                         lambda prefix: {"gcs": {"bucket": "stash-test", "prefix": prefix, "maxConnections": 3}},
                         wrong=secret | {"GOOGLE_SERVICE_ACCOUNT_JSON_KEY": _account(secrets.token_hex(20), private_key, token_server)},
                         untrusted={key: value for key, value in secret.items() if key != "CA_CERT_DATA"},
                         secrets=[private_key.splitlines()[3]], enter=enter, hosts=hosts)


def _account(key_id: str, private_key: str, token_server: str) -> str:
    return json.dumps({"type": "service_account", "project_id": "test", "private_key_id": key_id,
                       "private_key": private_key, "client_email": "stash@test.iam.gserviceaccount.com",
                       "token_uri": f"http://{token_server}:{TOKEN_PORT}/token"}, indent=2)
