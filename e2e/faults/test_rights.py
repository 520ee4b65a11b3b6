"""Least privilege (I18): every right of each ServiceAccount is needed, and none is missing.

The stories below make the programs use all that they may; the API server's audit log says what they really asked for. Two
kinds of rights never show there, and are taken away instead, to see something break: `create` where server-side apply
makes the object, and rights that the controller has only to put them into Roles.
"""
import contextlib
import subprocess

import pytest
from conftest import make_namespace
from test_authors import EXEC, User, configuration, refused
from test_blueprints import annotated, blueprint
from test_wipe_out import finish_job, repository

from stash_e2e import api_ring, objects
from stash_e2e.kube import wait_until
from stash_faults import actions, audit, rights
from stash_faults.bench import BenchWorkload, containers
from stash_faults.rights import Account, Right

STASH, APPS = "stash.appscode.com", "apps"
# A WebSocket begins as a GET, and the API server asks for the verb that this is; one from 1.35 on asks for create, too.
CREATE_EXEC = Right("create", "", "pods/exec")
OTHER_KINDS = ("StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "DeploymentConfig")
NS = "each-right-is-used"


@contextlib.contextmanager
def hooked(bench, ns, directory):
    """A StatefulSet with an exec hook, and its pod. There is no kubelet behind the API server: it checks the right to exec, and then
    does not find the pod's node."""
    kube = bench.kube
    make_namespace(kube, ns)
    directory.mkdir()
    made = BenchWorkload(bench, ns, directory, "StatefulSet")
    try:
        made.configure(hooks=EXEC)
        owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": kube.get("statefulset", "web", ns)["metadata"]["uid"], "controller": True}
        sidecar = {"name": "stash", "image": "localhost/stash:dev", "args": ["run-backup", "--backup-configuration=web-backup"]}
        kube.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": ns, "labels": {"app": "web"}, "ownerReferences": [owner]},
                    "spec": {"containers": [{"name": "app", "image": objects.SAMPLE_IMAGE}, sidecar]}})
        made.sidecar(kube.get("pod", "web-0", ns))
        yield made
    finally:
        made.stop()


def failed_hook(workload, session):
    """What is said of it."""
    workload.session(session)
    ended = workload.finished(session, 120)
    assert ended["status"]["phase"] == "Failed", ended["status"]
    return ended["status"]["stats"][0]["error"]


