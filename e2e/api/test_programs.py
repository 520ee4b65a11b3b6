"""The three programs against a real API server, each with the rights that it has in a cluster and no others.

There is no kubelet here: a "pod" is a Pod object made by hand plus the sidecar as a process on this machine.
"""
import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from stash_e2e import api_ring, metrics, objects, pod_process, process, quick_restic
from stash_e2e.kube import CommandFailed, wait_until


def containers(kube, ns, name="web", kind="containers", workload="deployment"):
    return [c["name"] for c in kube.get(workload, name, ns)["spec"]["template"]["spec"].get(kind, [])]


class Workload:
    """A Deployment (or other kind) with Secret, Repository and BackupConfiguration, and sidecar processes that play its pods."""

    def __init__(self, kube, ns, directory, kind="Deployment"):
        self.kube, self.ns, self.directory, self.kind = kube, ns, directory, kind
        self.metrics = ["--metrics-enabled=false"]
        self.source, self.repository, self.secret = directory / "source", directory / "repository", directory / "secret"
        for path in (self.source, self.repository, self.secret):
            path.mkdir()
        (self.source / "data.txt").write_text("worth keeping\n")
        (self.secret / "RESTIC_PASSWORD").write_text("correct horse battery staple")
        self.programs, self.restic_path = [], quick_restic.path()
        kube.apply(objects.secret(ns), self.repository_object(), objects.workload(ns, kind, self.source))

    def repository_object(self):
        found = objects.repository(self.ns, self.repository)
        found["spec"]["backend"]["local"]["mountPath"] = str(self.repository)
        return found

    def configure(self, **spec):
        made = objects.backup_configuration(self.ns, schedule="0 0 1 1 *", mount_path=self.source, paths=[str(self.source)], **spec)
        self.kube.apply(objects.aimed_at(made, self.kind))
        wait_until("the sidecar is injected", lambda: "stash" in containers(self.kube, self.ns, workload=self.kind), 30)
        wait_until("the sidecar's rights exist", lambda: self.kube.get("rolebinding", f"stash-sidecar-{self.kind.lower()}-web", self.ns), 30)

    def pod(self, name, args=None):
        """A Pod object as the Deployment's controller would make it, and the sidecar in it."""
        made = self.pod_object(name)
        if args and args[0] == "restore":  # while a pod has it, its rights stay
            made["spec"]["initContainers"] = [{"name": "stash-init", "image": "localhost/stash:dev"}]
        self.kube.apply(made)
        made = self.kube.get("pod", name, self.ns)
        self.kube.kubectl("patch", "pod", name, "-n", self.ns, "--subresource=status", "--type=merge", "-p",
                          json.dumps({"status": {"phase": "Running"}}))
        return self.sidecar(made, args)

    def pod_object(self, name):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": self.ns, "labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": objects.SAMPLE_IMAGE}, {"name": "stash", "image": "localhost/stash:dev"}]}}

    def fill(self):
        """Enough to keep restic busy for a while: random bytes, since it would deduplicate and compress any other."""
        for i in range(60):
            (self.source / f"large-{i}").write_bytes(os.urandom(4_000_000))

    def wait_for_restic_to_write(self):
        """What a backup before this one has written does not count: in the first moment after it has made its lock, restic
        does not remove it when it is stopped."""
        def writes():
            locked = min((lock.stat().st_mtime for lock in (self.repository / "locks").glob("*")), default=float("inf"))
            return any(pack.stat().st_mtime > locked for pack in (self.repository / "data").glob("*/*"))
        wait_until("restic writes into the repository", writes, 90, every=0.02)

    def restic_pid(self, command=""):
        """Of the restic that a sidecar of this workload runs now, at that command if one is named, or None."""
        ours = {program.pid for program in self.programs}
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                with contextlib.suppress(OSError):
                    name, rest = (directory / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
                    if name == "restic" and int(rest.split()[1]) in ours and command in (directory / "cmdline").read_text().split("\0") + [""]:
                        return int(directory.name)
        return None

    def sidecar(self, pod, args=None):
        self.programs.append(self.sidecar_program(pod, args))
        return self.programs[-1].start()

    def sidecar_program(self, pod, args=None):
        kubeconfig = api_ring.token_kubeconfig(self.kube, self.ns, "default", self.directory)
        args = args or ["run-backup", "--backup-configuration=web-backup"]
        name = pod["metadata"]["name"]
        return api_ring.Program(
            # A pod's host name is its name; by it restic knows which locks are its own.
            ["unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "pod", api_ring.BIN / "stash", *args, f"--secret-dir={self.secret}", "--enable-cache=false", *self.metrics,
             f"--temp-dir={self.scratch_of(name)}", "--kubeconfig", kubeconfig],
            self.directory / f"{name}.log",
            env={"POD_NAME": name, "POD_UID": pod["metadata"]["uid"], "POD_NAMESPACE": self.ns, "NODE_NAME": "node-0",
                 "PATH": self.restic_path})

    def scratch_of(self, name):
        """In its pod, /tmp is a sidecar's own."""
        return self.directory / f"scratch-{self.ns}-{name}"

    def session(self, name):
        self.kube.apply(objects.backup_session(self.ns, name))

    def finished(self, name, seconds=120):
        return self.kube.wait_for_phase("backupsession", name, self.ns, ("Succeeded", "Failed", "Skipped"), seconds)

    def snapshots(self):
        listed = subprocess.run(["restic", "--no-cache", "--no-lock", "-r", str(self.repository), "snapshots", "--json"], check=True,
                                env={"RESTIC_PASSWORD": "correct horse battery staple", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
        return json.loads(listed.stdout) or []

    def stop(self):
        for program in self.programs:
            program.stop()


@pytest.fixture
def workload(request, kube, ns, tmp_path, controller, webhook):
    made = Workload(kube, ns, tmp_path, getattr(request, "param", "Deployment"))
    yield made
    made.stop()


def test_a_configuration_brings_sidecar_cronjob_and_rights_and_takes_them_away_again(kube, ns, workload):
    author = kube.get("deployment", "web", ns)["spec"]["template"]
    workload.configure()
    cron_job = wait_until("the CronJob exists", lambda: kube.list("cronjobs", ns), 30)[0]
    assert cron_job["spec"]["schedule"] == "0 0 1 1 *" and cron_job["spec"]["concurrencyPolicy"] == "Forbid"
    assert cron_job["metadata"]["ownerReferences"][0]["kind"] == "BackupConfiguration"
    kube.delete("backupconfiguration", "web-backup", ns)
    wait_until("the Deployment is as before", lambda: kube.get("deployment", "web", ns)["spec"]["template"] == author, 30)
    assert not [k for k in kube.get("deployment", "web", ns)["metadata"].get("annotations", {}) if "stash.appscode.com" in k]


@pytest.mark.fault("F23", invariants="I18 I20")
def test_in_a_namespace_that_is_being_deleted_nothing_is_made_anew(kube, ns, workload, controller):
    workload.configure()
    cron_job = wait_until("the CronJob exists", lambda: kube.list("cronjobs", ns), 30)[0]["metadata"]["name"]

    def another_is_served(name):
        """So the controller has seen, and its workers looked at, what was changed before."""
        kube.apply(objects.namespace(name), {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}},
                   objects.secret(name), objects.repository(name, workload.repository), objects.workload(name, "Deployment", workload.source),
                   objects.backup_configuration(name))
        wait_until("the other namespace is served", lambda: kube.list("cronjobs", name) and kube.list("rolebindings", name), 30)
    kube.kubectl("delete", "namespace", ns, "--wait=false")  # no controller deletes its content here: the test does
    another_is_served(f"{ns}-before")
    said = len(controller.output())
    kube.delete("rolebinding", "stash-sidecar-deployment-web", ns)
    kube.delete("role", "stash-sidecar-deployment-web", ns)
    kube.delete("cronjob", cron_job, ns)
    another_is_served(f"{ns}-after")
    assert "because it is being terminated" not in controller.output()[said:]


def test_a_session_goes_pending_running_succeeded_and_repository_status_follows(kube, ns, workload):
    workload.configure()
    workload.pod("web-1")
    workload.session("by-hand")
    session = workload.finished("by-hand")
    assert session["status"]["phase"] == "Succeeded", session["status"]
    host = session["status"]["stats"][0]
    assert host["hostname"] == "host-0" and host["phase"] == "Succeeded"
    assert host["snapshots"][0]["fileStats"]["totalFiles"] == 1
    assert session["metadata"]["labels"]["stash.appscode.com/invoker-name"] == "web-backup"
    assert len(workload.snapshots()) == 1
    status = wait_until("Repository status follows", lambda: kube.get("repository", "local-repository", ns).get("status", {})
                        .get("snapshotCount") and kube.get("repository", "local-repository", ns)["status"], 20)
    assert status["integrity"] is True and status["totalSize"] == status["size"]


@pytest.mark.fault("F25", invariants="I7")
def test_of_three_replicas_one_takes_the_session(kube, ns, workload):
    workload.configure()
    for i in range(3):
        workload.pod(f"web-{i}")
    for i in range(3):
        workload.session(f"round-{i}")
        assert workload.finished(f"round-{i}")["status"]["phase"] == "Succeeded"
    assert len(workload.snapshots()) == 3


@pytest.mark.fault("F3", invariants="I6 I7")
def test_a_sidecar_killed_while_restic_runs_finishes_the_session_when_it_is_back_and_doubles_nothing(kube, ns, workload):
    workload.fill()
    workload.configure()
    first = workload.pod("web-1")
    workload.session("interrupted")
    workload.wait_for_restic_to_write()
    first.kill()
    workload.sidecar(kube.get("pod", "web-1", ns))
    session = workload.finished("interrupted")
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert len(workload.snapshots()) == 1


@pytest.mark.fault("F3", "F38", invariants="I6 I7 I12")
def test_a_pod_that_vanished_gives_its_claim_back_to_another(kube, ns, workload):
    workload.fill()
    workload.configure()
    first = workload.pod("web-1")
    workload.session("moved")
    workload.wait_for_restic_to_write()
    first.kill()
    locks = list((workload.repository / "locks").iterdir())
    assert locks, "restic left no lock; this test needs one, which restic itself would wait half an hour for"
    kube.kubectl("delete", "pod", "web-1", "-n", ns, "--grace-period=0", "--force")
    workload.pod("web-2")
    session = workload.finished("moved")
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert len(workload.snapshots()) == 1
    assert session["status"]["lostPods"][0]["podName"] == "web-1"
    assert not [lock for lock in locks if lock.exists()], "the dead pod's lock is still there"


@pytest.mark.parametrize("workload", ["StatefulSet"], indirect=True)
def test_the_upkeep_is_done_once_per_session_by_the_last_of_its_hosts(kube, ns, workload):
    kube.kubectl("scale", "statefulset/web", "-n", ns, "--replicas=2")
    workload.configure(retentionPolicy={"name": "keep-last-1", "keepLast": 1, "prune": True})
    for i in range(2):
        workload.pod(f"web-{i}")
    for round_ in range(2):
        workload.session(f"round-{round_}")
        session = workload.finished(f"round-{round_}")
        assert session["status"]["phase"] == "Succeeded", session["status"]
        hosts = session["status"]["stats"]
        assert [host["backedUp"] for host in hosts] == [True, True]
        assert len([host for host in hosts if host.get("conditions")]) == 1, hosts
        told = {c["type"]: c["status"] for c in session["status"]["conditions"]}
        assert (told["BackendRepositoryInitialized"], told["RetentionPolicyApplied"], told["RepositoryIntegrityVerified"]) == ("True",) * 3, told
    assert sorted(snapshot["hostname"] for snapshot in workload.snapshots()) == ["host-0", "host-1"]
    status = kube.get("repository", "local-repository", ns)["status"]
    assert (status["snapshotCount"], status["snapshotsRemovedOnLastCleanup"]) == (2, 2)


@pytest.mark.fault("F9", invariants="I6 I7 I12")
def test_a_stopped_sidecar_hands_its_host_to_its_successor(kube, ns, workload):
    workload.fill()
    workload.configure()
    first = workload.pod("web-1")
    workload.session("handed-over")
    workload.wait_for_restic_to_write()
    restic = pod_process.PodProcess(wait_until("it backs up", lambda: workload.restic_pid("backup"), 30, every=0.02), ["restic"])
    restic.send(signal.SIGSTOP)
    first.process.terminate()
    wait_until("the sidecar has told restic to end", lambda: restic.has_pending(signal.SIGINT), 30, every=0.02)
    restic.send(signal.SIGCONT)
    first.process.wait(90)
    restic.close()
    assert not workload.snapshots(), "restic was done before it was stopped; this test needs more data"
    assert not list((workload.repository / "locks").iterdir()), "restic left a lock"
    kube.kubectl("delete", "pod", "web-1", "-n", ns, "--grace-period=0", "--force")
    workload.pod("web-2")
    assert workload.finished("handed-over")["status"]["phase"] == "Succeeded"
    assert len(workload.snapshots()) == 1


@pytest.mark.parametrize("workload", ["DeploymentConfig"], indirect=True)
def test_a_deployment_config_of_openshift_is_backed_up_as_a_deployment_is(kube, ns, workload):
    author = kube.get("deploymentconfig", "web", ns)["spec"]
    workload.configure()
    workload.pod("web-1")
    workload.session("by-hand")
    session = workload.finished("by-hand")
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert [host["hostname"] for host in session["status"]["stats"]] == ["host-0"]
    assert session["status"]["targets"][0]["ref"] == {"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig", "name": "web"}
    assert [snapshot["hostname"] for snapshot in workload.snapshots()] == ["host-0"]

    made = objects.workload(ns, "DeploymentConfig", workload.source)
    made["spec"]["replicas"] = 2  # its author applies it again, and knows nothing of a sidecar
    kube.apply(made)
    assert containers(kube, ns, workload="deploymentconfig") == ["app", "stash"]
    kube.delete("deploymentconfig", "web", ns)
    kube.apply(made)
    assert containers(kube, ns, workload="deploymentconfig") == ["app", "stash"], "not injected at its creation"
    # What it makes its pods with is its own business.
    kube.apply(dict(objects.workload(ns, "ReplicationController", workload.source), metadata={
        "name": "web", "namespace": ns, "ownerReferences": [
            {"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig", "name": "web", "controller": True,
             "uid": kube.get("deploymentconfig", "web", ns)["metadata"]["uid"]}]}))
    assert containers(kube, ns, workload="replicationcontroller") == ["app"]

    kube.delete("backupconfiguration", "web-backup", ns)
    wait_until("the DeploymentConfig is as before",
               lambda: kube.get("deploymentconfig", "web", ns)["spec"] == dict(author, replicas=2), 30)
    wait_until("the sidecar's rights are gone", lambda: kube.get("rolebinding", "stash-sidecar-deploymentconfig-web", ns) is None, 30)


LOG_FLAGS = ["--logtostderr=true", "--alsologtostderr=false", "--v=3", "--stderrthreshold=0"]
RC_0 = ["--max-connections=0", "--enable-status-subresource=true", "--use-kubeapiserver-fqdn-for-aks=true", "--enable-analytics=true", *LOG_FLAGS]
RC_6 = ["--max-connections=0", "--use-kubeapiserver-fqdn-for-aks=true", "--enable-analytics=true", *LOG_FLAGS]


@pytest.mark.parametrize("backup, restore", [
    (["--backup-configuration=web-backup", *RC_0], ["--restore-session=web-restore", *RC_0]),
    (["--invoker-name=web-backup", "--invoker-type=BackupConfiguration", "--target-name=web", "--target-kind=Deployment", *RC_6],
     ["--restore-session=web-restore", *RC_6])], ids=["rc.0", "rc.6"])
def test_older_arguments_of_containers_still_work(kube, ns, workload, backup, restore):
    workload.configure()
    workload.pod("web-1", ["run-backup", *backup])
    workload.session("before")
    assert workload.finished("before")["status"]["phase"] == "Succeeded"
    (workload.source / "data.txt").unlink()
    kube.apply(objects.restore_session(ns, path=workload.source))
    wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
    restorer = workload.pod("web-2", ["restore", *restore])
    assert restorer.process.wait(120) == 0, restorer.output()
    assert (workload.source / "data.txt").read_text() == "worth keeping\n"


@pytest.mark.parametrize("arguments", [
    ["--backupsession.name=web-backup", "--backupsession.namespace={ns}"], ["--backupconfiguration=web-backup", "--namespace={ns}"],
    ["--invoker-name=web-backup", "--invoker-type=BackupConfiguration"]], ids=["rc.0", "rc.1", "rc.3"])
def test_older_arguments_of_cronjobs_make_a_session(kube, ns, workload, tmp_path, arguments):
    workload.configure()
    cron_job = wait_until("the CronJob exists", lambda: kube.get("cronjob", "stash-backup-web-backup", ns), 30)  # the last of what is made for it
    account = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["serviceAccountName"]
    kubeconfig = api_ring.token_kubeconfig(kube, ns, account, tmp_path)
    in_its_namespace = json.loads(kubeconfig.read_text())  # as a pod is
    in_its_namespace["contexts"][0]["context"]["namespace"] = ns
    kubeconfig.write_text(json.dumps(in_its_namespace))

    def made_by_the_program():
        done = subprocess.run([api_ring.BIN / "stash", "create-backupsession", *(a.format(ns=ns) for a in arguments), *RC_0,
                               "--kubeconfig", kubeconfig], text=True, capture_output=True, timeout=30, env={"PATH": "/usr/bin:/bin"})
        assert done.returncode == 0 or "forbidden" in done.stderr, done.stderr
        return done.returncode == 0
    wait_until("the API server knows the role", made_by_the_program, 30)
    made = kube.list("backupsessions", ns)
    assert [session["spec"]["invoker"]["name"] for session in made] == ["web-backup"]


def test_what_sidecar_and_restore_push_stands_in_a_real_pushgateway_as_prometheus_likes_it(kube, ns, workload, pushgateway):
    workload.metrics = ["--metrics-enabled=true", f"--pushgateway-url={pushgateway.url}"]
    workload.configure()
    workload.pod("web-1")
    workload.session("by-hand")
    assert workload.finished("by-hand")["status"]["phase"] == "Succeeded"
    assert kube.condition("backupsession", "by-hand", ns, "RepositoryMetricsPushed")["status"] == "True"
    kube.apply(objects.restore_session(ns, path=workload.source))
    wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
    assert workload.pod("web-2", ["restore", "--restore-session=web-restore"]).process.wait(120) == 0

    expected = ("stash_backup_host_backup_success", "stash_repository_integrity", "stash_repository_snapshot_count", "stash_backup_session_success",
                "stash_restore_host_restore_success", "stash_backup_host_files_total")

    def told():  # by sidecar, restore and controller, each when it comes to it
        text = metrics.scraped(pushgateway)
        values = {line.split("{")[0]: float(line.rsplit(" ", 1)[1]) for line in metrics.series(text, ns)}
        return (text, values) if values.keys() >= set(expected) else None
    text, values = wait_until("all is told", told, 30)
    for metric in expected:
        assert values[metric] == 1, (metric, values)
    assert metrics.complaints(text) == []


@pytest.mark.fault("F29", invariants="I7 I8")
def test_two_sessions_at_once_run_one_and_skip_the_other(kube, ns, workload):
    workload.configure()
    workload.session("first")
    wait_until("the first is stamped", lambda: kube.get("backupsession", "first", ns).get("status", {}).get("phase") == "Pending")
    workload.session("second")
    assert workload.finished("second")["status"]["phase"] == "Skipped"
    workload.pod("web-1")
    assert workload.finished("first")["status"]["phase"] == "Succeeded"


def test_a_restore_brings_back_files_once_and_then_never_again(kube, ns, workload):
    workload.configure()
    workload.pod("web-1")
    workload.session("before")
    assert workload.finished("before")["status"]["phase"] == "Succeeded"
    (workload.source / "data.txt").unlink()
    kube.apply(objects.restore_session(ns, path=workload.source))
    wait_until("stash-init is injected", lambda: "stash-init" in containers(kube, ns, kind="initContainers"), 30)
    wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
    first = workload.pod("web-2", ["restore", "--restore-session=web-restore"])
    assert first.process.wait(120) == 0, first.output()
    assert (workload.source / "data.txt").read_text() == "worth keeping\n"
    kube.wait_for_phase("restoresession", "web-restore", ns, ("Succeeded",), 30)
    for waited_for in ("repository/local-repository", "backupconfiguration/web-backup", "backupsession/before", "restoresession/web-restore"):
        kube.kubectl("wait", waited_for, "-n", ns, "--for=condition=Ready", "--timeout=30s")
    (workload.source / "data.txt").write_text("changed since")
    again = workload.pod("web-3", ["restore", "--restore-session=web-restore"])
    assert again.process.wait(120) == 0, again.output()
    assert (workload.source / "data.txt").read_text() == "changed since"


@pytest.mark.parametrize("workload", ["StatefulSet"], indirect=True)
def test_a_stateful_set_with_fewer_ordinals_than_were_backed_up_restores_those_that_it_has(kube, ns, workload):
    kube.kubectl("scale", "statefulset/web", "-n", ns, "--replicas=2")
    workload.configure()
    sidecars = [workload.pod(f"web-{ordinal}") for ordinal in range(2)]
    workload.session("before")
    session = workload.finished("before")
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert sorted(host["hostname"] for host in session["status"]["stats"]) == ["host-0", "host-1"]
    kube.kubectl("scale", "statefulset/web", "-n", ns, "--replicas=1")
    for ordinal, sidecar in enumerate(sidecars):
        sidecar.stop()
        kube.delete("pod", f"web-{ordinal}", ns)
    (workload.source / "data.txt").unlink()
    kube.apply(objects.aimed_at(objects.restore_session(ns, path=workload.source), "StatefulSet"))
    wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-statefulset-web", ns), 30)
    restorer = workload.pod("web-0", ["restore", "--restore-session=web-restore"])
    assert restorer.process.wait(120) == 0, restorer.output()
    assert (workload.source / "data.txt").read_text() == "worth keeping\n"
    restored = kube.wait_for_phase("restoresession", "web-restore", ns, ("Succeeded", "Failed"), 30)
    assert restored["status"]["phase"] == "Succeeded" and restored["status"]["totalHosts"] == 1
    assert [host["hostname"] for host in restored["status"]["stats"]] == ["host-0"]


@pytest.mark.fault("F35", invariants="I5 I13")
def test_a_failed_restore_holds_the_application_back_until_it_is_mended(kube, ns, workload):
    workload.configure()
    workload.pod("web-1")
    workload.session("before")
    assert workload.finished("before")["status"]["phase"] == "Succeeded"
    (workload.secret / "RESTIC_PASSWORD").write_text("wrong")
    kube.apply(objects.restore_session(ns, path=workload.source))
    wait_until("its rights exist", lambda: kube.get("rolebinding", "stash-restore-init-container-deployment-web", ns), 30)
    failing = workload.pod("web-2", ["restore", "--restore-session=web-restore"])
    assert failing.process.wait(120) != 0
    failed = kube.wait_for_phase("restoresession", "web-restore", ns, ("Failed",), 30)
    assert "wrong password" in failed["status"]["stats"][0]["error"]
    (workload.secret / "RESTIC_PASSWORD").write_text("correct horse battery staple")
    mended = workload.sidecar(kube.get("pod", "web-2", ns), ["restore", "--restore-session=web-restore"])
    assert mended.process.wait(120) == 0, mended.output()
    kube.wait_for_phase("restoresession", "web-restore", ns, ("Succeeded",), 30)


@pytest.mark.fault("F81", invariants="I16 I18")
def test_the_sidecar_may_do_what_it_needs_and_nothing_else(kube, ns, workload):
    workload.configure()
    kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "foreign", "namespace": ns}})
    as_sidecar = f"--as=system:serviceaccount:{ns}:default"

    def may(*what):
        try:
            return kube.kubectl("auth", "can-i", *what, "-n", ns, as_sidecar).strip() == "yes"
        except CommandFailed:
            return False

    wait_until("the API server knows the role", lambda: may("watch", "backupsessions"), 30)
    assert may("patch", "backupsessions", "--subresource=status")
    assert may("get", "backupconfigurations/web-backup") and may("get", "repositories/local-repository")
    for forbidden in (("get", "secrets"), ("list", "secrets"), ("create", "pods"), ("create", "pods", "--subresource=exec"),
                      ("get", "backupconfigurations/other"), ("patch", "backupconfigurations/web-backup"), ("delete", "backupsessions"),
                      ("create", "rolebindings"), ("patch", "deployments")):
        assert not may(*forbidden), forbidden


def test_an_idle_sidecar_writes_nothing_and_is_small(kube, ns, workload):
    workload.configure()
    sidecar = workload.pod("web-1")
    workload.session("warm-up")
    assert workload.finished("warm-up")["status"]["phase"] == "Succeeded"

    def versions():
        return [kube.get("backupsession", "warm-up", ns)["metadata"]["resourceVersion"],
                kube.get("repository", "local-repository", ns)["metadata"]["resourceVersion"],
                sorted(e["metadata"]["name"] for e in kube.list("events", ns))]

    api_ring.settled("the session", versions)
    if "STASH_SANITIZED" not in os.environ:  # a sanitizer takes many times as much
        assert process.memory(sidecar.pid) <= 4 << 20


@pytest.mark.fault("F81", invariants="I18")
def test_neither_controller_nor_webhook_was_denied_anything(controller, webhook):
    for program in (controller, webhook):
        denied = [line for line in program.output().splitlines() if "forbidden" in line.lower()]
        assert not denied, "\n".join(denied[:5])
