"""A real kube-apiserver and etcd without a node, with the chart's objects in it and our programs as processes.

The programs authenticate with tokens of the chart's own ServiceAccounts, so a right that the chart forgot is a failure here.
"""
import functools
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from . import installation, objects, paths
from .cluster_command import cluster
from .kube import Kube, run, wait_until

from node import ports

# What the tests keep on "nodes"; where nothing runs, any path will do.
ALLOW_HOST_PATHS = [f"--allowed-host-path={path}" for path in (tempfile.gettempdir(), "/data")]
BIN = Path(os.environ.get("STASH_BIN", paths.BUILD / "release" / "bin"))


def boot(name):
    cluster("api-up", name)
    kube = Kube(name)
    kube.apply(objects.namespace("stash", opted_in=False))
    rendered = kube.helm("template", "stash", str(paths.CHART), "-n", "stash", "-f", str(installation.VALUES))
    run([paths.KUBECTL, "apply", "-n", "stash", "--server-side", "-f", "-"], stdin=rendered, env=kube.env)
    kube.wait_for_crds()
    return kube


def shut_down(name):
    cluster("down", name)


def token_kubeconfig(kube, ns, account, directory):
    """A kubeconfig file that is that ServiceAccount."""
    token = kube.kubectl("create", "token", account, "-n", ns, "--duration=2h").strip()
    view = json.loads(kube.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    view["users"][0]["user"] = {"token": token}
    path = directory / f"{ns}-{account}.kubeconfig"
    path.write_text(json.dumps(view))
    return path


@functools.cache
def shipped_libraries():
    """The directory of the image's libcurl; a minute when it is not built yet."""
    if os.environ.get("LIBCURL"):
        return os.path.dirname(os.path.abspath(os.environ["LIBCURL"]))
    done = subprocess.run([paths.ROOT / "image" / "libcurl"], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, "image/libcurl failed, see above"
    return os.path.dirname(done.stdout)


class Program:
    """One of our programs as a process, with the library that it has in the image; ended by PID, its output kept."""

    def __init__(self, argv, log, env=None):
        self.log = log
        self.argv = [str(a) for a in argv]
        self.env = {name: value for name, value in os.environ.items() if name in ("TSAN_OPTIONS", "MALLOC_CONF")}
        self.env.update({"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": shipped_libraries()} | (env or {}))
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.env,
                                            start_new_session=True)
        return self

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """kill -9 of the process and, as the kernel does for a container, of what it started."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def stop(self, seconds=30):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def output(self):
        return self.log.read_text(errors="replace")


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except OSError:
        return False


def start_pushgateway(directory):
    """A real Pushgateway, as runs beside the controller in its pod."""
    port = ports.free()
    program = Program(["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}"], directory / "pushgateway.log").start()
    program.url = f"http://127.0.0.1:{port}"
    wait_until("the Pushgateway is ready", lambda: answers(f"{program.url}/-/ready"), 30)
    return program


def start_controller(kube, directory, *more, pushgateway_url=""):
    health = ports.free()
    program = Program([BIN / "stash-controller", "--kubeconfig", token_kubeconfig(kube, "stash", "stash-operator", directory),
                       "--namespace", "stash", "--image", "localhost/stash:dev", "--pushgateway-url", pushgateway_url,
                       "--health-address", f"127.0.0.1:{health}", "--cert-secret", "stash-webhook-cert", *ALLOW_HOST_PATHS,
                       "--webhook-configuration", "stash-injector", "--validating-webhook-configuration", "stash-warnings", "--webhook-service", "stash-webhook", *more],
                      directory / "controller.log").start()
    wait_until("the controller is ready", lambda: answers(f"http://127.0.0.1:{health}/readyz"), 30)
    program.health = health
    return program


def start_webhook(kube, directory, pushgateway_url=""):
    """Starts the webhook as a process; there is no Service network here, so its Service becomes a name for localhost.

    `pushgateway_url` as the controller has it, who would otherwise miss it in what is injected.
    """
    port, health = ports.free(), ports.free()
    while health == port:
        health = ports.free()
    program = Program([BIN / "stash-webhook", "--kubeconfig", token_kubeconfig(kube, "stash", "stash-webhook", directory),
                       "--namespace", "stash", "--image", "localhost/stash:dev", "--pushgateway-url", pushgateway_url, "--listen", f"127.0.0.1:{port}",
                       "--health-address", f"127.0.0.1:{health}", "--cert-secret", "stash-webhook-cert", "--shutdown-delay", "0s",
                       "--operator-account", "system:serviceaccount:stash:stash-operator", *ALLOW_HOST_PATHS],
                      directory / "webhook.log").start()
    wait_until("the webhook is ready", lambda: answers(f"http://127.0.0.1:{health}/readyz"), 30)
    kube.delete("service", "stash-webhook", "stash")
    kube.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stash-webhook", "namespace": "stash"},
                "spec": {"type": "ExternalName", "externalName": "127.0.0.1"}})
    for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for found in kube.list(kind):
            patch = [{"op": "add", "path": f"/webhooks/{i}/clientConfig/service/port", "value": port} for i in range(len(found["webhooks"]))]
            kube.kubectl("patch", kind, found["metadata"]["name"], "--type=json", "-p", json.dumps(patch))
            wait_until("the CA is published", lambda: all(hook["clientConfig"].get("caBundle") for hook in
                                                          kube.get(kind, found["metadata"]["name"])["webhooks"]), 90)
    program.port, program.health = port, health
    return program


def settled(what, read, same_for=3.0, seconds=60):
    """The value that `read` keeps returning for `same_for` seconds."""
    deadline, since, last = time.monotonic() + seconds, time.monotonic(), read()
    while time.monotonic() - since < same_for:
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} does not settle; last seen {last}")
        time.sleep(0.1)
        now = read()
        if now != last:
            since, last = time.monotonic(), now
    return last
