"""Writes packs, indexes and snapshots into a restic repository that no restic would write: the hand of an enemy who knows its
password. The format is that of restic's design document, in its uncompressed form, which every version reads.
"""
import datetime
import hashlib
import json
import struct
from pathlib import Path

from .lockforge import master_key

# Bits of Go's os.FileMode.
DIRECTORY, SYMLINK, DEVICE, SETUID, CHAR_DEVICE = 1 << 31, 1 << 27, 1 << 26, 1 << 23, 1 << 21
LONG_AGO = "2001-02-03T04:05:06Z"
_KINDS = {"data": 0, "tree": 1}


class Forger:
    """Nodes are dicts as in restic's trees; names and modes are taken as they are."""

    def __init__(self, repository: Path, password: str):
        self._repository, self._key = repository, master_key(repository, password)
        self._blobs = {}  # id: (kind, sealed)

    def file(self, name, content=b"planted", lost=False, **more):
        """`lost`: the repository has no such content."""
        blobs = [hashlib.sha256(content).hexdigest() if lost else self._blob("data", content)] if content else []
        return dict(self._node(name, "file", 0o644, size=len(content), content=blobs), **more)

    def directory(self, name, *nodes, **more):
        return self._node(name, "dir", DIRECTORY | 0o755, subtree=self.tree(*nodes), **more)

    def garbled(self, text):
        """A directory whose tree is that text."""
        return self._node("garbled", "dir", DIRECTORY | 0o755, subtree=self._blob("tree", text))

    def symlink(self, name, target, **more):
        return self._node(name, "symlink", SYMLINK | 0o777, linktarget=str(target), **more)

    def device(self, name, number, **more):
        return self._node(name, "dev", DEVICE | 0o666, device=number, **more)

    def tree(self, *nodes):
        return self._blob("tree", json.dumps({"nodes": list(nodes)}).encode() + b"\n")

    def below(self, path, *nodes):
        """The root tree with `nodes` in the directory of that absolute path."""
        *above, last = Path(path).parts[1:]
        node = self.directory(last, *nodes)
        for name in reversed(above):
            node = self.directory(name, node)
        return self.tree(node)

    def snapshot(self, tree, *paths, hostname="host-0", **more):
        """Writes all that was made. Returns the snapshot's id."""
        self._write_blobs()
        made = dict({"time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds"), "tree": tree,
                     "paths": [str(path) for path in paths], "hostname": hostname, "username": "root"}, **more)
        return self._store("snapshots", self._key.seal(json.dumps(made).encode()))

    def _node(self, name, kind, mode, **more):
        return dict({"name": name, "type": kind, "mode": mode, "mtime": LONG_AGO, "atime": LONG_AGO, "ctime": LONG_AGO, "uid": 0, "gid": 0,
                     "links": 1, "content": None}, **more)

    def _blob(self, kind, plain):
        blob = hashlib.sha256(plain).hexdigest()
        self._blobs[blob] = (kind, self._key.seal(plain))
        return blob

    def _write_blobs(self):
        pack, header, listed = b"", b"", []
        for blob, (kind, sealed) in self._blobs.items():
            listed.append({"id": blob, "type": kind, "offset": len(pack), "length": len(sealed)})
            header += struct.pack("<BI", _KINDS[kind], len(sealed)) + bytes.fromhex(blob)
            pack += sealed
        sealed = self._key.seal(header)
        name = self._store("data", pack + sealed + struct.pack("<I", len(sealed)))
        self._store("index", self._key.seal(json.dumps({"packs": [{"id": name, "blobs": listed}]}).encode()))
        self._blobs = {}

    def _store(self, part, content):
        name = hashlib.sha256(content).hexdigest()
        directory = self._repository / part / (name[:2] if part == "data" else "")
        directory.mkdir(exist_ok=True)
        (directory / name).write_bytes(content)
        return name
