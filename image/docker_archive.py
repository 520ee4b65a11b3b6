"""Writes a directory as an image that `docker load` and `ctr images import` read (a docker-archive).

Same contents, same bytes: entries are sorted, belong to root and carry no time, so the digest changes only when the
image does.
"""

import hashlib
import io
import json
import os
import platform
import tarfile
from pathlib import Path

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
EPOCH = "1970-01-01T00:00:00Z"


def write(root: Path, tag: str, config: dict, archive: Path) -> str:
    """`config` is the image's: User, Entrypoint, Cmd, Env. Returns the image's digest. Replaces `archive` whole."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    layer = archive.with_name(f".{archive.name}.{os.getpid()}.layer")
    unfinished = archive.with_name(f".{archive.name}.{os.getpid()}.unfinished")
    try:
        _write_layer(root, layer)
        description = _json({
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": EPOCH,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest_of(layer)}"]},
            "history": [{"created": EPOCH, "created_by": f"files of {tag}"}],
        })
        digest = hashlib.sha256(description).hexdigest()
        manifest = [{"Config": f"{digest}.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
        with tarfile.open(unfinished, "w", format=tarfile.GNU_FORMAT) as tar:
            _add_bytes(tar, "manifest.json", _json(manifest))
            _add_bytes(tar, f"{digest}.json", description)
            entry = tarfile.TarInfo("layer.tar")
            entry.size = layer.stat().st_size
            entry.mode = 0o644
            with open(layer, "rb") as content:
                tar.addfile(entry, content)
        os.replace(unfinished, archive)
        return f"sha256:{digest}"
    finally:
        layer.unlink(missing_ok=True)
        unfinished.unlink(missing_ok=True)


def _write_layer(root: Path, layer: Path) -> None:
    with tarfile.open(layer, "w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            entry = tar.gettarinfo(path, arcname=str(path.relative_to(root)))
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = 0
            if entry.islnk():  # the same file twice in the directory: write it twice, its links are no content
                entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", path.stat().st_size
            if entry.isreg():
                with open(path, "rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o644
    tar.addfile(entry, io.BytesIO(content))


def _digest_of(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _json(value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
