"""Looks for planted secrets wherever somebody may have written them down. Secrets themselves, and etcd, are where they belong."""
import base64
import json
import subprocess
import threading
import urllib.parse
from pathlib import Path

from . import paths

KINDS = ("repositories,backupconfigurations,backupblueprints,backupsessions,restoresessions,pods,deployments,replicasets,statefulsets,daemonsets,"
         "controllerrevisions,jobs,cronjobs,configmaps,events,roles,rolebindings,leases,serviceaccounts,"
         "mutatingwebhookconfigurations,validatingwebhookconfigurations")


def spellings(secrets):
    """As it is, in a URL, in JSON, and as Secrets have it."""
    found = set()
    for secret in secrets:
        found |= {secret, urllib.parse.quote(secret), urllib.parse.quote_plus(secret), json.dumps(secret)[1:-1],
                  base64.b64encode(secret.encode()).decode()}
    return sorted(found)


def logs_of(cluster):
    """Of the control plane, of kubelet and containerd, of every container of the node, and who asked the API server for what."""
    home = paths.cluster_directory(cluster)
    return [home / "logs", home / "data" / "pod-logs", *home.glob("audit*.log")]


def files_with(words, places):
    """grep's list, so that a log of any length is no matter."""
    done = subprocess.run(["grep", "-rlaF", *(part for word in words for part in ("-e", word)), *map(str, places)], text=True, capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def objects_of(kube):
    """Everything that is no Secret, as text by where it is."""
    found = {"objects": kube.kubectl("get", KINDS, "-A", "-o", "json", "--show-managed-fields")}
    found["the Pushgateway"] = kube.pushgateway_metrics()
    for pod in kube.list("pods", "stash"):
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]:
            name = pod["metadata"]["name"]
            found[f"metrics of {name}"] = kube.raw(f"/api/v1/namespaces/stash/pods/{name}:8081/proxy/metrics")
    return found


class CommandLines(threading.Thread):
    """What ps would show of every process of the machine, looked at again and again."""

    def __init__(self):
        super().__init__(name="command lines")
        self.seen, self._over = set(), threading.Event()

    def run(self):
        while not self._over.wait(0.01):
            for directory in Path("/proc").iterdir():
                if directory.name.isdigit():
                    try:
                        self.seen.add((directory / "cmdline").read_bytes())
                    except OSError:
                        pass  # it ended meanwhile

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def with_any(self, words):
        return [line.replace(b"\0", b" ").decode(errors="replace") for line in self.seen if any(word.encode() in line for word in words)]
