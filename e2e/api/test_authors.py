"""Nobody gains a right through Stash that Kubernetes would deny him: a real API server decides, about impersonated users.

A user here may write all of our kinds in his namespace, and nothing else until the test grants it.
"""
import json

import pytest

from stash_e2e import api_ring, objects
from stash_e2e.kube import CommandFailed, wait_until

CONTROLLER = "system:serviceaccount:stash:stash-operator"
EXEC = {"preBackup": {"exec": {"command": ["sync"]}}}
S3 = {"s3": {"endpoint": "s3.demo.svc", "bucket": "b"}}
CLAIM = {"persistentVolumeClaim": {"claimName": "backups"}}


class User:
    """Somebody with roles in one namespace. Rights come by his group, as they mostly do."""

    def __init__(self, kube, ns, name="jane"):
        self.kube, self.ns, self.name, self.group = kube, ns, name, f"{name}s-team"
        self.identity = [f"--as={name}", f"--as-group={self.group}", "-n", ns]
        self.grant("*", "repositories,backupconfigurations,restoresessions", "stash.appscode.com")

    def grant(self, verb, resources, group="", *names):
        api = "rbac.authorization.k8s.io/v1"
        name = f"{self.name}-{verb}-{resources}".replace("*", "all").replace(",", "-").replace("/", "-")
        rule = {"apiGroups": [group], "resources": resources.split(","), "verbs": [verb], **({"resourceNames": list(names)} if names else {})}
        self.kube.apply({"apiVersion": api, "kind": "Role", "metadata": {"name": name, "namespace": self.ns}, "rules": [rule]},
                        {"apiVersion": api, "kind": "RoleBinding", "metadata": {"name": name, "namespace": self.ns},
                         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                         "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": self.group}]})
        resource, _, subresource = resources.split(",")[0].partition("/")
        asked = {"namespace": self.ns, "verb": verb, "group": group, "resource": resource, "subresource": subresource, "name": names[0] if names else ""}
        wait_until("the API server knows the role", lambda: self.may(asked), 30, every=0.05)

    def may(self, asked):
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                  "spec": {"user": self.name, "groups": [self.group], "resourceAttributes": asked}}
        return json.loads(self.kube.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)))["status"]["allowed"]

    def create(self, manifest):
        self.kube.kubectl("create", "-f", "-", *self.identity, stdin=json.dumps(manifest))

    def patch(self, kind, name, change):
        self.kube.kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(change), *self.identity)

    def delete(self, kind, name):
        self.kube.kubectl("delete", kind, name, *self.identity)


@pytest.fixture
def jane(kube, ns, webhook):
    return User(kube, ns)


@pytest.fixture
def webhook_is_down(webhook):
    webhook.stop()
    yield
    webhook.start()
    wait_until("the webhook is ready again", lambda: api_ring.answers(f"http://127.0.0.1:{webhook.health}/readyz"), 30)


def refused(action, *argv):
    """The API server's words."""
    with pytest.raises(CommandFailed) as failure:
        action(*argv)
    return str(failure.value)


def configuration(ns, **spec):
    return objects.backup_configuration(ns, schedule="0 0 1 1 *", **spec)


def repository(ns, backend, name="repo", secret="credentials", **spec):
    return {"apiVersion": "stash.appscode.com/v1alpha1", "kind": "Repository", "metadata": {"name": name, "namespace": ns},
            "spec": dict(spec, backend=dict(backend, storageSecretName=secret))}


def on_volume(ns, source, **more):
    return repository(ns, {"local": dict(source, mountPath="/safe/data")}, **more)


def test_who_may_not_exec_into_pods_makes_no_exec_hook(ns, jane):
    jane.grant("patch", "deployments", "apps", "web")
    jane.create(configuration(ns, name="without"))
    text = refused(jane.create, configuration(ns, hooks=EXEC))
    assert (f"BackupConfiguration {ns}/web-backup: spec.hooks.preBackup.exec runs a command in a container of a pod, and jane may not "
            f"create pods/exec in namespace {ns}; have that granted, or use httpGet, httpPost or tcpSocket") in text
    assert "create pods/exec" in refused(jane.patch, "backupconfiguration", "without", {"spec": {"hooks": EXEC}})
    jane.grant("create", "pods/exec")
    jane.create(configuration(ns, hooks=EXEC))
    jane.patch("backupconfiguration", "without", {"spec": {"hooks": EXEC}})


def test_who_may_not_change_a_workload_neither_backs_it_up_nor_restores_it(ns, jane):
    jane.grant("patch", "deployments", "apps", "another")
    words = f"and jane may not patch deployments.apps web in namespace {ns}; have that granted, or name a workload that you may change"
    assert words in refused(jane.create, configuration(ns))
    assert words in refused(jane.create, objects.restore_session(ns))
    jane.grant("patch", "deployments", "apps", "web")
    jane.create(configuration(ns))
    jane.create(objects.restore_session(ns))


@pytest.mark.parametrize("kind, group", [("StatefulSet", "apps"), ("DaemonSet", "apps"), ("ReplicaSet", "apps"), ("ReplicationController", ""),
                                         ("DeploymentConfig", "apps.openshift.io")])
def test_the_right_to_change_a_workload_is_that_of_its_kind(ns, jane, kind, group):
    jane.grant("patch", "deployments", "apps")
    resource = f"{kind.lower()}s"
    named = f"{resource}.{group}" if group else resource
    assert f"jane may not patch {named} web in" in refused(jane.create, objects.aimed_at(configuration(ns), kind))
    jane.grant("patch", resource, group, "web")
    jane.create(objects.aimed_at(configuration(ns, name=f"of-a-{kind.lower()}"), kind))


