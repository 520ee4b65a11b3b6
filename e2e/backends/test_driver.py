"""Every backend, on a real server, with every restic that Stash is proven with: the sidecar's own driver does the work.

The steps are in unit/sidecar/backend_real_test.cc; here are the servers, the Secrets, and a look at /proc meanwhile.
"""

import json
import os
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from servers import debian
from servers.running import own_network
from servers.server import Server

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(os.environ.get("STASH_BUILD_DIR", ROOT / "build" / "release")).resolve() / "bin" / "sidecar_test"
PASSWORD = "canary password/of the+repository\n"  # with its line break, which is part of it


@dataclass
class Pod:
    """What the sidecar sees of one Repository."""

    server: object
    restic: Path
    directory: Path
    prefix: str
    arguments: list = field(default_factory=list)  # command lines that were seen during the last run

    def run(self, case: str, *, secret=None, password=PASSWORD, enter=None) -> str:
        given = self.server.secret if secret is None else secret
        (self.directory / "secret").mkdir(exist_ok=True)
        for old in (self.directory / "secret").iterdir():
            old.unlink()
        for key, value in (given | {"RESTIC_PASSWORD": password}).items():
            (self.directory / "secret" / key).write_text(value)
        repository = {"apiVersion": "stash.appscode.com/v1alpha1", "kind": "Repository",
                      "metadata": {"name": "test", "namespace": "demo"},
                      "spec": {"backend": self.server.backend(self.prefix) | {"storageSecretName": "storage"}}}
        (self.directory / "repository.json").write_text(json.dumps(repository))
        environment = os.environ | {"STASH_TEST_RESTIC": str(self.restic), "STASH_TEST_BACKEND": str(self.directory)}
        child = subprocess.Popen([*(self.server.enter if enter is None else enter), str(DRIVER), f"backend: {case}".replace(",", "\\,")],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 env=environment)
        watch = ArgumentWatch(child.pid)
        try:
            output = child.communicate(timeout=300)[0]
        finally:
            child.kill()
            child.wait()
            arguments = watch.end()
        assert child.returncode == 0 and "No tests ran" not in output, output
        self.arguments = arguments
        self.look_for_secrets([output, *arguments], [given, password])
        return output

    def look_for_secrets(self, texts, known) -> None:
        secrets = [*self.server.secrets, PASSWORD.strip()]
        secrets += [text for text in ("canary-of-somebody-else",) if text in str(known)]
        for text in texts:
            for secret in secrets:
                assert secret not in text, f"a secret is shown: {text}"


class ArgumentWatch:
    """Collects the command lines of a process and its descendants as long as it runs."""

    def __init__(self, pid: int):
        self._pid, self._seen, self._ended = pid, set(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> list[str]:
        self._ended.set()
        self._thread.join()
        return sorted(self._seen)

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            self._look(self._pid)

    def _look(self, pid: int) -> None:
        try:
            self._seen.add(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return
        for child in children:
            self._look(int(child))


@pytest.fixture
def pod(server, restic, tmp_path, request):
    # As users write it: with a leading slash, and below a directory.
    return Pod(server, restic, tmp_path, f"{'/' if server.kind != 'rest' else ''}demo/{abs(hash(request.node.name))}")


@pytest.mark.every_restic
def test_a_repository_lives_there(pod):
    """init, two backups, lookup by tag, check, stats, forget with prune, restore; then with a wrong password."""
    steps = "init, two backups, tags, check, stats, forget with prune, restore"
    try:
        pod.run(steps)
    except AssertionError as failure:
        # Debian's Swift may end an answer without a body by a chunk "0", which a busy client meets where the next answer should
        # begin. restic tries most things again, but not the request by which it opens a container.
        if pod.server.kind != "swift" or 'malformed HTTP response "0"' not in str(failure):
            raise
        pod.prefix += "-again"
        pod.run(steps)
    assert any(str(pod.restic) in line for line in pod.arguments), "restic was never seen in /proc"
    pod.run("the repository's password is another one", password="another canary")


def test_a_missing_repository_is_missing_and_nothing_worse(pod):
    pod.run("there is no repository")


@pytest.mark.fault("F35", invariants="I5")
def test_refused_credentials_name_their_keys(pod):
    if pod.server.wrong is None:
        pytest.skip("this server, or this restic, takes every credential")
    pod.run("the server refuses the credentials", secret=pod.server.wrong)


@pytest.mark.fault("F33", invariants="I14")
def test_a_dead_server_is_no_missing_repository(pod, tmp_path):
    (tmp_path / "network").mkdir()
    with own_network(tmp_path / "network", {"hosts": pod.server.hosts} if pod.server.hosts else None) as enter:
        pod.run("nothing listens there", enter=enter)


@pytest.mark.fault("F34", invariants="I14")
def test_an_unknown_authority_names_the_key_for_it(pod):
    if pod.server.untrusted is None:
        pytest.skip("without TLS")
    pod.run("the server's authority is unknown", secret=pod.server.untrusted)


@pytest.mark.fault("F41", invariants="I14")
def test_a_restic_without_the_backend_says_so(tmp_path):
    """No server is needed, for restic does not get that far."""
    restic, server = debian.restic("0.18.0"), Server("azure", {"AZURE_ACCOUNT_NAME": "account", "AZURE_ACCOUNT_KEY": "a2V5"},
                                                     lambda prefix: {"azure": {"container": "backups", "prefix": prefix}})
    Pod(server, restic, tmp_path, "demo").run("restic was built without it")
