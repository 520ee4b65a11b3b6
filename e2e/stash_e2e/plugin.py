"""`kubectl stash` as a person runs it: by kubectl, which finds the plugin in PATH."""
import json
import os
import pty
import select
import subprocess
import termios
import time

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

    def on_terminal(self, *words, **environment):
        return Terminal(["kubectl", "stash", *[str(word) for word in words]], dict(self.env, TERM="xterm", **environment))

    def start(self, *words):
        return subprocess.Popen(["kubectl", "stash", *[str(word) for word in words]], env=self.env, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Terminal:
    """A command that believes a person looks on: all its streams are a terminal of 200 columns."""

    def __init__(self, words, env):
        self.shown, (self.screen, terminal) = "", pty.openpty()
        termios.tcsetwinsize(terminal, (24, 200))
        self.process = subprocess.Popen(words, env=env, stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)

    def shows(self, wanted, timeout=60):
        """Waits until this text has been on the screen."""
        end = time.monotonic() + timeout
        while wanted not in self.shown:
            assert time.monotonic() < end and self._read(), f"{wanted!r} was not shown, but {self.shown!r}"

    def ends(self, timeout=120):
        """Waits for the end of the command; its exit code, and all that was shown."""
        end = time.monotonic() + timeout
        while self._read():
            assert time.monotonic() < end, f"it does not end; it has shown {self.shown!r}"
        return self.process.wait(10), self.shown

    def close(self):
        """Harmless after the end."""
        self.process.kill()
        self.process.wait()
        os.close(self.screen)

    def _read(self):
        """False when nobody has the terminal open any more, which the kernel tells as an error."""
        if not select.select([self.screen], [], [], 0.2)[0]:
            return True
        try:
            part = os.read(self.screen, 65536)
        except OSError:
            part = b""
        self.shown += part.decode(errors="replace")
        return part != b""


def without_defaults(found, foreseen):
    """What the API server stored, without the fields that it fills in itself: those that were not in what it was given."""
    if isinstance(found, dict) and isinstance(foreseen, dict):
        return {key: without_defaults(value, foreseen[key]) for key, value in found.items() if key in foreseen}
    if isinstance(found, list) and isinstance(foreseen, list) and len(found) == len(foreseen):
        return [without_defaults(*pair) for pair in zip(found, foreseen)]
    return found
