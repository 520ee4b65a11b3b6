"""The servers that are built from source: Go modules pinned by go.mod and go.sum, npm packages by package-lock.json."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))

from node import ports, tools  # noqa: E402
from node.paths import CACHE  # noqa: E402
from node.say import Failure, say, tail  # noqa: E402

SERVER_CACHE = CACHE / "servers"


def _server(name: str, module: str, package: str, cold_seconds: int) -> tools.Tool:
    return tools.Tool(name, name, module, package, cold_seconds, HERE / "go")


GO_SERVERS = {server.name: server for server in [
    _server("versitygw", "github.com/versity/versitygw", "github.com/versity/versitygw/cmd/versitygw", 107),
    _server("rclone", "github.com/rclone/rclone", "github.com/rclone/rclone", 202),
    _server("fake-gcs-server", "github.com/fsouza/fake-gcs-server", "github.com/fsouza/fake-gcs-server", 72),
]}


def go_program(name: str) -> Path:
    """Built when it is missing; minutes then, milliseconds later."""
    tools.ensure_cached([GO_SERVERS[name]])
    return tools.cached(GO_SERVERS[name])


def node_script(package: str, script: str) -> Path:
    """A script of an npm package that HERE/npm/<package>/package-lock.json pins; installed when it is missing."""
    source = HERE / "npm" / package
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:12]
    target = SERVER_CACHE / f"{package}-{digest}"
    with locked(package):
        if not target.exists():
            if not shutil.which("npm"):
                raise Failure(f"{package} is installed with npm, which is not here; run `make deps`, or install npm")
            say(f"servers: installing {package} with npm, once; about half a minute")
            unfinished = emptied(target.with_name(f".{target.name}"))
            for name in ("package.json", "package-lock.json"):
                shutil.copy(source / name, unfinished / name)
            run_logged(package, ["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"],
                       cwd=unfinished)
            os.replace(unfinished, target)
    return target / "node_modules" / script


def locked(name: str):
    """Only one process at a time makes `name`; the file is unlocked when it is closed."""
    SERVER_CACHE.mkdir(parents=True, exist_ok=True)
    file = open(SERVER_CACHE / f"{name}.lock", "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def emptied(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def run_logged(name: str, command: list, **options) -> None:
    log = SERVER_CACHE / f"{name}.log"
    with open(log, "a") as output:
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise Failure(f"`{command[0]}` failed with exit code {done.returncode}. The end of {log}:\n{tail(log)}")