class Stories:
    """One namespace in which everything happens once."""

    def __init__(self, bench, directory):
        self.bench, self.kube, self.directory = bench, bench.kube, directory
        make_namespace(self.kube, NS)
        self.workload = BenchWorkload(bench, NS, directory)

    def all(self):
        self.every_kind_is_nudged_and_a_stale_pod_evicted()
        self.backups_with_a_history()
        self.a_cronjob_pod_makes_a_session_and_skips_one()
        self.a_pod_vanishes_with_its_claim()
        self.a_restore_that_waits()
        self.an_exec_hook()
        self.a_session_of_many_hosts()
        self.a_repository_on_a_claim_and_one_that_is_wiped_out()
        self.a_workload_asks_for_a_blueprint_and_then_no_more()
        self.finalizers_of_older_stash()
        self.a_namespace_opts_out()
        self.an_author_without_rights()
        self.a_certificate_that_somebody_deleted_and_spoilt()

    def every_kind_is_nudged_and_a_stale_pod_evicted(self):
        kube = self.kube
        made = {kind: objects.workload(NS, kind, self.workload.source, name=kind.lower()) for kind in OTHER_KINDS}
        kube.apply(*made.values())
        replica_set = kube.get("replicaset", "replicaset", NS)
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "replicaset", "uid": replica_set["metadata"]["uid"], "controller": True}
        kube.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stale", "namespace": NS, "labels": {"app": "replicaset"}, "ownerReferences": [owner]},
                    "spec": {"containers": [{"name": "app", "image": objects.SAMPLE_IMAGE}]}})
        for kind in OTHER_KINDS:
            made = objects.backup_configuration(NS, f"of-{kind.lower()}", workload=kind.lower(), schedule="0 0 1 1 *",
                                                mount_path=self.workload.source, paths=[str(self.workload.source)])
            kube.apply(objects.aimed_at(made, kind))
        for kind in OTHER_KINDS:
            wait_until(f"the {kind} is injected", lambda kind=kind: "stash" in containers(kube, NS, kind.lower(), workload=kind), 90)
        wait_until("the stale pod is evicted", lambda: kube.get("pod", "stale", NS) is None, 60)

    def backups_with_a_history(self):
        self.workload.configure()
        self.workload.pod("web-1")
        self.workload.session("first")
        assert self.workload.finished("first", 120)["status"]["phase"] == "Succeeded"
        with self.bench.rule("PATCH", "/backupsessions/second/status", actions.reply(422, reason="Invalid"), programs=["sidecar"], skip=1, times=1):
            self.workload.session("second")  # it reads the session again where its patch did not apply
            assert self.workload.finished("second", 120)["status"]["phase"] == "Succeeded"
        wait_until("the older session is deleted", lambda: self.kube.get("backupsession", "first", NS) is None, 60)

    def a_cronjob_pod_makes_a_session_and_skips_one(self):
        self.cronjob_pod()
        session = wait_until("the session is there", lambda: [s for s in self.kube.list("backupsessions", NS) if s["metadata"]["name"] != "second"], 30)[0]
        assert self.workload.finished(session["metadata"]["name"], 120)["status"]["phase"] == "Succeeded"
        self.kube.kubectl("patch", "backupconfiguration", "web-backup", "-n", NS, "--type=merge", "-p", '{"spec":{"paused":true}}')
        assert "is paused" in self.cronjob_pod()
        self.kube.kubectl("patch", "backupconfiguration", "web-backup", "-n", NS, "--type=merge", "-p", '{"spec":{"paused":false}}')

    def cronjob_pod(self):
        account = self.kube.get("cronjob", "stash-backup-web-backup", NS)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["serviceAccountName"]
        kubeconfig = api_ring.token_kubeconfig(self.bench.through("sidecar"), NS, account, self.directory)
        done = subprocess.run([api_ring.BIN / "stash", "create-backupsession", "--invoker-name=web-backup", f"--namespace={NS}", f"--kubeconfig={kubeconfig}"],
                              text=True, capture_output=True, timeout=60, env={"PATH": "/usr/bin:/bin"})
        assert done.returncode == 0, done.stderr
        return done.stderr

    def a_pod_vanishes_with_its_claim(self):
        first = self.workload.programs[-1]
        with self.bench.rule("PATCH", "/backupsessions/lost/status", actions.hang(), programs=["sidecar"], skip=1):
            self.workload.session("lost")
            self.workload.wait_until_running("lost")
            first.kill()
        self.kube.kubectl("delete", "pod", "web-1", "-n", NS, "--grace-period=0", "--force")
        self.workload.pod("web-2")
        assert self.workload.finished("lost", 120)["status"]["phase"] == "Succeeded"

    def a_restore_that_waits(self):
        with self.bench.rule("PATCH", "/restoresessions/web-restore/status", actions.reply(503), programs=["controller"]):
            self.kube.apply(objects.restore_session(NS, path=self.workload.source))
            wait_until("its rights exist", lambda: self.kube.get("rolebinding", "stash-restore-init-container-deployment-web", NS), 60)
            restorer = self.workload.pod("web-3", ["restore", "--restore-session=web-restore"])
            wait_until("it waits", lambda: "waiting for RestoreSession" in restorer.output(), 30)
        assert restorer.process.wait(120) == 0, restorer.output()
        self.kube.wait_for_phase("restoresession", "web-restore", NS, ("Succeeded",), 60)

    def an_exec_hook(self):
        with hooked(self.bench, f"{NS}-hook", self.directory / "hook") as workload:
            failed_hook(workload, "by-hand")

    def a_session_of_many_hosts(self):
        self.kube.kubectl("scale", "statefulset/statefulset", "-n", NS, "--replicas=9")
        self.kube.apply(objects.backup_session(NS, "many", "of-statefulset"))
        wait_until("its hosts are objects", lambda: len(self.kube.list("backupsessionhosts", NS)) == 9, 60)
        self.kube.delete("backupsession", "many", NS)

    def a_repository_on_a_claim_and_one_that_is_wiped_out(self):
        kube = self.kube
        kube.apply(objects.repository(NS, "", name="on-a-claim", source={"persistentVolumeClaim": {"claimName": "nowhere"}}))
        kube.apply(repository(NS, {"s3": {"endpoint": "s3.demo.svc", "bucket": "b"}}, wipeOut=True))
        wait_until("the finalizer is there", lambda: kube.get("repository", "repo", NS)["metadata"].get("finalizers"), 30)
        kube.kubectl("delete", "repository", "repo", "-n", NS, "--wait=false")
        job = wait_until("the Job is there", lambda: kube.get("job", "stash-wipe-out-repo", NS), 60)
        finish_job(kube, NS, job, 0, "nothing was there")
        wait_until("the Repository is gone", lambda: kube.get("repository", "repo", NS) is None, 60)
        wait_until("its claim was looked for", lambda: kube.get("repository", "on-a-claim", NS).get("status", {}).get("conditions"), 60)

    def a_workload_asks_for_a_blueprint_and_then_no_more(self):
        kube, ns = self.kube, f"{NS}-by-blueprint"
        make_namespace(kube, ns)
        kube.apply(blueprint(ns), annotated(objects.deployment(ns, "/data/y"), ns))
        wait_until("it has a BackupConfiguration", lambda: kube.get("backupconfiguration", "deployment-web", ns), 60)
        wait_until("the blueprint says so", lambda: kube.condition("backupblueprint", ns, None, "Applied"), 60)
        kube.kubectl("annotate", "deployment", "web", "-n", ns, "stash.appscode.com/backup-blueprint-")
        wait_until("it has none", lambda: kube.get("backupconfiguration", "deployment-web", ns) is None, 60)
        kube.delete("backupblueprint", ns)

    def finalizers_of_older_stash(self):
        for kind, made in (("backupconfiguration", objects.backup_configuration(NS, "older", workload="nobody", schedule="0 0 1 1 *")),
                           ("restoresession", objects.restore_session(NS, "older", workload="nobody"))):
            made["metadata"]["finalizers"] = [STASH]
            self.kube.apply(made)
            self.kube.kubectl("delete", kind, "older", "-n", NS, "--wait=false")
            wait_until(f"the {kind} is gone", lambda kind=kind: self.kube.get(kind, "older", NS) is None, 60)

    def a_namespace_opts_out(self):
        kube, ns = self.kube, f"{NS}-no-more"
        make_namespace(kube, ns)
        kube.apply(objects.secret(ns), objects.repository(ns, "/data/x"), objects.deployment(ns, "/data/y"), objects.backup_configuration(ns, schedule="0 0 1 1 *"))
        owned = [("cronjob", "stash-backup-web-backup"), ("serviceaccount", "stash-backup-web-backup"), ("role", "stash-cron-job-web-backup"),
                 ("rolebinding", "stash-cron-job-web-backup")]
        for kind, name in owned:
            wait_until(f"the {kind} is there", lambda: kube.get(kind, name, ns), 60)
        kube.kubectl("label", "serviceaccount", "stash-backup-web-backup", "-n", ns, "app.kubernetes.io/managed-by-")  # somebody meddles
        kube.kubectl("label", "namespace", ns, "stash.appscode.com/injection-")
        for kind, name in owned:
            if kind != "serviceaccount":
                wait_until(f"the {kind} is gone", lambda: kube.get(kind, name, ns) is None, 60)

    def an_author_without_rights(self):
        assert "pods/exec" in refused(User(self.kube, NS).create, configuration(NS, name="hooked", hooks=EXEC))

    def a_certificate_that_somebody_deleted_and_spoilt(self):
        kube = self.kube
        kube.delete("secret", "stash-webhook-cert", "stash")
        wait_until("the Secret is made again", lambda: (kube.get("secret", "stash-webhook-cert", "stash") or {}).get("data", {}).get("tls.crt"), 120)
        kube.kubectl("patch", "secret", "stash-webhook-cert", "-n", "stash", "--type=json", "-p", '[{"op":"remove","path":"/data/tls.crt"}]')
        wait_until("the certificate is made again", lambda: kube.get("secret", "stash-webhook-cert", "stash")["data"].get("tls.crt"), 120)


