"""restic's REST protocol: `rclone serve restic`."""

import contextlib
import secrets
from pathlib import Path

from servers import certificate
from servers.built import go_program, ports
from servers.running import process
from servers.server import Server


@contextlib.contextmanager
def rclone(directory: Path, *, tls: bool = False, address: str = "127.0.0.1", append_only: bool = False):
    # Every character that means something in a URL.
    user, password = "us:er@" + secrets.token_hex(2), "p@ss/w%rd?#&+ " + secrets.token_hex(12)
    user = user.replace(":", "-")  # HTTP's basic authentication itself has no colon in a user's name
    port = ports.free(address)
    data = directory / "data"
    data.mkdir()
    options, authority = certificate.options(directory, address, tls)
    scheme = "https" if tls else "http"
    command = [go_program("rclone"), "--config", directory / "none", "serve", "restic", "--addr", f"{address}:{port}",
               *options, *(["--append-only"] if append_only else []), data]
    secret = {"REST_SERVER_USERNAME": user, "REST_SERVER_PASSWORD": password}
    trusted = secret | ({"CA_CERT_DATA": authority} if authority else {})
    with process("rclone-rest", command, directory, ready=(address, port),
                 env={"RCLONE_USER": user, "RCLONE_PASS": password}):
        yield Server("rest", trusted, lambda prefix: {"rest": {"url": f"{scheme}://{address}:{port}/{prefix}/"}},
                     wrong=trusted | {"REST_SERVER_PASSWORD": "canary-of-somebody-else"},
                     untrusted=secret if authority else None, secrets=[password])
