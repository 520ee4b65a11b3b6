"""Puts files, and programs with the shared libraries that they need, into a directory that becomes an image."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# As Debian lays it out; libraries are found under both names.
MERGED = ("bin", "lib", "lib64", "sbin")


class Missing(Exception):
    """Something that the image needs is not there; the text says what and where it should come from."""


def create(root: Path) -> None:
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).is_symlink():
            os.symlink(f"usr/{name}", root / name)


def add_directory(root: Path, destination: str, mode: int) -> None:
    target = _inside(root, destination)
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(mode)


def add_file(root: Path, source: Path, destination: str, mode: int, shipped: Path | None = None) -> None:
    """Copies what `source` is or points at; a dynamically linked program brings its libraries along.

    `shipped`: a library that the image has from elsewhere, in the place of the one of this machine with the same file name.
    """
    if not source.is_file():
        raise Missing(f"{source} is not there, and the image needs it at {destination}")
    target = _inside(root, destination)
    _copy(source, target, mode)
    if is_program(source):
        if machine_of(source) != machine_of(Path(sys.executable)):
            raise Missing(f"{source} is for another processor than this machine's ({os.uname().machine}); it would be shipped in "
                          f"an image that cannot run it. Is a digest that names the image of one processor in its --build-arg?")
        for library in libraries_of(source, shipped):
            if library != shipped:
                _copy(library, _inside(root, str(library)), 0o755)


def add_text(root: Path, text: str, destination: str, mode: int = 0o644) -> None:
    target = _inside(root, destination)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    target.chmod(mode)


def is_program(file: Path) -> bool:
    with open(file, "rb") as content:
        return content.read(4) == b"\x7fELF"


def machine_of(program: Path) -> bytes:
    """e_machine of an ELF file (elf(5)): which processor it is for."""
    with open(program, "rb") as content:
        return content.read(20)[18:20]


def libraries_of(program: Path, first: Path | None = None) -> list[Path]:
    """The loader and all libraries, also those of libraries, as this machine's loader resolves them; `first` before its own."""
    environment = os.environ | {"LC_ALL": "C"} | ({"LD_LIBRARY_PATH": str(first.parent)} if first else {})
    answer = subprocess.run(["ldd", program], capture_output=True, text=True, env=environment)
    if "not a dynamic executable" in answer.stdout + answer.stderr or "statically linked" in answer.stdout:
        return []
    absent = re.findall(r"^\s*(\S+) => not found", answer.stdout, re.MULTILINE)
    if absent or answer.returncode != 0:
        raise Missing(f"{program} needs {', '.join(absent) or 'libraries'} that this machine lacks: "
                      f"{answer.stderr.strip() or 'run `make deps`'}")
    other = re.findall(r"^.*: no version information available.*$|^.*: version `.*' not found.*$", answer.stdout + answer.stderr, re.MULTILINE)
    if other:
        raise Missing(f"{program} was linked with another library than it would find in the image: {'; '.join(other)}")
    return [Path(path) for path in re.findall(r"^\s*(?:\S+ => )?(/\S+) \(0x", answer.stdout, re.MULTILINE)]


def _inside(root: Path, destination: str) -> Path:
    """Below root, with the links of MERGED followed inside root."""
    parts = Path(destination).parts[1:]
    if not parts or not destination.startswith("/") or ".." in parts:
        raise Missing(f"'{destination}' is no absolute path inside an image")
    return root / "usr" / Path(*parts) if parts[0] in MERGED else root / Path(*parts)


def _copy(source: Path, target: Path, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)
