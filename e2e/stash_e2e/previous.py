"""What an earlier commit was: its chart and its programs, for tests of an upgrade."""
import io
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from . import paths

# Its CRDs and rights are others, and its flags are understood by the programs of today.
COMMIT = "3290469fdb2dfaca930864185a1d2ae124986e2a"
PROGRAMS = ("stash", "stash-controller", "stash-webhook")


def _files(*below):
    """A tar of that commit's tree; a clone without it skips the test."""
    done = subprocess.run(["git", "archive", COMMIT, *below], cwd=paths.ROOT, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"commit {COMMIT[:7]}, from which is upgraded, is not in this clone")
    return tarfile.open(fileobj=io.BytesIO(done.stdout))


def chart(directory):
    """Below `directory`."""
    with _files("charts/stash") as tar:
        tar.extractall(directory)
    return directory / "charts/stash"


def image(tag):
    """An archive with that commit's programs as the image `tag`. They are compiled once on a machine: a quarter of an hour."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stash" / "previous"
    archive = home / f"{COMMIT}.tar"
    if not archive.exists():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="stash-previous-") as tree, _files() as tar:
            tar.extractall(tree)
            for command in (["cmake", "--preset", "release"], ["cmake", "--build", "build/release", "--target", *PROGRAMS], ["image/build", "image.tar"]):
                done = subprocess.run(command, cwd=tree, capture_output=True, text=True, errors="replace")
                assert done.returncode == 0, f"{' '.join(command)}: {(done.stdout + done.stderr)[-3000:]}"
            retag(Path(tree) / "image.tar", archive.with_suffix(".new"), tag)
        archive.with_suffix(".new").rename(archive)
    return archive


def retag(archive, to, tag):
    """The same image under another tag."""
    with tarfile.open(archive) as old, tarfile.open(to, "w", format=tarfile.GNU_FORMAT) as new:
        for entry in old:
            content = old.extractfile(entry)
            if entry.name == "manifest.json":
                manifest = json.load(content)
                manifest[0]["RepoTags"] = [tag]
                text = json.dumps(manifest).encode()
                entry.size, content = len(text), io.BytesIO(text)
            new.addfile(entry, content)
