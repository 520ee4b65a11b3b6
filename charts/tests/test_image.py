"""What image/assemble puts together, without building a program."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "image"))
import rootfs  # noqa: E402


def test_a_program_brings_its_libraries(tmp_path):
    rootfs.create(tmp_path)
    rootfs.add_file(tmp_path, Path("/usr/bin/nice"), "/usr/bin/nice", 0o111)
    assert list(tmp_path.rglob("libc.so.6")) and (tmp_path / "usr/bin/nice").stat().st_mode & 0o777 == 0o111


def test_a_program_for_another_processor_is_refused(tmp_path):
    """As the restic of an image that was pinned by the digest of one processor's."""
    foreign = bytearray(Path("/usr/bin/nice").read_bytes())
    foreign[18] ^= 0xFF
    (tmp_path / "restic").write_bytes(foreign)
    with pytest.raises(rootfs.Missing, match="restic is for another processor"):
        rootfs.add_file(tmp_path / "root", tmp_path / "restic", "/usr/bin/restic", 0o111)


def test_the_dockerfile_names_no_processor():
    text = (ROOT / "Dockerfile").read_text()
    for line in text.splitlines():
        if not line.startswith("#"):
            assert not [word for word in ("amd64", "arm64", "x86", "aarch64", "--platform") if word in line], line
