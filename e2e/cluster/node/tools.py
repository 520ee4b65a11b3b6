"""Builds the Kubernetes programs from their Go modules into a cache that outlives the tree.

Each directory of tools/ is a Go module of its own, because the requirements of the four clash in one. The version is
read from that module's go.mod, so it is stated once; e2e/servers/go has modules of the same kind. A cache directory is
named after the version and a digest of the module's files and the link flags: what is there was built from exactly
these and is never built again.
"""

import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from node.paths import CLUSTER_DIR, TOOL_CACHE, TOOL_LINKS
from node.say import Failure, say, tail

TOOLS_DIR = CLUSTER_DIR / "tools"
OLDEST_GO = (1, 21)  # the first that fetches the newer toolchain which go.mod asks for


@dataclass(frozen=True)
class Tool:
    name: str
    room: str  # the directory below tools/
    module: str  # whose version names the cache directory
    package: str
    cold_seconds: int  # measured on two cores with an empty Go cache; only shown
    modules: Path = TOOLS_DIR  # where `room` is

    @property
    def directory(self) -> Path:
        return self.modules / self.room


def _kubernetes(name: str, cold_seconds: int) -> Tool:
    return Tool(name, "kubernetes", "k8s.io/kubernetes", f"k8s.io/kubernetes/cmd/{name}", cold_seconds)


# In the order of building: what the API-server-only ring needs comes first.
TOOLS = [
    Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", 40),
    _kubernetes("kube-apiserver", 270),
    _kubernetes("kubectl", 40),
    _kubernetes("kube-controller-manager", 120),
    _kubernetes("kubelet", 20),
    _kubernetes("kube-proxy", 20),
    _kubernetes("kube-scheduler", 10),
    Tool("coredns", "coredns", "github.com/coredns/coredns", ".", 100),
    Tool("helm", "helm", "helm.sh/helm/v3", "helm.sh/helm/v3/cmd/helm", 70),
]
BY_NAME = {tool.name: tool for tool in TOOLS}


def version_of(tool: Tool) -> str:
    return _required_version(tool.directory / "go.mod", tool.module)


def _required_version(go_mod: Path, module: str) -> str:
    match = re.search(rf"^\s*(?:require\s+)?{re.escape(module)} (v\S+)", go_mod.read_text(), re.MULTILINE)
    if not match:
        raise Failure(f"{go_mod} does not require {module}; restore the file from git")
    return match.group(1)


def link_flags(tool: Tool) -> str:
    """Without these -X a program built from a module calls itself v0.0.0, and clients believe it."""
    version = version_of(tool)
    major, minor = version.lstrip("v").split(".")[:2]
    values = {}
    if tool.room == "kubernetes":
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
            values |= {f"{package}.gitVersion": version, f"{package}.gitMajor": major, f"{package}.gitMinor": minor}
    if tool.room == "helm":
        # Helm renders charts offline for the Kubernetes of its client-go: v0.35.1 there is Kubernetes 1.35.
        client_minor = _required_version(TOOLS_DIR / "helm" / "go.mod", "k8s.io/client-go").split(".")[1]
        values["helm.sh/helm/v3/internal/version.version"] = version
        for package in ("helm.sh/helm/v3/pkg/chartutil", "helm.sh/helm/v3/pkg/lint/rules"):
            values |= {f"{package}.k8sVersionMajor": "1", f"{package}.k8sVersionMinor": client_minor}
    return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in values.items())])


def cached(tool: Tool) -> Path:
    digest = hashlib.sha256()
    for part in [tool.directory / "go.mod", tool.directory / "go.sum", *sorted(tool.directory.glob("*.go"))]:
        digest.update(part.read_bytes())
    digest.update(link_flags(tool).encode())
    return TOOL_CACHE / f"{tool.room}-{version_of(tool)}-{digest.hexdigest()[:12]}" / tool.name


def ensure(names: list[str]) -> None:
    """Builds what is missing of `names`, then links all of them at build/tools/. Safe to call from several at once."""
    wanted = [BY_NAME[name] for name in names]
    ensure_cached(wanted)
    TOOL_LINKS.mkdir(parents=True, exist_ok=True)
    for tool in wanted:
        _link(TOOL_LINKS / tool.name, cached(tool))


def ensure_cached(wanted: list[Tool]) -> None:
    """The same without links, for tools of other directories too."""
    if any(not cached(tool).exists() for tool in wanted):
        TOOL_CACHE.mkdir(parents=True, exist_ok=True)
        with open(TOOL_CACHE / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"tools: another build is at work in {TOOL_CACHE}; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            _build_missing(wanted)


def _build_missing(wanted: list[Tool]) -> None:
    missing = [tool for tool in wanted if not cached(tool).exists()]  # again: the other builder may have made them
    if not missing:
        return
    go = find_go()
    minutes = max(1, round(sum(tool.cold_seconds for tool in missing) / 60))
    say(f"tools: building {len(missing)} from source with {go}, once; on two idle cores about {minutes} min")
    say(f"tools: they are kept in {TOOL_CACHE}")
    for number, tool in enumerate(missing, 1):
        _build(tool, go, f"[{number}/{len(missing)}]")


def _build(tool: Tool, go: Path, position: str) -> None:
    target = cached(tool)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{tool.name}.unfinished")
    log = TOOL_CACHE / f"{tool.name}.log"
    environment = {"GOGC": "400"} | os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "auto", "GOWORK": "off",
                                                  "GOFLAGS": "-buildvcs=false"}
    # The linker drops debug information anyway; not making it, and collecting garbage less often, is an eighth of the time.
    command = [str(go), "build", "-mod=readonly", "-trimpath", "-gcflags=all=-dwarf=false", f"-ldflags={link_flags(tool)}",
               "-o", str(unfinished)]
    title = f"tools: {position} {tool.name} {version_of(tool)}"
    say(f"{title}: building (cold: {tool.cold_seconds} s and more when the machine is busy)")
    started = time.monotonic()
    with open(log, "w") as output:
        build = subprocess.Popen([*command, tool.package], cwd=tool.directory, env=environment,
                                 stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            while True:
                try:
                    build.wait(timeout=20)
                    break
                except subprocess.TimeoutExpired:
                    say(f"{title}: {time.monotonic() - started:.0f} s")
        finally:
            if build.poll() is None:
                build.terminate()
                build.wait()
    if build.returncode != 0:
        raise Failure(f"{title}: `go build` failed with exit code {build.returncode}. The end of {log}:\n{tail(log)}\n"
                      "If a download was cut off, run the same command again: finished tools are kept.")
    os.replace(unfinished, target)
    say(f"{title}: done in {time.monotonic() - started:.0f} s")


def find_go() -> Path:
    """The Go to build with: the PATH's, else one that `make deps` installed beside it."""
    on_path = shutil.which("go")
    beside = sorted(glob.glob("/usr/lib/go-1.*/bin/go"), key=go_version, reverse=True)
    for candidate in [on_path, *beside]:
        if candidate and go_version(candidate) >= OLDEST_GO:
            return Path(candidate)
    raise Failure(f"no Go {OLDEST_GO[0]}.{OLDEST_GO[1]} or newer on PATH or in /usr/lib/go-*; run `make deps`")


def go_version(go: str) -> tuple[int, int]:
    try:
        answer = subprocess.run([go, "version"], capture_output=True, text=True, cwd="/",
                                env=os.environ | {"GOTOOLCHAIN": "local"}).stdout
    except OSError:
        return (0, 0)
    match = re.search(r"go(\d+)\.(\d+)", answer)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and os.readlink(link) == str(target):
        return
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, link)
