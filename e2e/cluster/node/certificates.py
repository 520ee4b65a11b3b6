"""The cluster's certificate authority, the certificates it signs, and the kubeconfigs made of them."""

import base64
import subprocess
from dataclasses import dataclass
from pathlib import Path

from node.say import Failure

DAYS = 365  # no throwaway cluster lives longer


@dataclass(frozen=True)
class Certificate:
    """`name` is the file's; the subject is what Kubernetes sees: common name = user, organisation = group."""

    name: str
    user: str
    group: str = ""
    alternative_names: tuple[str, ...] = ()  # "DNS:..." or "IP:..."; given for servers only


def make_authority(pki: Path) -> None:
    pki.mkdir(parents=True, exist_ok=True)
    pki.chmod(0o700)
    extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash"
    _request(pki, "ca", "/CN=stash-cluster-ca", extensions, signer=[])


def make_service_account_keys(pki: Path) -> None:
    """RSA, as every Kubernetes signs its tokens."""
    _openssl("genrsa", "-out", pki / "service-account.key", "2048")
    _openssl("rsa", "-in", pki / "service-account.key", "-pubout", "-out", pki / "service-account.pub")


def sign(pki: Path, certificate: Certificate) -> None:
    usage = "serverAuth,clientAuth" if certificate.alternative_names else "clientAuth"
    extensions = f"basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage={usage}"
    if certificate.alternative_names:
        extensions += f"\nsubjectAltName={','.join(certificate.alternative_names)}"
    subject = (f"/O={certificate.group}" if certificate.group else "") + f"/CN={certificate.user}"
    _request(pki, certificate.name, subject, extensions, signer=["-CA", pki / "ca.crt", "-CAkey", pki / "ca.key"])


def _request(pki: Path, name: str, subject: str, extensions: str, signer: list) -> None:
    """Key and certificate in one step, with a configuration of our own so that the machine's adds nothing."""
    config = pki / f"{name}.cnf"
    config.write_text("[req]\ndistinguished_name=subject\nx509_extensions=extensions\n[subject]\n"
                      f"[extensions]\n{extensions}\n")
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256",
             "-days", str(DAYS), "-subj", subject, "-config", config, "-keyout", pki / f"{name}.key",
             "-out", pki / f"{name}.crt", *signer)
    config.unlink()


def _openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"`openssl {arguments[0]}` failed: {done.stderr.strip()}")


def kubeconfig(pki: Path, name: str, server: str, cluster_name: str) -> str:
    """Holds the certificates themselves, so the file can be copied anywhere."""

    def encoded(file: str) -> str:
        return base64.b64encode((pki / file).read_bytes()).decode()

    return f"""apiVersion: v1
kind: Config
current-context: {cluster_name}
clusters:
- name: {cluster_name}
  cluster:
    server: {server}
    certificate-authority-data: {encoded("ca.crt")}
users:
- name: {name}
  user:
    client-certificate-data: {encoded(f"{name}.crt")}
    client-key-data: {encoded(f"{name}.key")}
contexts:
- name: {cluster_name}
  context:
    cluster: {cluster_name}
    user: {name}
"""
