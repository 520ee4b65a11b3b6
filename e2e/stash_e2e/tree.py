"""A directory tree with everything a backup can trip over, and a fingerprint to compare it with its restored self."""
import hashlib
import os
import random
import stat
from pathlib import Path


def make_tree(root, files=300, seed=7):
    """Fills `root` with a few hundred files: text, binary, empty, sparse, links, odd names, modes and owners."""
    random_bytes = random.Random(seed)
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    for i in range(files):
        folder = root / f"folder-{i % 12:02}" / ("deep" if i % 5 == 0 else "")
        folder.mkdir(parents=True, exist_ok=True)
        if i % 3 == 0:
            (folder / f"binary-{i:03}.bin").write_bytes(random_bytes.randbytes(random_bytes.randrange(1, 20_000)))
        else:
            (folder / f"text-{i:03}.txt").write_text(f"line {i}\n" * (i + 1))
    (root / "empty").touch()
    (root / "empty folder").mkdir()
    with open(root / "sparse", "wb") as sparse:
        sparse.seek(8 << 20)
        sparse.write(b"end")
    (root / "link to a file").symlink_to("folder-01/text-001.txt")
    (root / "link to nowhere").symlink_to("/nowhere/at all")
    os.link(root / "folder-01" / "text-001.txt", root / "hard link")
    for name in (b"with space", "größe und ü.txt".encode(), b"new\nline", b"quote'\"$(x)`", b"-leading-dash", b"bad-utf8-\xff\xfe",
                 b"tab\tand*star?", b".hidden"):
        with open(os.path.join(os.fsencode(root), name), "wb") as odd:
            odd.write(name)
    script = root / "run.sh"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    for name, mode in (("secret.key", 0o600), ("nobody-reads-me", 0o000), ("sticky", 0o1644), ("set-group", 0o2755)):
        path = root / name
        path.write_text(name)
        os.chown(path, 1000 + mode % 7, 2000)
        path.chmod(mode)
    os.chown(root / "folder-02", 33, 33)
    (root / "folder-03").chmod(0o1777)
    for i, path in enumerate(sorted(root.rglob("*"), reverse=True)):
        os.utime(path, ns=(1_500_000_000_000_000_000 + i * 1_000_000_007, 1_400_000_000_000_000_000 + i * 1_000_000_009),
                 follow_symlinks=False)


def make_odd_files(root, levels=200):
    """What is no plain file, and what few tools copy: a pipe, a device, a deep path, hard links, attributes, set-user-ID."""
    root = Path(root)
    root.mkdir()
    os.mkfifo(root / "pipe", 0o640)
    os.mknod(root / "device", stat.S_IFCHR | 0o660, os.makedev(1, 3))
    deep = root
    for level in range(levels):
        deep /= f"level-{level:03}"
        deep.mkdir()
    (deep / "at the bottom").write_text("deep")
    (root / "one of three").write_bytes(b"hard linked")
    for name in ("two of three", "three of three"):
        os.link(root / "one of three", root / name)
    (root / "holes").touch()
    os.truncate(root / "holes", 1 << 30)
    (root / "set-user").write_text("#!/bin/sh\n")
    (root / "set-user").chmod(0o4755)
    (root / "labelled folder").mkdir()
    for name in ("labelled", "labelled folder"):
        (root / name).touch()
        os.setxattr(root / name, "user.stash-test", bytes(range(256)))
    os.setxattr(root / "labelled", "user.empty", b"")
    (root / ("long" * 63)).write_text("252 bytes")


def fingerprint(root):
    """{relative path: (type and mode, owner, group, mtime in ns, content or link target or device, extended attributes)}
    of everything below `root`."""
    found = {}
    root = os.fsencode(root)
    for folder, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as opened:
                    content = hashlib.sha256(opened.read()).hexdigest()
            else:
                content = status.st_rdev if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode) else ""
            attributes = {attribute: os.getxattr(path, attribute, follow_symlinks=False) for attribute in os.listxattr(path, follow_symlinks=False)}
            found[os.path.relpath(path, root)] = (oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns, content, attributes)
    return found


def destroy(root):
    """Removes everything below `root`, not `root` itself."""
    root = Path(root)
    for path in sorted(root.rglob("*"), key=lambda p: len(p.parts), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def differences(before, after, at_most=10):
    """Sentences about what differs, for a person."""
    said = []
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            said.append(f"{path!r}: was {before.get(path)}, is {after.get(path)}")
    return said[:at_most] + ([f"... and {len(said) - at_most} more"] if len(said) > at_most else [])
