"""The main job: back up a real Deployment, lose its files, get them back, leave no trace.

Each step checks what it claims, so `make demo` cannot end well on a lie; the end-to-end test runs the same steps.
"""
import shutil
from pathlib import Path

from . import objects, tree
from .kube import wait_until

NAMESPACE = "demo"


class Broken(AssertionError):
    """A promise of the main job that did not hold."""


def require(holds, otherwise):
    if not holds:
        raise Broken(otherwise() if callable(otherwise) else otherwise)


def containers(workload, kind="containers"):
    return [c["name"] for c in workload["spec"]["template"]["spec"].get(kind, [])]


class MainJob:
    """The steps in order. `say` gets a heading or a line of output; `directory` is on the node's disk."""

    def __init__(self, kube, directory, say, ns=NAMESPACE, schedule="* * * * *"):
        self.kube, self.ns, self.say, self.schedule = kube, ns, say, schedule
        self.source = Path(directory) / "source"
        self.repository = Path(directory) / "repository"

    def run(self):
        self.prepare()
        self.deploy()
        self.configure_backup()
        self.wait_for_backup()
        self.show_results()
        self.destroy_files()
        self.restore()
        self.restart_after_restore()
        self.remove_stash()

    def show(self, *argv):
        self.say("$ kubectl " + " ".join(argv))
        for line in self.kube.kubectl(*argv).rstrip().splitlines():
            self.say("  " + line)

    def prepare(self):
        self.say("# 1. A namespace that opts in, a Secret with the repository's password, and files worth keeping")
        if self.kube.get("namespace", self.ns):
            self.kube.delete("namespace", self.ns)
        for directory in (self.source, self.repository):
            shutil.rmtree(directory, ignore_errors=True)
        tree.make_tree(self.source)
        self.before = tree.fingerprint(self.source)
        self.kube.apply(objects.namespace(self.ns))
        self.kube.apply(objects.secret(self.ns), objects.repository(self.ns, self.repository))
        self.say(f"  {len(self.before)} files and folders: text, binary, empty, sparse, links, odd names, modes and owners")

    def deploy(self):
        self.say("# 2. A Deployment as its author wrote it: one container")
        self.kube.apply(objects.deployment(self.ns, self.source))
        self.kube.rollout("web", self.ns)
        self.author = self.kube.get("deployment", "web", self.ns)
        self.show("get", "deployment", "web", "-n", self.ns, "-o", "wide")

    def configure_backup(self):
        self.say("# 3. A BackupConfiguration: the webhook injects the sidecar, the controller creates the CronJob")
        self.say("  " + self.kube.apply(objects.backup_configuration(self.ns, schedule=self.schedule)).strip())
        wait_until("the sidecar is in the Deployment", lambda: "stash" in containers(self.deployment()), 30)
        self.cron_job = wait_until("the CronJob exists", lambda: self.kube.list("cronjobs", self.ns), 30)[0]["metadata"]["name"]
        self.kube.rollout("web", self.ns)
        self.kube.kubectl("wait", "backupconfiguration/web-backup", "-n", self.ns, "--for=condition=Ready", "--timeout=60s")
        self.show("get", "deployment", "web", "-n", self.ns, "-o", "wide")
        self.show("get", "backupconfigurations,cronjobs", "-n", self.ns)

    def wait_for_backup(self):
        self.say("# 4. On its schedule (each minute) a BackupSession appears and goes Pending, Running, Succeeded")
        seen = []

        def finished():
            sessions = self.kube.list("backupsessions", self.ns)
            for session in sessions:
                phase = session.get("status", {}).get("phase", "")
                if phase and (session["metadata"]["name"], phase) not in seen:
                    seen.append((session["metadata"]["name"], phase))
                    self.say(f"  {session['metadata']['name']}  {phase}")
                if phase in ("Succeeded", "Failed"):
                    return session
            return None

        self.session = wait_until("a BackupSession has finished", finished, 150, every=0.05)
        require(self.session["status"]["phase"] == "Succeeded", lambda: f"the session failed: {self.session['status']}")
        self.kube.kubectl("patch", "backupconfiguration", "web-backup", "-n", self.ns, "--type=merge", "-p", '{"spec":{"paused":true}}')
        # One that began in the same minute must not find half of the files destroyed.
        wait_until("no session is at work", lambda: all(
            session.get("status", {}).get("phase") in ("Succeeded", "Failed", "Skipped")
            for session in self.kube.list("backupsessions", self.ns)), 90)
        self.show("get", "backupsessions", "-n", self.ns)

    def show_results(self):
        self.say("# 5. What Repository status and the metrics say")
        repository = wait_until("the Repository knows its snapshot",
                                lambda: self.repository_status().get("snapshotCount") and self.repository_status(), 30)
        require(repository.get("integrity") is True and repository.get("lastBackupTime") and repository.get("totalSize"),
                f"Repository status is incomplete: {repository}")
        self.show("get", "repository", "local-repository", "-n", self.ns)
        host = self.session["status"]["stats"][0]
        total = host["snapshots"][0]["fileStats"]["totalFiles"]
        require(total > 250, f"restic saw only {total} files")

        def metrics_of_the_host():
            lines = [line for line in self.kube.pushgateway_metrics().splitlines()
                     if line.startswith("stash_") and f'namespace="{self.ns}"' in line]
            succeeded = any(line.startswith("stash_backup_host_backup_success") and line.endswith(" 1") for line in lines)
            return lines if succeeded else None

        metrics = wait_until("the Pushgateway says that the host succeeded", metrics_of_the_host, 30)
        for line in metrics[:6]:
            self.say("  " + line)

    def destroy_files(self):
        self.say("# 6. Disaster: every file is gone")
        tree.destroy(self.source)
        require(tree.fingerprint(self.source) == {}, "the files are still there")

    def restore(self):
        self.say("# 7. A RestoreSession: the workload restarts with stash-init, which restores before the application starts")
        self.kube.apply(objects.restore_session(self.ns))
        wait_until("stash-init is in the Deployment", lambda: "stash-init" in containers(self.deployment(), "initContainers"), 30)
        self.restored = self.kube.wait_for_phase("restoresession", "web-restore", self.ns, ("Succeeded", "Failed"), 200)
        require(self.restored["status"]["phase"] == "Succeeded", lambda: f"the restore failed: {self.restored['status']}")
        self.kube.rollout("web", self.ns)
        self.show("get", "restoresession", "web-restore", "-n", self.ns)
        differing = tree.differences(self.before, tree.fingerprint(self.source))
        require(not differing, lambda: "the restored tree differs:\n" + "\n".join(differing))
        self.say(f"  all {len(self.before)} entries are back: same bytes, modes, owners and times")

    def restart_after_restore(self):
        self.say("# 8. The pod is deleted: its successor restores nothing a second time")
        (self.source / "written after the restore").write_text("must stay as it is")
        (self.source / "folder-01" / "text-001.txt").write_text("changed after the restore")
        after = tree.fingerprint(self.source)
        old = self.running_pod()
        self.kube.kubectl("delete", "pod", old, "-n", self.ns, "--wait=true")
        new = wait_until("another pod runs", lambda: self.running_pod(other_than=old), 120)
        log = self.kube.kubectl("logs", new, "-n", self.ns, "-c", "stash-init").strip()
        self.say("  stash-init: " + log.splitlines()[-1] if log else "  stash-init said nothing")
        require(not tree.differences(after, tree.fingerprint(self.source)), "files changed: something was restored a second time")
        again = self.kube.get("restoresession", "web-restore", self.ns)
        require(again["status"]["stats"] == self.restored["status"]["stats"], "the RestoreSession's status changed")

    def remove_stash(self):
        self.say("# 9. Without BackupConfiguration and RestoreSession, the Deployment is as its author wrote it")
        self.kube.delete("restoresession", "web-restore", self.ns)
        self.kube.delete("backupconfiguration", "web-backup", self.ns)
        wait_until("sidecar and init container are gone", lambda: not self.traces(), 60)
        wait_until("the CronJob is gone", lambda: not self.kube.list("cronjobs", self.ns), 60)
        self.kube.rollout("web", self.ns)
        self.show("get", "deployment", "web", "-n", self.ns, "-o", "wide")

    def deployment(self):
        return self.kube.get("deployment", "web", self.ns)

    def repository_status(self):
        return (self.kube.get("repository", "local-repository", self.ns) or {}).get("status", {})

    def running_pod(self, other_than=None):
        for pod in self.kube.list("pods", self.ns, "app=web"):
            name = pod["metadata"]["name"]
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))
            if name != other_than and ready and "deletionTimestamp" not in pod["metadata"]:
                return name
        return None

    def traces(self):
        """What of ours is still in the Deployment, compared with what its author wrote."""
        ours = lambda o: {k for k in o["metadata"].get("annotations", {}) if "stash.appscode.com" in k}
        live = self.deployment()
        found = list(ours(live))
        if live["spec"]["template"] != self.author["spec"]["template"]:
            found.append("the pod template differs")
        return found
