"""The chart as an earlier commit had it, for tests of an upgrade."""
import io
import subprocess
import tarfile

import pytest

from . import paths

# Its CRDs and rights are others, and its flags are understood by the programs of today.
COMMIT = "3290469fdb2dfaca930864185a1d2ae124986e2a"


def chart(directory):
    """Below `directory`; a clone without that commit skips the test."""
    done = subprocess.run(["git", "archive", COMMIT, "charts/stash"], cwd=paths.ROOT, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"commit {COMMIT[:7]}, whose chart is upgraded from, is not in this clone")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        tar.extractall(directory)
    return directory / "charts/stash"
