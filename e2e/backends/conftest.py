"""Starts one server at a time, and hands the sidecar's driver tests a Repository and a storage Secret for it."""

import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from servers import azure, debian, gcs, rest, s3, swift  # noqa: E402

SERVERS = {
    "s3-tls": s3.versitygw,
    "s3-rclone": s3.rclone,
    "rest": rest.rclone,
    "rest-tls": lambda directory: rest.rclone(directory, tls=True),
    "gcs": gcs.fake_gcs,
    "azure": azure.azurite,
    "swift": swift.swift,
}
ONLY_IN = {"azure": ["0.14.0"]}  # Debian builds later versions without it
RESTICS = list(debian.RESTIC_SUITES)


def pytest_generate_tests(metafunc):
    if "server" not in metafunc.fixturenames:
        return
    pairs = [(name, version) for name in SERVERS for version in RESTICS if version in ONLY_IN.get(name, RESTICS)]
    everywhere = metafunc.definition.get_closest_marker("every_restic") is not None
    metafunc.parametrize(("server", "restic"), [
        pytest.param(name, version, id=f"{name}-restic-{version}", marks=[] if everywhere or version == RESTICS[0] else [pytest.mark.slow])
        for name, version in pairs], indirect=True, scope="session")


_running = {}  # the one server that is up: pytest would keep each until the end of the session


@pytest.fixture(scope="session", autouse=True)
def stop_the_last_server():
    yield
    _stop()


def _stop():
    for stack, _ in _running.values():
        stack.close()
    _running.clear()


@pytest.fixture(scope="session")
def server(request, tmp_path_factory):
    name = request.param
    if name not in _running:
        _stop()
        stack = contextlib.ExitStack()
        started = stack.enter_context(SERVERS[name](tmp_path_factory.mktemp(name)))
        _running[name] = (stack, started)
    return _running[name][1]


@pytest.fixture(scope="session")
def restic(request):
    return debian.restic(request.param)
