"""Repositories whose password is cheap to check, for tests: each restic command derives a key from it for half a second.

As a program it makes the one that unit tests copy: python3 e2e/stash_e2e/quick_key.py unit/sidecar/quick_repository "correct horse"
Given a repository alone, it weakens that one, whose password is in RESTIC_PASSWORD.
"""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: E402
from stash_faults.lockforge import Key, master_key  # noqa: E402

CHEAP = {"N": 2, "r": 1, "p": 1}  # the least that restic takes


def weaken(repository: Path, password: str) -> None:
    """Puts a key for the same password in the place of all that are there. Nothing else may use the repository meanwhile."""
    master = master_key(repository, password)
    old = list((repository / "keys").iterdir())
    stored = json.loads(old[0].read_text())
    salt = os.urandom(64)
    secret = Scrypt(salt=salt, length=64, n=CHEAP["N"], r=CHEAP["r"], p=CHEAP["p"]).derive(password.encode())

    def text(part):
        return base64.b64encode(part).decode()
    plain = {"mac": {"k": text(master.mac_k), "r": text(master.mac_r)}, "encrypt": text(master.encrypt)}
    sealed = Key(secret[:32], secret[32:48], secret[48:]).seal(json.dumps(plain).encode())
    content = json.dumps(stored | CHEAP | {"salt": text(salt), "data": text(sealed)}).encode()
    (repository / "keys" / hashlib.sha256(content).hexdigest()).write_bytes(content)
    for path in old:
        path.unlink()


def main(target: Path, password: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory) / "repository"
        subprocess.run(["restic", "-r", made, "init"], env=os.environ | {"RESTIC_PASSWORD": password, "HOME": directory}, check=True)
        weaken(made, password)
        shutil.rmtree(target, ignore_errors=True)
        (target / "keys").mkdir(parents=True)
        for path in [made / "config", *(made / "keys").iterdir()]:
            shutil.copyfile(path, target / path.relative_to(made))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        weaken(Path(sys.argv[1]), os.environ["RESTIC_PASSWORD"])
    else:
        main(Path(sys.argv[1]), sys.argv[2])
