"""A certificate authority for one test, and certificates of it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Certificate:
    certificate: Path
    key: Path
    authority: str  # PEM: what CA_CERT_DATA takes


def make(directory: Path, names: list[str]) -> Certificate:
    """`names` as in a subjectAltName: "IP:127.0.0.1", "DNS:host"."""
    authority, authority_key = directory / "ca.crt", directory / "ca.key"
    certificate, key, request = directory / "tls.crt", directory / "tls.key", directory / "tls.csr"
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=test authority", "-keyout", authority_key, "-out", authority)
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test server",
             "-keyout", key, "-out", request)
    extensions = directory / "extensions"
    extensions.write_text(f"subjectAltName={','.join(names)}\n")
    _openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-days", "2",
             "-extfile", extensions, "-out", certificate)
    return Certificate(certificate, key, authority.read_text())


def options(directory: Path, address: str, tls: bool) -> tuple[list, str | None]:
    """What the servers' command lines take for TLS, and the authority that clients must trust; nothing without TLS."""
    if not tls:
        return [], None
    made = make(directory, [f"IP:{address}"])
    return ["--cert", made.certificate, "--key", made.key], made.authority


def _openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
