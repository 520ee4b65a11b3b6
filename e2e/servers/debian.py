"""Programs from Debian packages that are unpacked into the cache, not installed.

Each suite has an apt tree of its own there, on the mirror that this machine takes its release from. The machine's apt
state and its installed packages stay as they are.
"""

import os
import subprocess
from pathlib import Path

from servers.built import SERVER_CACHE, Failure, emptied, locked, run_logged, say

# Proven with these. azure is in 0.14.0 only: Debian builds later versions without it.
RESTIC_SUITES = {"0.14.0": "bookworm", "0.18.0": "trixie", "0.19.1": "sid"}
SWIFT_PACKAGES = ["swift-proxy", "swift-account", "swift-container", "swift-object", "memcached"]
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def restic(version: str) -> Path:
    """The restic program of that version."""
    target = SERVER_CACHE / f"restic-{version}"
    with locked(f"restic-{version}"):
        if not target.exists():
            suite = RESTIC_SUITES[version]
            say(f"servers: unpacking restic {version} of Debian {suite}, once")
            unfinished = emptied(target.with_name(f".{target.name}"))
            apt = _apt_tree(suite)
            run_logged(f"restic-{version}", [*apt, "download", f"restic/{suite}"], cwd=unfinished)
            _unpack(unfinished, unfinished)
            program = unfinished / "usr/bin/restic"
            found = subprocess.run([program, "version"], capture_output=True, text=True).stdout.split()[1]
            if found != version:
                raise Failure(f"Debian {suite} has restic {found} by now, and {version} is pinned in {__file__}; pin "
                              "the newer one, and run the tests of all backends with it")
            os.replace(unfinished, target)
    return target / "usr/bin/restic"


def swift_root() -> Path:
    """A directory with OpenStack Swift and what it needs beyond the packages that this machine has."""
    target = SERVER_CACHE / "swift-bookworm"
    with locked("swift-bookworm"):
        if not target.exists():
            say("servers: unpacking OpenStack Swift of Debian bookworm, once; about half a minute")
            unfinished = emptied(target.with_name(f".{target.name}"))
            apt = _apt_tree("bookworm")
            run_logged("swift", [*apt, "install", "--yes", "--download-only", "--no-install-recommends",
                                 "-o", f"Dir::Cache::archives={unfinished}", *SWIFT_PACKAGES])
            _unpack(unfinished, unfinished)
            os.replace(unfinished, target)
    return target


def _unpack(packages: Path, root: Path) -> None:
    for package in sorted(packages.glob("*.deb")):
        run_logged("unpack", ["dpkg", "-x", package, root])
        package.unlink()


def _apt_tree(suite: str) -> list:
    """apt-get with a state of its own that knows this suite alone, and which packages this machine has."""
    tree = SERVER_CACHE / f"apt-{suite}"
    for directory in ("state/lists/partial", "cache/archives/partial"):
        (tree / directory).mkdir(parents=True, exist_ok=True)
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    (tree / "sources.list").write_text(f"deb {signed}{_mirror()} {suite} main\n")
    nothing = tree / "nothing"
    nothing.mkdir(exist_ok=True)
    options = [f"Dir::Etc::SourceList={tree}/sources.list", f"Dir::Etc::SourceParts={nothing}",
               f"Dir::Etc::Preferences={nothing}/none", f"Dir::Etc::PreferencesParts={nothing}",
               f"Dir::State={tree}/state", "Dir::State::status=/var/lib/dpkg/status", f"Dir::Cache={tree}/cache",
               "Acquire::Languages=none", "Acquire::Retries=3", "APT::Sandbox::User=root"]
    apt = ["apt-get", "--quiet"]
    for option in options:
        apt += ["-o", option]
    with locked(f"apt-{suite}"):
        run_logged(f"apt-{suite}", [*apt, "update"])
    return apt


def _mirror() -> str:
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(COMPONENT)|$(REPO_URI)",
                              "Created-By: Packages"], capture_output=True, text=True).stdout
    for line in targets.splitlines():
        origin, component, uri = line.split("|")
        if origin == "Debian" and component == "main" and not uri.rstrip("/").endswith("-security"):
            return uri
    raise Failure("this machine has no Debian source, so there is no mirror to take other versions of restic from")
