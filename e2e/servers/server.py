"""What a test must know about a server."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Server:
    kind: str  # "s3"
    secret: dict[str, str]  # the storage Secret without RESTIC_PASSWORD
    backend: Callable[[str], dict]  # prefix -> spec.backend without storageSecretName
    wrong: dict[str, str] | None = None  # a Secret that the server refuses; None: it cannot be made to
    untrusted: dict[str, str] | None = None  # a Secret without the CA of the server; None: no TLS
    secrets: list[str] = field(default_factory=list)  # texts that may be seen nowhere
    enter: list[str] = field(default_factory=list)  # before a command that is to reach it
    hosts: str = ""  # /etc/hosts there, when it is not the machine's