@pytest.fixture(scope="module")
def lived(bench, tmp_path_factory):
    """All calls of the bench so far, those of the programs' start among them."""
    bench.kube.apply(objects.deployment_config_crd())
    bench.kube.wait_for_crds("deploymentconfigs.apps.openshift.io")
    stories = Stories(bench, tmp_path_factory.mktemp("rights"))
    try:
        stories.all()
        yield audit.read(bench.control_plane.audit_log)
    finally:
        stories.workload.stop()


def used_by(user, calls):
    mine = audit.of(calls, user)
    assert mine, f"{user} never asked for anything"
    return {Right(*right) for right in audit.used(mine)}


def made_by_apply(user, calls):
    """What server-side apply made; Kubernetes wants the right to create it."""
    return {Right("create", call.group, call.resource) for call in audit.of(calls, user) if call.verb == "patch" and call.code == 201}


def roles_of_pods(kube):
    return [role for role in kube.list("roles") if role["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "stash.appscode.com"
            or role["metadata"]["name"].startswith(("stash-sidecar-", "stash-restore-", "stash-cron-job-"))]


def handed_on(kube):
    """What the Roles of sidecars, stash-init and the CronJobs' pods grant."""
    return {right for role in roles_of_pods(kube) for right in rights.of_rules(role["rules"])}


@pytest.fixture(scope="module")
def operator(bench):
    return Account(bench.kube, "stash", "stash-operator")


@pytest.mark.fault("F81", invariants="I18")
def test_the_controller_uses_each_right_or_hands_it_on(bench, operator, lived):
    granted = set(rights.of_rules(operator.rules()))
    used = used_by(operator.user, lived)
    needed = used | made_by_apply(operator.user, lived) | handed_on(bench.kube) | {CREATE_EXEC}
    assert sorted(right.text for right in granted - needed) == []
    assert sorted(right.text for right in used - granted if not is_anybodys(right)) == []


def is_anybodys(right):
    """Kubernetes lets everybody ask what the server serves."""
    return right.resource == ""


@pytest.mark.fault("F81", invariants="I18")
def test_the_webhook_uses_each_right(bench, lived):
    webhook = Account(bench.kube, "stash", "stash-webhook")
    granted, used = set(rights.of_rules(webhook.rules())), used_by(webhook.user, lived)
    assert (sorted(right.text for right in granted - used), sorted(right.text for right in used - granted if not is_anybodys(right))) == ([], [])


@pytest.mark.fault("F81", invariants="I18")
@pytest.mark.parametrize("account, roles", [("default", ("stash-sidecar-deployment-web", "stash-restore-init-container-deployment-web")),
                                            ("stash-backup-web-backup", ("stash-cron-job-web-backup",))], ids=["sidecar-and-stash-init", "cronjob"])
def test_the_pods_use_each_right(bench, lived, account, roles):
    granted = {right for role in roles for right in rights.of_rules(bench.kube.get("role", role, NS)["rules"])}
    used = used_by(f"system:serviceaccount:{NS}:{account}", lived)
    assert (sorted(right.text for right in granted - used), sorted(right.text for right in used - granted if not is_anybodys(right))) == ([], [])


@pytest.mark.fault("F81", invariants="I18")
def test_nothing_was_forbidden_in_all_of_this(bench, lived):
    users = ("system:serviceaccount:stash:stash-operator", "system:serviceaccount:stash:stash-webhook")
    assert [call.text for user in users for call in audit.forbidden(audit.of(lived, user))] == []


@pytest.mark.fault("F81", invariants="I18")
@pytest.mark.parametrize("account", ["stash-operator", "stash-webhook"])
def test_no_right_is_granted_twice(bench, account):
    """Where one is, either rule could go and nothing would break."""
    assert rights.granted_twice(Account(bench.kube, "stash", account).rules()) == []


@pytest.mark.fault("F81", invariants="I18")
def test_no_role_that_the_controller_makes_grants_a_right_twice(bench, lived):
    roles = roles_of_pods(bench.kube)
    for beginning in ("stash-sidecar-", "stash-restore-", "stash-cron-job-"):
        assert [role for role in roles if role["metadata"]["name"].startswith(beginning)], beginning
    assert [(role["metadata"]["name"], twice) for role in roles if (twice := rights.granted_twice(role["rules"]))] == []


MADE = {
    Right("create", "batch", "cronjobs"): {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {
        "spec": {"restartPolicy": "Never", "containers": [{"name": "stash", "image": "localhost/stash:dev"}]}}}}}},
    Right("create", "", "serviceaccounts"): {"apiVersion": "v1", "kind": "ServiceAccount"},
    Right("create", "rbac.authorization.k8s.io", "roles"): {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": []},
    Right("create", "rbac.authorization.k8s.io", "rolebindings"): {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "subjects": [],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "stash-cron-job-web-backup"}},
    Right("create", STASH, "repositories"): {"apiVersion": "stash.appscode.com/v1alpha1", "kind": "Repository", "spec": {}},
    Right("create", STASH, "backupconfigurations"): {"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupConfiguration", "spec": {}},
}


