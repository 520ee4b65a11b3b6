"""Certificates of any age, as the operator would have made them some time ago."""
import base64
import subprocess
from datetime import datetime, timedelta, timezone

from . import bench

CONFIG = """
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
"""
BACKDATED = timedelta(hours=1)  # as the operator does, because clocks differ


class Authority:
    """One CA in a directory of its own."""

    def __init__(self, directory, names, made_ago, life):
        directory.mkdir()
        self.directory = directory
        (directory / "openssl.cnf").write_text(CONFIG.format(names=",".join(f"DNS:{name}" for name in names)))
        (directory / "index.txt").touch()
        (directory / "serial").write_text("1000\n")
        self._sign("ca", f"/CN=test {directory.name}", "authority", made_ago, life, "-selfsign")
        self.certificate, self.key = self._read("ca.crt"), self._read("ca.key")

    def leaf(self, made_ago, life=timedelta(days=30)):
        """(certificate, key), PEM."""
        self._sign("leaf", "/CN=stash-webhook", "leaf", made_ago, life, "-cert", "ca.crt")
        return self._read("leaf.crt"), self._read("leaf.key")

    def _sign(self, name, subject, extensions, made_ago, life, *how):
        begin = datetime.now(timezone.utc) - made_ago
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout", f"{name}.key",
                      "-out", f"{name}.csr")
        self._openssl("ca", "-batch", "-config", "openssl.cnf", "-notext", "-in", f"{name}.csr", "-out", f"{name}.crt", "-keyfile", "ca.key",
                      "-extensions", extensions, "-startdate", f"{begin - BACKDATED:%Y%m%d%H%M%SZ}", "-enddate", f"{begin + life:%Y%m%d%H%M%SZ}", *how)

    def _openssl(self, *argv):
        done = subprocess.run(["openssl", *argv], cwd=self.directory, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr

    def _read(self, name):
        return (self.directory / name).read_text()


def names_in(certificate):
    """The DNS names of a certificate, PEM."""
    done = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=certificate, text=True, capture_output=True, check=True)
    return [word.strip().removeprefix("DNS:") for line in done.stdout.splitlines()[1:] for word in line.split(",") if word.strip()]


def encoded(data):
    return {key: bench.encoded(text) for key, text in data.items()}


def decoded(secret):
    return {key: base64.b64decode(text).decode() for key, text in secret["data"].items()}
