"""The images that every cluster has, made from what is on the machine, once, and kept in the cache."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from node.paths import CLUSTER_DIR, IMAGE_CACHE, IMAGE_LINKS, ROOT
from node.say import Failure, say
from node.tools import BY_NAME, cached, version_of

sys.path.insert(0, str(ROOT / "image"))
import docker_archive  # noqa: E402
import rootfs  # noqa: E402

PAUSE = "localhost/stash-pause:1"
COREDNS = f"localhost/coredns:{version_of(BY_NAME['coredns'])}"
SAMPLE = "localhost/stash-sample:dev"
PUSHGATEWAY = "localhost/pushgateway:dev"

# Ends at once when asked to; a bare `sleep` as process 1 would sit out the grace period.
WAIT_FOREVER = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"
PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
GROUP = "root:x:0:\nnogroup:x:65534:\n"


def _pause(root: Path) -> dict:
    done = subprocess.run(["gcc", "-Os", "-static", "-o", root / "pause", CLUSTER_DIR / "files/pause.c"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"compiling files/pause.c failed: {done.stderr.strip()}; run `make deps`")
    return {"Entrypoint": ["/pause"], "User": "65534:65534"}


def _coredns(root: Path) -> dict:
    rootfs.add_file(root, cached(BY_NAME["coredns"]), "/coredns", 0o755)
    return {"Entrypoint": ["/coredns"]}


def _sample(root: Path) -> dict:
    """What a user's workload looks like: a shell and the usual commands."""
    rootfs.create(root)
    rootfs.add_file(root, Path("/bin/busybox"), "/bin/busybox", 0o755)
    if rootfs.libraries_of(Path("/bin/busybox")):
        raise Failure("/bin/busybox is not the static one; `apt-get install busybox-static` (it replaces busybox)")
    for applet in subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            os.symlink("busybox", root / "bin" / applet)
    _users(root)
    return {"Cmd": ["/bin/sh", "-c", WAIT_FOREVER], "Env": ["PATH=/usr/bin:/bin"]}


def _pushgateway(root: Path) -> dict:
    rootfs.create(root)
    rootfs.add_file(root, Path("/usr/bin/prometheus-pushgateway"), "/usr/bin/pushgateway", 0o755)
    _users(root)
    return {"Entrypoint": ["/usr/bin/pushgateway"], "User": "65534:65534"}


def _users(root: Path) -> None:
    rootfs.add_text(root, PASSWD, "/etc/passwd")
    rootfs.add_text(root, GROUP, "/etc/group")
    rootfs.add_directory(root, "/root", 0o700)
    rootfs.add_directory(root, "/tmp", 0o1777)


# Each with the files that it is made of: an image is made again when one of them changes, or this file.
RECIPES = {
    PAUSE: (_pause, [CLUSTER_DIR / "files/pause.c"]),
    COREDNS: (_coredns, [cached(BY_NAME["coredns"])]),
    SAMPLE: (_sample, [Path("/bin/busybox")]),
    PUSHGATEWAY: (_pushgateway, [Path("/usr/bin/prometheus-pushgateway")]),
}


def ensure() -> list[Path]:
    """Makes what is missing in the cache, links all at build/images/, and returns the archives."""
    IMAGE_CACHE.mkdir(parents=True, exist_ok=True)
    IMAGE_LINKS.mkdir(parents=True, exist_ok=True)
    archives = []
    for tag, (recipe, sources) in RECIPES.items():
        name = tag.removeprefix("localhost/").partition(":")[0]
        archive = IMAGE_CACHE / f"{name}-{_key(tag, sources)}.tar"
        if not archive.exists():
            say(f"images: making {tag}")
            with tempfile.TemporaryDirectory(prefix="stash-image-") as root:
                try:
                    config = recipe(Path(root))
                    docker_archive.write(Path(root), tag, config, archive)
                except rootfs.Missing as missing:
                    raise Failure(f"{tag}: {missing}; run `make deps` and e2e/cluster/build-tools") from missing
        link = IMAGE_LINKS / f"{name}.tar"
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.symlink_to(archive)
        os.replace(fresh, link)
        archives.append(archive)
    return archives


def _key(tag: str, sources: list[Path]) -> str:
    digest = hashlib.sha256(tag.encode())
    for file in (Path(__file__), ROOT / "image/rootfs.py", ROOT / "image/docker_archive.py"):
        digest.update(file.read_bytes())
    for source in sources:
        try:
            status = source.stat()
        except FileNotFoundError:
            raise Failure(f"{source} is not there, and {tag} is made of it; run `make deps`, e2e/cluster/build-tools")
        digest.update(f"{source}:{status.st_size}:{status.st_mtime_ns}".encode())
    return digest.hexdigest()[:12]
