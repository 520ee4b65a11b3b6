"""The course of a soak: load and faults, quiet phases between, and the verdict."""
import contextlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stash_e2e import api_ring, metrics, objects
from stash_e2e.cluster_command import cluster
from stash_e2e.kube import CommandFailed, TimedOut, wait_until
from stash_faults import audit
from stash_faults.bench import Bench, before_api_server
from stash_faults.control_plane import ControlPlane

from . import end_state, growth
from .api import Api, Outage, Refused
from .fleet import KEPT, PASSWORD, YEARLY, Fleet
from .kubelet import OURS, Kubelet
from .strikes import Strikes, restics

NAME = os.environ.get("STASH_FAULTS_CLUSTER", "faults-soak")
OPERATOR, WEBHOOK = "system:serviceaccount:stash:stash-operator", "system:serviceaccount:stash:stash-webhook"
REST_WITHIN = 120  # seconds from the end of the faults
AT_REST = 30  # seconds in which nobody may write
SAMPLES, BETWEEN = 6, 2.5
JUDGED_FROM = 20  # minutes: in a shorter soak, nothing lives long enough to say that it does not grow


class Course:
    def __init__(self, minutes, seed):
        self.minutes, self.seed = minutes, seed
        self.began = time.monotonic()
        self.verdicts = []  # (what, problems)
        self.rests = []  # seconds until all was at rest
        self.book = growth.Book()
        self.going, self.over = threading.Event(), threading.Event()
        self.load_turn, self.fault_turn = threading.Lock(), threading.Lock()
        self.broken = []

    def say(self, line):
        passed = time.monotonic() - self.began
        print(f"{int(passed // 60):3}:{int(passed % 60):02}  {line}", flush=True)

    def run(self):
        print(f"soak: {self.minutes:g} minutes, seed {self.seed}; STASH_SOAK_SEED={self.seed} SOAK_MINUTES={self.minutes:g} make soak repeats its choices",
              flush=True)
        home = Path(tempfile.mkdtemp(prefix="stash-soak-"))
        passed = False
        try:
            with contextlib.ExitStack() as stack:
                self._set_up(home, stack)
                self._load(stack)
                self._judge()
            passed = self._print_table()
            return 0 if passed else 1
        finally:
            if passed:
                shutil.rmtree(home, ignore_errors=True)
            else:
                print(f"logs and repositories: {home}", flush=True)

    def _set_up(self, home, stack):
        if not os.environ.get("STASH_E2E_KEEP"):
            stack.callback(api_ring.shut_down, NAME)
        api_ring.shut_down(NAME)  # leftovers of an earlier one would be judged, too
        cluster("api-up", NAME, "--controllers")
        kube = api_ring.boot(NAME)
        kube.kubectl("scale", "deployment", "--all", "-n", "stash", "--replicas=0")  # our processes play them
        self.api = Api(kube, home)
        proxies = {name: stack.enter_context(before_api_server(kube, home / f"{name}-proxy")) for name in ("controller", "webhook", "sidecar")}
        self.bench = Bench(kube, ControlPlane(kube), home, proxies)
        self.pushgateway = api_ring.start_pushgateway(home)
        stack.callback(self.pushgateway.stop)
        url = self.pushgateway.url
        self.bench.controller = api_ring.start_controller(self.bench.through("controller"), home, "--claim-timeout", "30s", pushgateway_url=url)
        stack.callback(lambda: self.bench.controller.stop())
        self.bench.webhook = api_ring.start_webhook(self.bench.through("webhook"), home, pushgateway_url=url)
        stack.callback(lambda: self.bench.webhook.stop())
        self.kubelet = Kubelet(self.api, proxies["sidecar"], home / "fleet", self.say)
        stack.callback(self.kubelet.stop)
        self.kubelet.start()
        self.fleet = Fleet(self.api, home / "fleet", self.seed)
        self.strikes = Strikes(self.bench, self.kubelet, KEPT, self.seed, self.say)
        self.fleet.make_kept()
        wait_until("the sidecars that stay run", lambda: len(self.kubelet.sidecars(KEPT)) == sum(w.real for w in self.fleet.workloads.values()), 120)
        self._come_to_rest("the fleet is set up", drained=True)
        self.say(f"{len(self.fleet.workloads)} workloads that stay, {len(self.kubelet.sidecars(KEPT))} of them with a sidecar that runs")

    # Load and faults.

    def _load(self, stack):
        stack.callback(self.over.set)
        self.load_began = time.time()
        threads = [threading.Thread(target=self._repeat, args=arguments, name=arguments[0]) for arguments in (
            ("load", self.load_turn, self.fleet.act, lambda: self.fleet.random.uniform(0.1, 0.8)),
            ("faults", self.fault_turn, self.strikes.strike, lambda: self.strikes.random.uniform(3, 9)))]
        threads.append(threading.Thread(target=self._tell, name="tell"))
        for thread in threads:
            thread.start()
        seconds = self.minutes * 60
        edge, living = seconds * 0.15, seconds * 0.7
        self.say("load and faults begin; for now controller, webhook and all sidecars are killed, too")
        self._go_on(edge)
        self.strikes.spare = True
        self._quiet_phase("the first part")
        self.say("from now on controller, webhook and the sidecars that stay live on under all other faults")
        until = time.monotonic() + living
        every = max(25.0, living / 9)
        while time.monotonic() + every / 2 < until:
            self._go_on(min(every, until - time.monotonic()))
            self._quiet_phase("a quiet phase")
        self.strikes.spare = False
        self.say("again everything is killed")
        self._go_on(edge)
        self._pause()
        self.over.set()
        for thread in threads:
            thread.join(120)

    def _repeat(self, name, turn, act, wait):
        while not self.over.is_set():
            if self.going.wait(0.5) and not self.over.is_set():
                try:
                    with turn:
                        if self.going.is_set():
                            act()
                except Exception:  # the soak's own mistake, or a bench that broke: it is told at the end
                    self.broken.append(f"{name}: {traceback.format_exc()[-1500:]}")
                    self.say(f"{name} failed: {self.broken[-1].splitlines()[-1]}")
                self.over.wait(wait())

    def _go_on(self, seconds):
        self.going.set()
        time.sleep(max(0.0, seconds))

    def _pause(self):
        """What is being done is done to its end."""
        self.going.clear()
        with self.load_turn, self.fault_turn:
            self.strikes.keep_running()

    def _tell(self):
        while not self.over.wait(20):
            done, programs = self.fleet.done, self._programs()
            memory = ", ".join(f"{name} {seen['rss'] / 1e6:.1f} MB" for name in ("controller", "webhook") if (seen := growth.sample(programs[name])))
            self.say(f"{len(self.fleet.workloads)} workloads ({done['create_workload']} made, {done['drop_workload']} and "
                     f"{done['delete_namespace']} namespaces deleted), {done['start_session'] + self.kubelet.jobs_run} sessions, "
                     f"{len(self.kubelet.sidecars())} sidecars; {sum(self.strikes.done.values())} faults, the last one {self.strikes.last}; {memory}; "
                     f"machine load {os.getloadavg()[0]:.0f}")

    # Quiet phases.

    def _quiet_phase(self, what):
        self._pause()
        self.fleet.pause_schedules(True)
        self.fleet.drain()
        self._come_to_rest(what, drained=True)
        time.sleep(5)
        programs = self._programs()
        self.book.begin_phase(programs)
        for _ in range(SAMPLES):
            self.book.look(programs)
            time.sleep(BETWEEN)
        self.say(f"quiet: {len(self.api.list('backupsessions'))} sessions; {self._sizes(programs)}")
        self.fleet.pause_schedules(False)

    def _programs(self):
        found = {"controller": self.bench.controller.pid, "webhook": self.bench.webhook.pid}
        for running in self.kubelet.sidecars(KEPT):
            found[f"sidecar of {running.name.rsplit('-', 2)[0]}"] = running.program.pid
        return found

    def _sizes(self, programs):
        parts = []
        for name, pid in sorted(programs.items()):
            if seen := growth.sample(pid):
                parts.append(f"{name} {seen['rss'] / 1e6:.2f} MB {seen['threads']} threads {seen['descriptors']} files")
        return "; ".join(parts)

    def _come_to_rest(self, what, drained=False):
        """I19. What is not at rest in time is told, and the soak goes on."""
        began = time.monotonic()
        seen = []

        def rests():
            try:
                found = end_state.gather(self.api, OURS)
            except (Outage, Refused):
                return False
            seen[:] = [problem for check in end_state.OF_OBJECTS.values() for problem in check(found)]
            if drained:
                seen.extend(f"namespace {name} is still there" for item in found["namespaces"] if (name := item["metadata"]["name"]) != KEPT)
            return not seen
        try:
            wait_until("all is at rest", rests, REST_WITHIN, every=2)
            self.rests.append(time.monotonic() - began)
        except TimedOut:
            self.broken.append(f"{what}: not at rest within {REST_WITHIN} s: {seen[:8]}")
            self.say(f"not at rest after {REST_WITHIN} s: {seen[:3]}")

    # The verdict.

    def _judge(self):
        self.say("load and faults are over")
        for configuration in self.api.list("backupconfigurations"):
            self.api.merge("backupconfigurations", configuration["metadata"]["namespace"], configuration["metadata"]["name"],
                           {"spec": {"schedule": YEARLY, "paused": False}})
        self._come_to_rest("the end")
        self._last_backups()
        found = self._settled()
        self.say(f"at rest; nobody may write for {AT_REST} s")
        rested = time.time()
        time.sleep(AT_REST)
        self.verdicts.append(("load and faults went on, all came to rest in time", self.broken))
        for what, check in end_state.OF_OBJECTS.items():
            self.verdicts.append((what, check(found)))
        self._judge_repositories(found)
        self.verdicts.append(("no program and no sidecar ended by itself", self.strikes.crashes + self.kubelet.ended_badly))
        stray = [f"restic {pid}" for pid, parent in restics() if parent == 1]
        self.verdicts.append(("no restic outlives its sidecar", stray))
        self._judge_calls(rested)
        self._judge_metrics(found)
        self._judge_growth()

    def _settled(self):
        """The objects, when they have been the same for a while."""
        def versions():
            return {(resource, item["metadata"]["uid"]): item["metadata"]["resourceVersion"]
                    for resource, items in end_state.gather(self.api, OURS).items() for item in items}
        with contextlib.suppress(AssertionError):
            api_ring.settled("the end", versions, same_for=8, seconds=60)
        return end_state.gather(self.api, OURS)

    def _last_backups(self):
        """After all that, every workload whose sidecar runs is backed up as ever."""
        asked, problems = [], []
        served = {(running.ns, running.name) for running in self.kubelet.sidecars()}
        pods = [pod for pod in self.api.list("pods") if (pod["metadata"]["namespace"], pod["metadata"]["name"]) in served]
        for workload in self.fleet.workloads.values():
            mine = [pod for pod in pods if pod["metadata"]["namespace"] == workload.ns and pod["metadata"]["labels"].get("app") == workload.name]
            if not (workload.exists and workload.real and mine):
                continue
            for number in workload.configurations:
                asked.append((workload.ns, f"{workload.name}-at-last-{number}"))
                self.api.create("backupsessions", workload.ns, objects.backup_session(workload.ns, asked[-1][1], workload.configuration(number)))
        self.say(f"{len(asked)} last backups")

        def ended():
            phases = {name: end_state.phase_of(self.api.get("backupsessions", *name) or {}) for name in asked}
            return phases if all(phase in objects.FINAL for phase in phases.values()) else None
        try:
            phases = wait_until("the last backups have ended", ended, 240, every=2)
            problems = [f"{'/'.join(name)} is {phase}: {self._why(name)}" for name, phase in phases.items() if phase != "Succeeded"]
        except TimedOut as late:
            problems = [str(late)]
        self.verdicts.append((f"the last backup of each of {len(asked)} configurations succeeds", problems))

    def _why(self, name):
        status = (self.api.get("backupsessions", *name) or {}).get("status", {})
        return [condition["message"] for condition in status.get("conditions", []) if condition["type"] == "Completed"]

    def _judge_repositories(self, found):
        locations = {(item["metadata"]["namespace"], item["metadata"]["name"]): Path(item["spec"]["backend"]["local"]["mountPath"])
                     for item in found["repositories"]}
        used = {(item["metadata"]["namespace"], item["metadata"]["name"]): item["spec"]["repository"]["name"] for item in found["backupconfigurations"]}
        made = sorted(directory for directory in self.fleet.repositories if (directory / "config").exists())
        with ThreadPoolExecutor(2) as pool:
            listed = dict(zip(made, pool.map(lambda directory: json.loads(self._restic(directory, "snapshots", "--json")[0] or "[]") or [], made)))
            checked = list(pool.map(lambda directory: self._restic(directory, "check", "--read-data"), made))

        def snapshots_of(session):
            ns = session["metadata"]["namespace"]
            directory = locations.get((ns, used.get((ns, session["spec"]["invoker"]["name"]))))
            return listed.get(directory) if directory in self.fleet.repositories else None
        succeeded = sum(end_state.phase_of(session) == "Succeeded" for session in found["backupsessions"])
        self.verdicts.append((f"{succeeded} sessions that succeeded have their snapshots, none has two", end_state.snapshots(found["backupsessions"], snapshots_of)))
        self.verdicts.append((f"restic check --read-data accepts {len(made)} repositories with {sum(map(len, listed.values()))} snapshots",
                              [f"{directory}: {error[-300:]}" for directory, (_, error) in zip(made, checked) if error]))
        kept = [directory for directory in made if directory.parent.parent.name == KEPT]
        self.verdicts.append(("no lock is left in a repository that is used", [str(lock) for directory in kept for lock in (directory / "locks").glob("*")]))

    @staticmethod
    def _restic(directory, *argv):
        """(output, error)"""
        done = subprocess.run(["restic", "--no-cache", "--no-lock", "-r", str(directory), *argv], text=True, capture_output=True, timeout=300,
                              env={"RESTIC_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"})
        return done.stdout, done.stderr if done.returncode else ""

    def _judge_calls(self, rested):
        calls = []
        for log in sorted(self.bench.control_plane.audit_log.parent.glob("audit*.log")):
            calls += audit.read(log)
        ours = [call for call in calls if call.user in (OPERATOR, WEBHOOK) or call.user.startswith(f"system:serviceaccount:{OURS}")]
        resting = [call for call in ours if call.at >= rested and call.at <= rested + AT_REST]
        self.verdicts.append((f"no write in {AT_REST} s of rest", [call.text for call in audit.writes(resting)]))
        busy = [f"{user}: {rate:.1f} a second" for user in {call.user for call in resting} if (rate := audit.busiest(audit.of(resting, user))) > 5]
        self.verdicts.append(("at most 5 calls a second of each at rest", busy))
        living = {item["metadata"]["name"] for item in self.api.list("namespaces")}
        # A namespace that is going forbids all creation; and the rights of a sidecar go with its configuration, maybe before it does.
        forbidden = [call.text for call in audit.forbidden(ours) if call.at >= self.load_began and not self.strikes.was_starting(call.at) and (
            (call.user in (OPERATOR, WEBHOOK) and (not call.ns or call.ns in living)) or call.user.startswith(f"system:serviceaccount:{KEPT}:"))]
        self.verdicts.append((f"nothing forbidden in {len(ours)} calls", forbidden))

    def _judge_metrics(self, found):
        text = metrics.scraped(self.pushgateway)
        told = {(ns.group(1), invoker.group(1)) for line in text.splitlines() if line.startswith("stash_")
                if (ns := re.search(r'namespace="([^"]*)"', line)) and (invoker := re.search(r'invoker="([^"]*)"', line))}
        living = {(item["metadata"]["namespace"], item["metadata"]["name"]) for resource in ("backupconfigurations", "restoresessions") for item in found[resource]}
        self.verdicts.append(("metrics at the Pushgateway are those of what exists", [f"{ns}/{name} is told and is gone" for ns, name in sorted(told - living)]))

    def _judge_growth(self):
        problems = []
        names = sorted({name for name, _ in self.book.lives}, key=lambda name: (name.startswith("sidecar"), name))
        print(f"\n{'process':44} {'phases':>6}  {'RSS, first':>11} {'last':>11} {'growth':>8}  {'threads':>9} {'files':>9}")
        for name in names:
            life = self.book.longest(name)
            found = [growth.growth(life, what) for what in growth.SLACK]
            if found[0] is None:
                print(f"{name:44} {len(life.phases):6}  lived through too few quiet phases")
                if self.minutes >= JUDGED_FROM:
                    problems.append(f"{name} lived through {len(life.phases)} quiet phases; {growth.FEWEST} are needed")
                continue
            rss, threads, files = found
            print(f"{name:44} {rss.phases:6}  {rss.first / 1e6:8.2f} MB {rss.last / 1e6:8.2f} MB {rss.ratio:+8.1%}  "
                  f"{threads.first:3g} → {threads.last:3g} {files.first:3g} → {files.last:3g}")
            problems += [f"{name}: {each.what} from {each.first:g} to {each.last:g}" for each in found if each.is_a_leak]
        judged = problems if self.minutes >= JUDGED_FROM else []
        self.verdicts.append((f"nothing grows by more than {growth.ALLOWED:.0%}" + ("" if self.minutes >= JUDGED_FROM else " (too short to judge)"), judged))

    def _print_table(self):
        done = self.fleet.done
        print(f"\nload: {dict(sorted(done.items()))}, {self.kubelet.jobs_run} pods of CronJobs, {self.kubelet.processes_started} containers started")
        print(f"refused: {dict(self.fleet.said)}")
        print(f"faults: {dict(sorted(self.strikes.done.items()))}")
        if self.rests:
            print(f"came to rest {len(self.rests)} times, at the latest after {max(self.rests):.0f} s")
        print()
        for what, problems in self.verdicts:
            print(f"{'FAILED' if problems else 'ok':7} {what}")
            for problem in problems[:6]:
                print(f"          {problem}")
            if len(problems) > 6:
                print(f"          and {len(problems) - 6} more")
        failed = sum(bool(problems) for _, problems in self.verdicts)
        print(f"\nseed {self.seed}: {len(self.verdicts) - failed} passed, {failed} failed", flush=True)
        return not failed


def main():
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it tells of every connection of the proxies that a fault broke
    minutes = float(os.environ.get("SOAK_MINUTES") or 30)
    seed = int(os.environ.get("STASH_SOAK_SEED") or int.from_bytes(os.urandom(2)))
    try:
        return Course(minutes, seed).run()
    except CommandFailed as failure:
        print(f"soak: {failure}", file=sys.stderr)
        return 1
