"""`kubectl stash` as a person runs it: by kubectl, which finds the plugin in PATH."""
import json
import os
import subprocess

from . import api_ring, paths


class Plugin:
    def __init__(self, kube, programs=None, kubectl_directory=None):
        self.kube = kube
        places = [str(kubectl_directory or paths.KUBECTL.parent), str(programs or api_ring.BIN), "/usr/bin", "/bin"]
        self.env = dict(kube.env, PATH=":".join(places), HOME=os.environ.get("HOME", "/root"))

    def run(self, *words, stdin=None, timeout=120):
        """The finished process, whatever its exit code."""
        return subprocess.run(["kubectl", "stash", *[str(word) for word in words]], env=self.env, input=stdin, text=True,
                              capture_output=True, timeout=timeout)

    def well(self, *words, **more):
        """What it printed; it must succeed."""
        done = self.run(*words, **more)
        assert done.returncode == 0, f"kubectl stash {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words):
        return json.loads(self.well(*words, "-o", "json"))

    def start(self, *words):
        return subprocess.Popen(["kubectl", "stash", *[str(word) for word in words]], env=self.env, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def without_defaults(found, foreseen):
    """What the API server stored, without the fields that it fills in itself: those that were not in what it was given."""
    if isinstance(found, dict) and isinstance(foreseen, dict):
        return {key: without_defaults(value, foreseen[key]) for key, value in found.items() if key in foreseen}
    if isinstance(found, list) and isinstance(foreseen, list) and len(found) == len(foreseen):
        return [without_defaults(*pair) for pair in zip(found, foreseen)]
    return found
