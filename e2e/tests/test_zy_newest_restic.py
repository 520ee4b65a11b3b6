"""The main job with the newest restic in the image. Late in the order, for the image stays with it."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from servers import debian  # noqa: E402
from stash_e2e import installation, paths  # noqa: E402
from stash_e2e.main_job import MainJob, require  # noqa: E402

NEWEST = "0.19.1"


class WithNewestRestic(MainJob):
    def show_results(self):
        super().show_results()
        log = self.kube.kubectl("logs", "deployment/web", "-n", self.ns, "-c", "stash")
        require(f"restic {NEWEST}" in log, "the sidecar ran another restic:\n" + log)


@pytest.fixture
def newest_restic(kube, tmp_path):
    tar = tmp_path / "stash.tar"
    environment = dict(os.environ, RESTIC=str(debian.restic(NEWEST)))
    subprocess.run([paths.ROOT / "image" / "build", tar], check=True, env=environment, cwd=paths.ROOT)
    installation.load(kube, tar)


@pytest.mark.alone
@pytest.mark.slow  # e2e/backends drives this restic, too, though not in a pod
def test_the_main_job_works_with_the_newest_restic(kube, place, newest_restic):
    WithNewestRestic(kube, place.directory, print, ns=place.ns).run()
