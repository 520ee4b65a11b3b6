"""Where things lie in the checkout."""
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
KUBECTL = BUILD / "tools" / "kubectl"
HELM = BUILD / "tools" / "helm"
IMAGE_TAR = BUILD / "images" / "stash-dev.tar"
CHART = ROOT / "charts" / "stash"
CLUSTER_COMMAND = ROOT / "e2e" / "cluster" / "cluster"


def cluster_directory(name):
    return BUILD / "cluster" / name


def kubeconfig(name):
    return cluster_directory(name) / "kubeconfig"
