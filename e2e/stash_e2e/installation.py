"""A cluster with our image and chart in it: what `make cluster`, `make demo` and the end-to-end tests stand on."""
import hashlib
import os

from . import paths
from .cluster_command import cluster
from .kube import Kube

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace",
             "metadata": {"name": "stash", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
VALUES = paths.CHART / "ci" / "test-values.yaml"


def boot(name):
    """Boots the cluster, or finds it running. Prints what it does."""
    cluster("up", name)
    return Kube(name)


def shut_down(name):
    cluster("down", name)


def restart(name, *daemons):
    """Daemons of the node are killed, and start again."""
    cluster("restart", name, *daemons)


def power_cut(name):
    """The node goes off in the middle of everything, and on again."""
    cluster("power-cut", name)


def install(kube, say):
    """Loads the image and installs the chart, or upgrades it when something changed."""
    digest = hashlib.sha256(paths.IMAGE_TAR.read_bytes()).hexdigest()
    marker = paths.cluster_directory(kube.cluster) / "loaded-image"
    is_new = not marker.exists() or marker.read_text() != digest
    if is_new:
        say("loading the image into the cluster")
        cluster("load", kube.cluster, paths.IMAGE_TAR)
    say("installing the chart as release stash in namespace stash, which takes no pod but a restricted one")
    kube.apply(NAMESPACE)
    upgrade = kube.get("deployment", "stash-operator", "stash") is not None
    kube.helm("upgrade", "--install", "stash", paths.CHART, "-n", "stash", "--create-namespace", "-f", VALUES, "--wait", "--timeout", "3m")
    if is_new and upgrade:
        kube.kubectl("rollout", "restart", "deployment", "-n", "stash")
    for deployment in ("stash-operator", "stash-webhook"):
        kube.rollout(deployment, "stash")
    marker.write_text(digest)


def load(kube, image_tar):
    """Puts another image in the place of ours, and into the programs that run."""
    cluster("load", kube.cluster, image_tar)
    kube.kubectl("rollout", "restart", "deployment", "-n", "stash")
    for deployment in ("stash-operator", "stash-webhook"):
        kube.rollout(deployment, "stash")


def is_root():
    return os.geteuid() == 0