@pytest.mark.fault("F81", invariants="I18")
def test_without_the_right_to_create_what_it_applies_the_controller_makes_none(bench, operator, lived):
    assert made_by_apply(operator.user, lived) == MADE.keys()
    for right, manifest in MADE.items():
        manifest = dict(manifest, metadata={"name": "taken-away", "namespace": NS})
        with operator.lacking(right, NS):
            assert "forbidden" in operator.tries("apply", "--server-side", manifest=manifest), right.text
        assert operator.tries("apply", "--server-side", manifest=manifest) == "", right.text


@pytest.mark.fault("F81", invariants="I16 I18")
def test_without_a_right_that_it_hands_on_the_controller_makes_no_role_with_it(bench, operator, lived):
    only_handed_on = sorted((handed_on(bench.kube) - used_by(operator.user, lived)))
    assert only_handed_on
    for number, right in enumerate(only_handed_on):
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": f"handed-on-{number}", "namespace": NS},
                "rules": [{"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]}]}
        with operator.lacking(right, NS):
            assert "attempting to grant" in operator.tries("create", manifest=role), right.text
        assert operator.tries("create", manifest=role) == "", right.text


def asking_for_create_too(operator, ns):
    """As Kubernetes 1.35 does: where the right to create is missing, a WebSocket for an exec is refused, too."""
    async def act(exchange):
        if operator.may(CREATE_EXEC, ns):
            await exchange.send()
            return await exchange.pass_reply()
        return await actions.reply(403, reason="Forbidden", message=f'pods "web-0" is forbidden: User "{operator.user}" cannot create resource "pods/exec"')(exchange)
    return act


@pytest.mark.fault("F81", invariants="I18")
def test_on_a_newer_kubernetes_an_exec_hook_needs_the_right_to_create_one(bench, operator, tmp_path):
    ns = "exec-needs-create"
    with (hooked(bench, ns, tmp_path / "hook") as workload,
          bench.proxies["controller"].rule("GET", "/pods/web-0/exec", asking_for_create_too(operator, ns)) as rule):
        assert "forbidden" not in failed_hook(workload, "with-all-rights") and rule.hits
        with operator.lacking(CREATE_EXEC, ns):
            assert "cannot create resource" in failed_hook(workload, "without-it")


def test_what_is_granted_twice_is_seen_also_when_one_rule_names_objects():
    whole, named = {"apiGroups": [""], "resources": ["a", "b"], "verbs": ["get"]}, {"apiGroups": [""], "resources": ["b"], "verbs": ["get"], "resourceNames": ["x"]}
    assert rights.granted_twice([whole, named]) == ["get b"]
    assert rights.granted_twice([named, dict(named, resourceNames=["x", "y"])]) == ["get b"]
    assert rights.granted_twice([named, dict(named, resourceNames=["y"])]) == []
    assert rights.granted_twice([dict(whole, verbs=["get", "get"])]) == ["get a", "get b"]


def test_rules_are_taken_apart_and_narrowed_by_one_right():
    rules = [{"apiGroups": ["g"], "resources": ["a", "b"], "verbs": ["get", "list"]}, {"apiGroups": [""], "resources": ["c"], "verbs": ["get"]}]
    assert [right.text for right in rights.of_rules(rules)] == ["get c", "get a.g", "get b.g", "list a.g", "list b.g"]
    less = rights.without(rules, Right("get", "g", "a"))
    assert [right.text for right in rights.of_rules(less)] == ["get c", "get b.g", "list a.g", "list b.g"]
    assert rights.without(rules, Right("get", "", "c")) == rules[:1]
