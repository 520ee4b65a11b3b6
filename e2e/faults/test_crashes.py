"""A crash tells no secret (F80): neither in what the program and its children say at their end, nor in a core dump."""
import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from stash_e2e import api_ring, canaries
from stash_e2e.kube import wait_until
from stash_faults import actions, authority
from stash_faults.bench import PASSWORD

FATAL = [signal.SIGABRT, signal.SIGSEGV]


@pytest.fixture
def dumping(tmp_path, monkeypatch):
    """Runs programs in a directory where the kernel would leave their core dumps, and let them be of any size."""
    directory = tmp_path / "dumps"
    directory.mkdir()
    monkeypatch.chdir(directory)
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        crashed = subprocess.Popen(["sleep", "60"])
        crashed.send_signal(signal.SIGABRT)
        _, status = os.waitpid(crashed.pid, 0)
        crashed.returncode = 0
        if not os.WCOREDUMP(status):
            pytest.skip("this kernel dumps no core of any program")
        for dump in directory.iterdir():
            dump.unlink()
        yield directory
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def crash(program, fatal):
    os.kill(program.pid, fatal)
    assert program.process.wait(20) == -fatal, program.output()[-2000:]


def require_silence(words, *texts):
    spellings = canaries.spellings(words)
    for text in texts:
        assert not [word for word in spellings if word in text]


def require_no_dump(directory):
    """Whatever the pattern's name for it is: in this directory, or not at all."""
    assert [path.name for path in directory.iterdir()] == []


def token_of(program):
    kubeconfig = Path(program.argv[program.argv.index("--kubeconfig") + 1]).read_text()
    return kubeconfig.split('"token": "', 1)[1].split('"', 1)[0]


@pytest.mark.fault("F3", "F80", invariants="I6 I15")
@pytest.mark.parametrize("fatal", FATAL, ids=lambda fatal: fatal.name)
@pytest.mark.parametrize("who", ["sidecar", "restic"])
def test_a_sidecar_or_restic_that_crashes_with_all_secrets_in_its_hands_leaves_none(bench, remote, dumping, who, fatal):
    remote.configure()
    sidecar = remote.pod("web-1")
    crashed = []

    def hit():
        crashed.append(remote.restic_pid("backup"))
        os.kill(crashed[0] if who == "restic" else sidecar.pid, fatal)
    with remote.proxy.rule("POST", "/data/", actions.calling(hit), times=1):
        remote.session("by-hand")
        wait_until("it has crashed", lambda: crashed, 60)
        if who == "sidecar":
            assert sidecar.process.wait(20) == -fatal, sidecar.output()[-2000:]
            remote.restart_sidecar()
        session = remote.finished("by-hand", 180)
    words = [PASSWORD, token_of(sidecar), *remote.server.secrets]
    told = bench.kube.kubectl("get", "backupsessions,repositories,events", "-n", remote.ns, "-o", "json")
    require_silence(words, told, *(program.output() for program in (*remote.programs, bench.controller)))
    require_no_dump(dumping)
    if who == "restic":
        assert session["status"]["phase"] == "Failed" and session["status"]["stats"][0]["error"], session["status"]
    else:
        remote.require_one_snapshot()


@pytest.mark.fault("F1", "F2", "F80", invariants="I15")
@pytest.mark.parametrize("fatal", FATAL, ids=lambda fatal: fatal.name)
@pytest.mark.parametrize("name", ["controller", "webhook"])
def test_a_controller_or_webhook_that_crashes_leaves_no_key_and_no_token(bench, workload, dumping, name, fatal):
    program = getattr(bench, name)
    program.stop()
    program.start()
    try:
        wait_until("it is ready", lambda: api_ring.answers(f"http://127.0.0.1:{program.health}/readyz"), 60)
        workload.configure()  # both have used what they know
        began = len(program.output())
        crash(program, fatal)
        keys = authority.decoded(bench.kube.get("secret", "stash-webhook-cert", "stash"))
        require_silence([token_of(program), *(keys[name].splitlines()[1] for name in ("tls.key", "ca.key"))], program.output())
        assert len(program.output()) >= began
        require_no_dump(dumping)
    finally:
        bench.restart(name)
