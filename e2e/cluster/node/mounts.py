"""Mount points below a directory: find them, undo them, innermost first."""

import ctypes
import os
import re
from pathlib import Path

_MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def below(directory: Path) -> list[Path]:
    """Innermost and latest first. A point that was mounted over twice is there twice."""
    prefix = os.fspath(directory)
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), line.split(" ")[4])
        if point == prefix or point.startswith(prefix + "/"):
            found.append(Path(point))
    return list(reversed(found))


def bind(source: Path, target: Path) -> None:
    """Binds privately: what is mounted below `target` later does not show below `source`."""
    target.mkdir(parents=True, exist_ok=True)
    bind_flag, private_flag = 4096, 1 << 18
    for flags in (bind_flag, private_flag):
        if _libc.mount(os.fsencode(source), os.fsencode(target), None, flags, None) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"mounting {source} at {target}: {os.strerror(error)}")


def unmount(point: Path) -> bool:
    """At once if nothing uses it, else as soon as nothing does; False if it is not to be."""
    return _libc.umount2(os.fsencode(point), 0) == 0 or _libc.umount2(os.fsencode(point), _MNT_DETACH) == 0


def unmount_all_below(directory: Path) -> list[Path]:
    """Returns what is still mounted."""
    for _ in range(3):  # a mount may hide another one
        for point in below(directory):
            unmount(point)
        if not below(directory):
            break
    return below(directory)
