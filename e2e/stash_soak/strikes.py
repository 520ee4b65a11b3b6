"""Faults at random, of the kinds that the fault bench knows. The seed decides which, and how long each lasts."""
import os
import random
import signal
import time
from collections import Counter

from stash_faults import actions
from stash_faults.bench import stopped

# Nothing else interrupts a process that a verdict on leaks needs; see Strikes.spare.
ENDS_PROGRAMS = ("kill_controller", "kill_webhook", "replace_controller", "replace_webhook")


class Strikes:
    def __init__(self, bench, kubelet, kept_namespace, seed, say):
        self.bench, self.kubelet, self.kept, self.say = bench, kubelet, kept_namespace, say
        self.random = random.Random(f"{seed} faults")
        self.spare = False  # controller, webhook and the sidecars that stay live on
        self.done, self.last = Counter(), "none"
        self.crashes = []  # ends of controller and webhook that nobody asked for
        self.api_server_starts = []  # (from, to), in seconds since the epoch

    def strike(self):
        names = [name for name in FAULTS if not (self.spare and name in ENDS_PROGRAMS)]
        name = self.random.choice(names)
        seconds = self.random.uniform(0.3, 6)
        self.last = name
        if getattr(self, name)(seconds) is not False:
            self.done[name] += 1
        self.keep_running()

    def keep_running(self):
        """The kubelet's part for the programs of the chart."""
        for name in ("controller", "webhook"):
            program = getattr(self.bench, name)
            code = program.process.poll()
            if code is None:
                continue
            last = program.output()[-400:]
            if name == "controller" and code > 0 and "the lease was lost" in last:
                self.done["lease lost"] += 1
            else:
                self.crashes.append(f"{name} ended with {code}: {last}")
            self.bench.restart(name)

    def kill_controller(self, _):
        self.bench.controller.kill()
        self.bench.restart("controller")

    def kill_webhook(self, seconds):
        self.bench.webhook.kill()
        time.sleep(seconds)
        self.bench.restart("webhook")

    def replace_controller(self, _):
        self.bench.controller.stop()
        self.bench.restart("controller")

    def replace_webhook(self, _):
        self.bench.webhook.stop()
        self.bench.restart("webhook")

    def stall_controller(self, seconds):
        with stopped(self.bench.controller.pid):
            time.sleep(seconds)

    def stall_webhook(self, seconds):
        with stopped(self.bench.webhook.pid):
            time.sleep(seconds)

    def kill_sidecar(self, _):
        if not (chosen := self._sidecar()):
            return False
        self.kubelet.killed(chosen)
        return True

    def stall_sidecar(self, seconds):
        if not (chosen := self._sidecar(any_of_them=True)):
            return False
        try:
            with stopped(chosen.program.pid):
                time.sleep(seconds)
        except ProcessLookupError:
            return False
        return True

    def kill_restic(self, _):
        """kill -9 of restic alone, as the kernel does when memory is short."""
        ours = {running.program.pid for running in self.kubelet.sidecars()}
        found = [pid for pid, parent in restics() if parent in ours]
        if not found:
            return False
        try:
            os.kill(self.random.choice(found), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def stall_api_server(self, seconds):
        self.bench.control_plane.stall("kube-apiserver", seconds)

    def restart_api_server(self, _):
        began = time.time()
        self.bench.control_plane.restart("kube-apiserver")
        self.api_server_starts.append((began, time.time()))

    def was_starting(self, at):
        """An API server that is not ready does not know the roles yet, and forbids everything; a cluster leads nobody to it."""
        return any(began <= at <= ready for began, ready in self.api_server_starts)

    def stall_etcd(self, seconds):
        self.bench.control_plane.stall("etcd", seconds)

    def cut_connections(self, _):
        for proxy in self.bench.proxies.values():
            proxy.cut_all(reset=self.random.random() < 0.5)

    def refuse_watches(self, seconds):
        for proxy in self.bench.proxies.values():
            proxy.cut_all()
        with self.bench.rule("GET", "watch=true", actions.refuse()):
            time.sleep(seconds)

    def expire_watches(self, seconds):
        for proxy in self.bench.proxies.values():
            proxy.cut_all()
        with self.bench.rule("GET", "watch=true", actions.error_event(410)):
            time.sleep(min(seconds, 3))

    def spoil_calls(self, seconds):
        act = self.random.choice([actions.reply(500), actions.reply(503, [("Retry-After", "1")]), actions.reply(409, reason="Conflict"), actions.lose_reply(),
                                  actions.refuse(), actions.reply(429, [("Retry-After", "1")]), actions.reply(403, reason="Forbidden")])
        with self.bench.rule(self.random.choice(["PATCH", "GET", "POST", "*"]), r"^(?!.*/leases)", act):
            time.sleep(seconds)

    def slow_calls(self, seconds):
        with self.bench.rule("*", r"^(?!.*/leases)", actions.delay(0.5)):
            time.sleep(seconds)

    def _sidecar(self, any_of_them=False):
        found = [running for running in self.kubelet.sidecars() if any_of_them or not (self.spare and running.ns == self.kept)]
        return self.random.choice(found) if found else None


FAULTS = [name for name in vars(Strikes) if name.split("_")[0] in ("kill", "replace", "stall", "restart", "cut", "refuse", "expire", "spoil", "slow")]


def restics():
    """(pid, parent) of every restic that runs."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as stat:
                name, rest = stat.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name == "restic":
            yield int(entry), int(rest.split()[1])

