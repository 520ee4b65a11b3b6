"""Where things lie in the checkout."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
KUBECTL = BUILD / "tools" / "kubectl"
HELM = BUILD / "tools" / "helm"
IMAGE_TAR = BUILD / "images" / "stash-dev.tar"
CHART = ROOT / "charts" / "stash"
CLUSTER_COMMAND = ROOT / "e2e" / "cluster" / "cluster"

sys.path.insert(0, str(CLUSTER_COMMAND.parent))  # its package `node` is of use to tests too


def cluster_directory(name):
    return BUILD / "cluster" / name


def kubeconfig(name):
    return cluster_directory(name) / "kubeconfig"
