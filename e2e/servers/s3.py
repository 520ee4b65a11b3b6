"""S3: versitygw and `rclone serve s3`."""

import contextlib
import secrets
from pathlib import Path

from servers import certificate
from servers.built import go_program, ports
from servers.running import process
from servers.server import Server


@contextlib.contextmanager
def versitygw(directory: Path, *, tls: bool = True, address: str = "127.0.0.1"):
    key_id, key = "AKID" + secrets.token_hex(6), "canary/s3+" + secrets.token_hex(12)
    port = ports.free(address)
    data = directory / "data"
    data.mkdir()
    options, authority = certificate.options(directory, address, tls)
    command = [go_program("versitygw"), "--port", f"{address}:{port}", *options, "posix", data]
    with process("versitygw", command, directory, ready=(address, port),
                 env={"ROOT_ACCESS_KEY": key_id, "ROOT_SECRET_KEY": key}):
        yield _server(f"{'https' if tls else 'http'}://{address}:{port}", key_id, key, authority)


@contextlib.contextmanager
def rclone(directory: Path, *, address: str = "127.0.0.1"):
    key_id, key = "AKID" + secrets.token_hex(6), "canarys3" + secrets.token_hex(12)
    port = ports.free(address)
    data = directory / "data"
    data.mkdir()
    command = [go_program("rclone"), "--config", directory / "none", "serve", "s3", "--addr", f"{address}:{port}",
               "--auth-key", f"{key_id},{key}", data]
    with process("rclone-s3", command, directory, ready=(address, port)):
        yield _server(f"http://{address}:{port}", key_id, key, None)


def _server(endpoint: str, key_id: str, key: str, authority: str | None) -> Server:
    secret = {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": key}
    trusted = secret | ({"CA_CERT_DATA": authority} if authority else {})

    def backend(prefix: str) -> dict:
        return {"s3": {"endpoint": endpoint, "bucket": "stash-test", "prefix": prefix}}

    return Server("s3", trusted, backend,
                  wrong=trusted | {"AWS_SECRET_ACCESS_KEY": "canary-of-somebody-else"},
                  untrusted=secret if authority else None, secrets=[key])
