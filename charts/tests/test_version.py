"""One version: of the programs, and of what the chart installs."""
import re
import subprocess

import pytest
import yaml
from crd_schema import ROOT

BIN = ROOT / "build" / "release" / "bin"


def project_version():
    return re.search(r"^project\(stash VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)


def test_the_chart_installs_the_version_of_the_project():
    assert yaml.safe_load((ROOT / "charts/stash/Chart.yaml").read_text())["appVersion"] == project_version()


@pytest.mark.parametrize("program", ["stash", "stash-webhook", "stash-controller", "kubectl-stash"])
def test_a_program_tells_its_version_and_nothing_else(program):
    told = subprocess.run([BIN / program, "--version"], capture_output=True, text=True)
    assert (told.returncode, told.stdout, told.stderr) == (0, project_version() + "\n", "")
