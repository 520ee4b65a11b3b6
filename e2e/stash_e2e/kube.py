"""kubectl and helm against one cluster, and waiting on conditions."""
import json
import os
import subprocess
import time

from . import paths, rest


class CommandFailed(Exception):
    """A command's exit code, with what it printed."""


class TimedOut(Exception):
    """A condition that did not come true, with what was seen last."""


def run(argv, stdin=None, env=None, timeout=120):
    done = subprocess.run([str(a) for a in argv], input=stdin, env=env, timeout=timeout, text=True, capture_output=True)
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(str(a) for a in argv)}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait_until(what, probe, seconds=60, every=0.25):
    """Asks `probe` until it returns something true, and returns that. `what` completes "timed out waiting until ..."."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = probe()
            if last:
                return last
        except (CommandFailed, OSError) as failure:
            last = failure
        if time.monotonic() > deadline:
            raise TimedOut(f"timed out after {seconds} s waiting until {what}; last seen: {last}")
        time.sleep(every)


class Kube:
    """One cluster, seen through its kubeconfig."""

    def __init__(self, cluster):
        self.cluster = cluster
        # A fifth of a kubectl's processor time would be the collector's.
        self.env = dict({"GOGC": "400"}, **os.environ, KUBECONFIG=str(paths.kubeconfig(cluster)))
        self._client = None

    def kubectl(self, *argv, stdin=None, timeout=120):
        return run([paths.KUBECTL, *argv], stdin=stdin, env=self.env, timeout=timeout)

    def helm(self, *argv, timeout=300):
        return run([paths.HELM, *argv], env=self.env, timeout=timeout)

    @property
    def client(self):
        if self._client is None:
            self._client = rest.Client(paths.kubeconfig(self.cluster))
        return self._client

    def apply(self, *manifests):
        """Applies dicts, in their order; returns what kubectl prints, warnings included."""
        return "".join(self.client.create(manifest) or self.kubectl_apply(manifest) for manifest in manifests)

    def kubectl_apply(self, *manifests):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
        done = subprocess.run([str(paths.KUBECTL), "apply", "-f", "-"], input=text, env=self.env, text=True,
                              capture_output=True, timeout=60)
        if done.returncode != 0:
            raise CommandFailed(f"kubectl apply: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def _read(self, what, *argv):
        try:
            return getattr(self.client, what)(*argv)
        except rest.RequestFailed as failure:
            raise CommandFailed(str(failure)) from failure

    def get(self, kind, name, ns=None):
        """The object as `kubectl get -o json` shows it, or None when there is none."""
        return self._read("get", kind, name, ns)

    def list(self, kind, ns=None, selector=None):
        """Of all namespaces without `ns`."""
        return self._read("list", kind, ns, selector)

    def delete(self, kind, name, ns=None):
        self.kubectl("delete", kind, name, *(["-n", ns] if ns else []), "--wait=true", "--ignore-not-found")

    def refuses(self, manifest, sentence):
        """Whether the API server would refuse to make it, which can only be with that sentence. Nothing is made."""
        try:
            self.kubectl("create", "-f", "-", "--dry-run=server", stdin=json.dumps(manifest))
            return False
        except CommandFailed as failure:
            assert sentence in str(failure)
            return True

    def events(self, ns, about):
        """Messages of the events about an object of that name, as "type reason: message"."""
        return [f"{e['type']} {e['reason']}: {e['message']}" for e in self.list("events", ns)
                if e["involvedObject"]["name"] == about]

    def wait_for_event(self, ns, about, words, seconds=30):
        """An event is told after what it is about has been written, so whoever saw the one may have to wait for the other."""
        return wait_until(f"an event about {about} says '{words}'", lambda: [e for e in self.events(ns, about) if words in e], seconds)

    def condition(self, kind, name, ns, type_):
        """The condition of that type, or None."""
        found = self.get(kind, name, ns) or {}
        for condition in found.get("status", {}).get("conditions", []):
            if condition["type"] == type_:
                return condition
        return None

    def wait_for_phase(self, kind, name, ns, phases, seconds=90):
        def phase():
            found = self.get(kind, name, ns) or {}
            return found if found.get("status", {}).get("phase") in phases else None
        return wait_until(f"{kind} {ns}/{name} is {' or '.join(phases)}", phase, seconds)

    def rollout(self, deployment, ns, seconds=120):
        self.kubectl("rollout", "status", f"deployment/{deployment}", "-n", ns, f"--timeout={seconds}s", timeout=seconds + 10)

    def wait_for_crds(self, *names, seconds=60):
        """Until these can be used, or all that there are. (`kubectl wait` fails on one that has no status yet.)"""
        def established():
            found = {one["metadata"]["name"]: (one.get("status") or {}).get("conditions") or [] for one in self.list("crd")}
            return set(names) <= set(found) and all(
                any(condition["type"] == "Established" and condition["status"] == "True" for condition in conditions)
                for name, conditions in found.items() if not names or name in names) and list(names or found)
        # Only then the API server begins to serve them, and to tell of them.
        for name in wait_until(f"the CRDs {' '.join(names)} are established", established, seconds):
            wait_until(f"{name} can be listed", lambda: self.list(name) is not None, seconds)

    def raw(self, path):
        return self.kubectl("get", "--raw", path)

    def pushgateway_metrics(self):
        return self.raw("/api/v1/namespaces/stash/services/stash-operator:56789/proxy/metrics")

    def explain_failure(self, ns):
        """Everything a person would ask for first, as text."""
        asked = [
            ["get", "all,backupconfigurations,backupsessions,restoresessions,repositories", "-n", ns, "-o", "wide"],
            ["get", "backupconfigurations,backupsessions,restoresessions,repositories", "-n", ns, "-o", "yaml"],
            ["get", "deployments", "-n", ns, "-o", "yaml"],
            ["describe", "pods", "-n", ns],
            ["get", "events", "-n", ns, "--sort-by=.lastTimestamp"],
            ["logs", "-n", ns, "--all-containers", "--prefix", "--tail=60", "-l", "stash-test=yes"],
            ["get", "pods", "-n", "stash", "-o", "wide"],
            ["logs", "-n", "stash", "--all-containers", "--prefix", "--tail=80", "-l", "app.kubernetes.io/component=operator"],
            ["logs", "-n", "stash", "--all-containers", "--prefix", "--tail=40", "-l", "app.kubernetes.io/component=webhook"],
        ]
        parts = []
        for argv in asked:
            try:
                parts.append(f"$ kubectl {' '.join(argv)}\n{self.kubectl(*argv)}")
            except (CommandFailed, subprocess.TimeoutExpired) as failure:
                parts.append(f"$ kubectl {' '.join(argv)}\n{failure}")
        return "\n".join(parts)
