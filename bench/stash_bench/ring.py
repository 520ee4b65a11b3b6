"""An API server of its own for each bench, so that nothing of another one is in its figures."""
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from stash_e2e import api_ring, objects, paths
from stash_e2e.kube import wait_until

CLUSTER = "bench"
CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
         "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}}
REGISTRATIONS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")


class Ring:
    def __init__(self, kube, directory):
        self.kube, self.directory = kube, directory

    def start_controller(self):
        return api_ring.start_controller(self.kube, self.directory)

    def api_server_pid(self):
        home = str(paths.cluster_directory(CLUSTER))
        for directory in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (directory / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if words[0].endswith("/kube-apiserver") and any(home in word for word in words):
                    return int(directory.name)
        raise RuntimeError("the API server of the bench is not to be found in /proc")

    def namespaces(self, *names):
        """Each with a Secret and a Repository on a volume, about whose author nothing need be asked."""
        self.kube.apply(*(objects.namespace(ns) for ns in names))
        self.kube.apply(*(made for ns in names for made in (
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": ns}}, objects.secret(ns),
            CLAIM | {"metadata": {"name": "backups", "namespace": ns}},
            objects.repository(ns, "/", source={"persistentVolumeClaim": {"claimName": "backups"}}))))


@contextlib.contextmanager
def booted(webhook):
    """`webhook` says whether one is going to run; without one, the API server is not to wait for it either."""
    directory = Path(tempfile.mkdtemp(prefix="stash-bench-"))
    try:
        kube = api_ring.boot(CLUSTER)
        ring = Ring(kube, directory)
        if webhook:
            # Only the controller makes certificates and publishes their authority.
            controller = ring.start_controller()
            try:
                wait_until("the CA is published", lambda: all(
                    hook["clientConfig"].get("caBundle") for kind in REGISTRATIONS for found in kube.list(kind) for hook in found["webhooks"]), 90)
            finally:
                controller.stop()
        else:
            for kind in REGISTRATIONS:
                for found in kube.list(kind):
                    kube.delete(kind, found["metadata"]["name"])
        yield ring
    finally:
        api_ring.shut_down(CLUSTER)
        shutil.rmtree(directory, ignore_errors=True)


def settle_disk():
    """What was written before must not be written out while the next is measured."""
    os.sync()
