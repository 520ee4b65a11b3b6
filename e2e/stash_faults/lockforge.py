"""Writes lock files that restic believes: of any time, host, process and kind. restic's clock cannot be moved, its data can.

The format is that of restic's design document: the key file's scrypt parameters derive a key that opens the master key,
with which the lock is encrypted by AES-256-CTR and signed by Poly1305-AES.
"""
import base64
import datetime
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.poly1305 import Poly1305

IV_SIZE = MAC_SIZE = 16


@dataclass(frozen=True)
class Key:
    encrypt: bytes  # of AES-256
    mac_k: bytes  # of the AES-128 that makes a nonce into Poly1305's second half
    mac_r: bytes

    def seal(self, plain: bytes) -> bytes:
        iv = os.urandom(IV_SIZE)
        encryptor = Cipher(algorithms.AES(self.encrypt), modes.CTR(iv)).encryptor()
        cipher_text = encryptor.update(plain) + encryptor.finalize()
        return iv + cipher_text + Poly1305.generate_tag(self._one_time_key(iv), cipher_text)

    def open(self, sealed: bytes) -> bytes:
        iv, cipher_text, tag = sealed[:IV_SIZE], sealed[IV_SIZE:-MAC_SIZE], sealed[-MAC_SIZE:]
        Poly1305.verify_tag(self._one_time_key(iv), cipher_text, tag)
        decryptor = Cipher(algorithms.AES(self.encrypt), modes.CTR(iv)).decryptor()
        return decryptor.update(cipher_text) + decryptor.finalize()

    def _one_time_key(self, iv: bytes) -> bytes:
        encryptor = Cipher(algorithms.AES(self.mac_k), modes.ECB()).encryptor()
        return self.mac_r + encryptor.update(iv) + encryptor.finalize()


def master_key(repository: Path, password: str) -> Key:
    """Of the first key file that the password opens."""
    for path in sorted((repository / "keys").iterdir()):
        stored = json.loads(path.read_text())
        derived = Scrypt(salt=base64.b64decode(stored["salt"]), length=64, n=stored["N"], r=stored["r"], p=stored["p"])
        secret = derived.derive(password.encode())
        user = Key(secret[:32], secret[32:48], secret[48:])
        try:
            opened = json.loads(user.open(base64.b64decode(stored["data"])))
        except Exception:  # noqa: BLE001 - the library's InvalidSignature: another password's key
            continue
        return Key(*(base64.b64decode(text) for text in (opened["encrypt"], opened["mac"]["k"], opened["mac"]["r"])))
    raise ValueError(f"the password opens no key of {repository}")


def forge(repository: Path, password: str, *, hostname: str, age: datetime.timedelta = datetime.timedelta(), pid: int = 4711,
          username: str = "root", exclusive: bool = False) -> Path:
    """The lock file that a restic of that host and process would have made `age` ago; a negative age is the future."""
    made = datetime.datetime.now(datetime.timezone.utc) - age
    lock = {"time": made.isoformat(timespec="microseconds"), "exclusive": exclusive, "hostname": hostname, "username": username, "pid": pid}
    return _store(repository, master_key(repository, password).seal(json.dumps(lock).encode()))


def forge_unreadable(repository: Path) -> Path:
    """A lock file that is none: cut off while it was written, or of another key."""
    return _store(repository, os.urandom(120))


def _store(repository: Path, content: bytes) -> Path:
    path = repository / "locks" / hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    return path