def test_who_may_not_read_a_secret_uses_none_in_a_repository_and_is_not_told_whether_it_exists(kube, ns, jane):
    missing = refused(jane.create, repository(ns, S3))
    assert (f"Repository {ns}/repo: spec.backend.storageSecretName has Secret credentials used, and jane may not get secrets credentials "
            f"in namespace {ns}; have that granted, or name a Secret that you may read") in missing
    kube.apply(objects.secret(ns, "credentials"))
    assert refused(jane.create, repository(ns, S3)) == missing
    jane.grant("get", "secrets", "", "credentials")
    jane.create(repository(ns, S3))


def test_credentials_are_not_sent_elsewhere_by_somebody_who_may_not_read_them(kube, ns, jane):
    kube.apply(repository(ns, S3))
    elsewhere = {"spec": {"backend": {"s3": {"endpoint": "evil.example"}}}}
    assert "get secrets credentials" in refused(jane.patch, "repository", "repo", elsewhere)
    assert "get secrets credentials" in refused(jane.patch, "repository", "repo", {"spec": {"wipeOut": True}})
    jane.patch("repository", "repo", {"metadata": {"labels": {"a": "b"}}})


def test_a_repository_on_a_volume_needs_the_right_to_create_pods(ns, jane):
    jane.grant("get", "secrets")
    text = refused(jane.create, on_volume(ns, CLAIM))
    assert f"spec.backend.local has a volume mounted into pods, and jane may not create pods in namespace {ns}" in text
    jane.grant("create", "pods")
    jane.create(on_volume(ns, CLAIM))


def test_a_directory_of_the_node_is_used_where_the_administrator_allows_it_and_by_who_may_create_pods(kube, ns, jane, tmp_path):
    for path in ("/etc", "/", f"{tmp_path}/../../../../etc"):
        text = refused(kube.apply, on_volume(ns, {"hostPath": {"path": path}}))
        assert f"spec.backend.local.hostPath {path} is at or below no path of the node that the administrator allows" in text
        assert "chart value hostPath.allowed" in text
    jane.grant("get", "secrets")
    assert "create pods in" in refused(jane.create, on_volume(ns, {"hostPath": {"path": str(tmp_path)}}))
    jane.grant("create", "pods")
    jane.create(on_volume(ns, {"hostPath": {"path": str(tmp_path)}}))
    assert "hostPath /etc" in refused(jane.patch, "repository", "repo", {"spec": {"backend": {"local": {"hostPath": {"path": "/etc"}}}}})


def test_a_repository_in_either_version_is_asked_about(ns, jane):
    assert "get secrets credentials" in refused(jane.create, dict(repository(ns, S3), apiVersion="stash.appscode.com/v1beta1"))


def test_what_others_were_allowed_may_be_edited_where_it_touches_no_right(kube, ns, jane):
    kube.apply(configuration(ns, hooks=EXEC))
    for change in ({"schedule": "0 1 1 1 *"}, {"paused": True}, {"retentionPolicy": {"keepLast": 9}}, {"backupHistoryLimit": 3},
                   {"timeOut": "1h"}, {"retryConfig": {"maxRetry": 1}}, {"retryConfig": None}):
        jane.patch("backupconfiguration", "web-backup", {"spec": change})
    jane.patch("backupconfiguration", "web-backup", {"metadata": {"annotations": {"a": "b"}}})
    for change in ({"target": {"ref": {"name": "other"}}}, {"target": {"paths": ["/"]}}, {"repository": {"name": "hers"}}, {"hooks": None},
                   {"runtimeSettings": {"container": {"env": [{"name": "A", "value": "b"}]}}}, {"fieldOfALaterRelease": 1}):
        assert "jane may not patch deployments.apps" in refused(jane.patch, "backupconfiguration", "web-backup", {"spec": change})


def test_while_the_webhook_is_down_only_writes_beyond_the_authors_rights_wait(kube, ns, jane, webhook_is_down):
    kube.apply(configuration(ns, hooks=EXEC), repository(ns, S3, wipeOut=True), on_volume(ns, CLAIM, name="on-claim"), objects.restore_session(ns))
    for kind, name in (("backupconfiguration", "web-backup"), ("repository", "repo"), ("restoresession", "web-restore")):
        wait_until(f"the controller has written the status of the {kind}", lambda: kube.get(kind, name, ns).get("status", {}).get("conditions"), 30)
        kube.kubectl("patch", kind, name, "-n", ns, "--type=merge", "-p", '{"metadata":{"labels":{"a":"b"}}}', f"--as={CONTROLLER}")
    wait_until("the controller has set its finalizer", lambda: kube.get("repository", "repo", ns)["metadata"].get("finalizers"), 30)
    jane.patch("backupconfiguration", "web-backup", {"spec": {"schedule": "0 1 1 1 *", "paused": True}})
    jane.patch("repository", "repo", {"spec": {"wipeOut": False}})
    jane.grant("patch", "deployments", "apps", "web")
    jane.create(configuration(ns, name="hers"))
    for write in (configuration(ns, name="another", hooks=EXEC), configuration(ns, name="another", workload="not-hers"),
                  repository(ns, S3, name="another"), on_volume(ns, CLAIM, name="another"), on_volume(ns, {"hostPath": {"path": "/data"}}, name="another")):
        assert "failed calling webhook" in refused(jane.create, write)
    for kind, name in (("backupconfiguration", "web-backup"), ("backupconfiguration", "hers"), ("repository", "on-claim"), ("restoresession", "web-restore")):
        jane.delete(kind, name)


def test_the_webhook_may_ask_what_it_asked(webhook):
    denied = [line for line in webhook.output().splitlines() if "not_checked" in line or "is forbidden" in line]
    assert not denied, "\n".join(denied[:5])
