"""Backup by annotation, against a real API server with the chart's own rights: what is made, changed, taken away and left alone.

There is no garbage collector here; that a deleted workload takes its BackupConfiguration along is in e2e/tests/test_blueprints.py.
"""
import json
import time

import pytest

from stash_e2e import objects
from stash_e2e.kube import CommandFailed, wait_until
from test_authors import User, refused

ASK, PATHS, MOUNTS = (f"stash.appscode.com/{name}" for name in ("backup-blueprint", "target-paths", "volume-mounts"))
NAME = "deployment-web"
S3 = {"s3": {"endpoint": "s3.demo.svc", "bucket": "b", "prefix": "${TARGET_NAMESPACE}/${TARGET_KIND}/${TARGET_NAME}"}}


def blueprint(name, backend=None, **spec):
    return {"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupBlueprint", "metadata": {"name": name},
            "spec": dict({"backend": dict(backend or S3, storageSecretName="backups"), "schedule": "0 0 1 1 *",
                          "retentionPolicy": {"name": "keep-last-5", "keepLast": 5, "prune": True}}, **spec)}


def annotated(made, name, paths=objects.SOURCE, mounts=f"source-data:{objects.SOURCE}"):
    made["metadata"]["annotations"] = {ASK: name, PATHS: paths, MOUNTS: mounts}
    return made


class Scene:
    """A namespace and a blueprint of the same name."""

    def __init__(self, kube, ns):
        self.kube, self.ns = kube, ns

    def blueprint(self, **spec):
        self.kube.apply(blueprint(self.ns, **spec))

    def workload(self, **annotations):
        self.kube.apply(annotated(objects.deployment(self.ns, "/data/web"), self.ns, **annotations))

    def annotate(self, *changes, kind="deployment", name="web"):
        self.kube.kubectl("annotate", kind, name, "-n", self.ns, "--overwrite", *changes)

    def get(self, kind, name=NAME):
        return self.kube.get(kind, name, self.ns)

    def made(self, name=NAME):
        return wait_until("the BackupConfiguration is there", lambda: self.get("backupconfiguration", name), 30)

    def event(self, reason, text=""):
        def look():
            for event in self.kube.list("events", self.ns):
                if event["reason"] == reason and event["involvedObject"]["kind"] in ("Deployment", "StatefulSet") and text in event["message"]:
                    return event
            return None
        return wait_until(f"an event {reason} with {text!r}", look, 30)

    def condition(self, kind):
        conditions = self.kube.get("backupblueprint", self.ns).get("status", {}).get("conditions", [])
        found = {c["type"]: c for c in conditions}.get(kind)
        return found and (found["status"], found["reason"], found["message"])

    def wait_for_condition(self, kind, *begin):
        return wait_until(f"{kind} is {begin}", lambda: (self.condition(kind) or ())[:len(begin)] == begin and self.condition(kind), 30)


@pytest.fixture
def scene(kube, ns, controller):
    made = Scene(kube, ns)
    yield made
    kube.delete("backupblueprint", made.ns)


def left_alone(look, seconds=2.0):
    """`look` gives the same for a while."""
    before = look()
    time.sleep(seconds)
    assert look() == before


def test_an_annotated_workload_is_backed_up_and_without_the_annotation_no_more(scene, webhook):
    scene.kube.apply(objects.secret(scene.ns, "backups"))
    scene.workload()
    scene.event("BackupBlueprintNotFound", "create it, or correct the annotation")
    scene.blueprint()
    made = scene.made()
    owner = scene.get("deployment", "web")["metadata"]["uid"]
    assert [(o["kind"], o["uid"], o["controller"]) for o in made["metadata"]["ownerReferences"]] == [("Deployment", owner, True)]
    assert made["spec"]["target"] == {"ref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "paths": [objects.SOURCE],
                                      "volumeMounts": [{"name": "source-data", "mountPath": objects.SOURCE}]}
    assert (made["spec"]["schedule"], made["spec"]["repository"]) == ("0 0 1 1 *", {"name": NAME})
    assert scene.get("repository")["spec"]["backend"]["s3"]["prefix"] == f"{scene.ns}/deployment/web"
    scene.event("BackupBlueprintApplied", f"BackupConfiguration {scene.ns}/{NAME} made as BackupBlueprint {scene.ns} says")
    assert scene.wait_for_condition("Applied", "True", "AllGood", "1 workload is backed up by it")
    scene.kube.kubectl("wait", f"backupblueprint/{scene.ns}", "--for=condition=Ready", "--timeout=30s")
    wait_until("the sidecar is there", lambda: "stash" in [c["name"] for c in scene.get("deployment", "web")["spec"]["template"]["spec"]["containers"]], 60)
    wait_until("the CronJob is there", lambda: scene.get("cronjob", f"stash-backup-{NAME}"), 30)

    scene.annotate(f"{ASK}-")
    wait_until("the BackupConfiguration is gone", lambda: scene.get("backupconfiguration") is None, 30)
    assert scene.get("repository")
    assert scene.wait_for_condition("Applied", "True", "AllGood", "no workload names it")
    wait_until("the sidecar is gone", lambda: "stash" not in [c["name"] for c in scene.get("deployment", "web")["spec"]["template"]["spec"]["containers"]], 60)
    scene.annotate(f"{ASK}={scene.ns}")
    scene.made()


def test_a_change_of_annotation_or_blueprint_changes_what_was_made_and_keeps_what_others_added(scene):
    scene.blueprint()
    scene.workload()
    scene.made()
    scene.kube.kubectl("patch", "backupconfiguration", NAME, "-n", scene.ns, "--type=merge", "-p", '{"spec":{"paused":true}}')
    scene.annotate(f"{PATHS}={objects.SOURCE}/a,{objects.SOURCE}/b", f"{MOUNTS}=source-data:{objects.SOURCE}:inner")
    wait_until("the paths are others", lambda: scene.get("backupconfiguration")["spec"]["target"]["paths"] == [f"{objects.SOURCE}/a", f"{objects.SOURCE}/b"], 30)
    assert scene.get("backupconfiguration")["spec"]["target"]["volumeMounts"][0]["subPath"] == "inner"
    scene.blueprint(schedule="0 0 2 2 *", timeOut="2h")
    wait_until("the schedule is another", lambda: scene.get("backupconfiguration")["spec"]["schedule"] == "0 0 2 2 *", 30)
    assert (scene.get("backupconfiguration")["spec"]["paused"], scene.get("backupconfiguration")["spec"]["timeOut"]) == (True, "2h")
    scene.blueprint(schedule="0 0 2 2 *")
    wait_until("the field is gone", lambda: "timeOut" not in scene.get("backupconfiguration")["spec"], 30)
    assert scene.get("backupconfiguration")["spec"]["paused"] is True
    scene.kube.delete("backupconfiguration", NAME, scene.ns)
    assert "paused" not in scene.made()["spec"]


def test_objects_of_that_name_that_the_user_made_are_left_alone(scene, webhook):
    mine = objects.backup_configuration(scene.ns, NAME, schedule="0 0 3 3 *")
    scene.blueprint()
    scene.kube.apply(mine)
    scene.workload()
    scene.event("NameTaken", f"BackupConfiguration {scene.ns}/{NAME} exists already")
    wait_until("it says why not", lambda: [said for said in [scene.condition("Applied")] if said and said[0] == "False"
                                           and said[2].startswith("not for 1 of 1 workload: NameTaken 1")], 30)
    assert scene.get("repository") is None
    left_alone(lambda: scene.get("backupconfiguration")["spec"])
    scene.annotate(f"{ASK}-")
    left_alone(lambda: scene.get("backupconfiguration")["metadata"]["uid"])

    scene.kube.delete("backupconfiguration", NAME, scene.ns)
    scene.kube.apply(objects.repository(scene.ns, "/data/mine", NAME))
    scene.annotate(f"{ASK}={scene.ns}")
    scene.event("NameTaken", f"Repository {scene.ns}/{NAME} exists already")
    left_alone(lambda: (scene.get("repository")["spec"], scene.get("backupconfiguration")))
    assert scene.get("backupconfiguration") is None


def test_a_repository_with_backups_keeps_its_place_when_its_blueprint_moves(scene):
    scene.blueprint()
    scene.workload()
    scene.made()
    moved = {"s3": dict(S3["s3"], bucket="second")}
    scene.blueprint(backend=moved)
    wait_until("a Repository without backups follows", lambda: scene.get("repository")["spec"]["backend"]["s3"]["bucket"] == "second", 30)
    scene.kube.kubectl("patch", "repository", NAME, "-n", scene.ns, "--subresource=status", "--type=merge", "-p",
                       '{"status":{"firstBackupTime":"2026-01-01T00:00:00Z"}}')
    scene.blueprint(backend={"s3": dict(S3["s3"], bucket="third")}, schedule="0 0 4 4 *")
    scene.event("RepositoryKept", "stays where its backups are")
    wait_until("the schedule follows", lambda: scene.get("backupconfiguration")["spec"]["schedule"] == "0 0 4 4 *", 30)
    assert scene.get("repository")["spec"]["backend"]["s3"]["bucket"] == "second"


def test_a_mistake_is_told_and_takes_no_backup_away(scene):
    scene.blueprint()
    scene.workload()
    scene.made()
    scene.annotate(f"{MOUNTS}=other:{objects.SOURCE}")
    scene.event("BackupAnnotationInvalid", "names the volume other, which the pod does not have; it has source-data")
    scene.annotate(f"{MOUNTS}=source-data:{objects.SOURCE}", f"{PATHS}-")
    scene.event("BackupAnnotationInvalid", f"annotation {PATHS} is missing")
    scene.annotate(f"{PATHS}={objects.SOURCE}")
    scene.wait_for_condition("Applied", "True")
    scene.blueprint(backend={"s3": dict(S3["s3"], prefix="${TARGET}")})
    scene.event("BackupBlueprintInvalid", "/spec/backend/s3/prefix: ${TARGET} is no variable")
    assert "${TARGET} is no variable" in scene.wait_for_condition("Ready", "False", "BackupBlueprintInvalid")[2]
    assert scene.get("backupconfiguration") and scene.get("repository")["spec"]["backend"]["s3"]["prefix"] == f"{scene.ns}/deployment/web"
    scene.kube.delete("backupblueprint", scene.ns)
    scene.event("BackupBlueprintNotFound")
    assert scene.get("backupconfiguration")


def test_a_namespace_that_did_not_ask_gets_nothing_until_it_does(scene):
    scene.ns += "-not"  # of one that did ask the controller may still believe that it does
    scene.kube.apply(objects.namespace(scene.ns, opted_in=False))
    scene.blueprint()
    scene.workload()
    scene.event("NamespaceNotOptedIn", "has not opted in")
    left_alone(lambda: (scene.get("repository"), scene.get("backupconfiguration")))
    assert scene.get("backupconfiguration") is None
    scene.kube.kubectl("label", "namespace", scene.ns, "stash.appscode.com/injection=enabled")
    scene.made()


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "DeploymentConfig"])
def test_every_kind_of_workload_can_ask(scene, kind):
    scene.blueprint()
    scene.kube.apply(annotated(objects.workload(scene.ns, kind, "/data/web"), scene.ns))
    made = scene.made(f"{kind.lower()}-web")
    assert made["spec"]["target"]["ref"]["kind"] == made["metadata"]["ownerReferences"][0]["kind"] == kind
    assert scene.get("repository", f"{kind.lower()}-web")["spec"]["backend"]["s3"]["prefix"] == f"{scene.ns}/{kind.lower()}/web"


def test_what_another_workload_made_asks_for_nothing_with_the_annotations_that_it_got(scene):
    """A Deployment hands its annotations down to its ReplicaSets."""
    scene.blueprint()
    scene.workload()
    scene.made()
    made = annotated(objects.workload(scene.ns, "ReplicaSet", "/data/web", name="web-1"), scene.ns)
    made["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True,
                                            "uid": scene.get("deployment", "web")["metadata"]["uid"]}]
    scene.kube.apply(made)
    left_alone(lambda: len(scene.kube.list("backupconfigurations", scene.ns)))


def test_a_volume_as_a_blueprints_backend_is_the_operators_to_use_and_a_nodes_directory_the_administrators(scene, webhook):
    claim = {"local": {"mountPath": "/safe", "subPath": "${TARGET_KIND}/${TARGET_NAME}", "persistentVolumeClaim": {"claimName": "backups"}}}
    scene.blueprint(backend=claim)
    scene.workload()
    scene.made()
    assert scene.get("repository")["spec"]["backend"]["local"]["subPath"] == "deployment/web"
    forbidden = blueprint(f"{scene.ns}-node", {"local": {"mountPath": "/safe", "hostPath": {"path": "/etc/${TARGET_NAME}"}}})
    with pytest.raises(CommandFailed, match="hostPath"):
        scene.kube.kubectl("create", "-f", "-", stdin=json.dumps(forbidden))


def test_who_writes_a_blueprint_has_the_rights_that_it_uses_in_all_namespaces(scene, webhook):
    kube, name = scene.kube, f"{scene.ns}-ruth"
    api = "rbac.authorization.k8s.io"

    def grant(role, group, resource, verb):
        kube.apply({"apiVersion": f"{api}/v1", "kind": "ClusterRole", "metadata": {"name": f"{name}-{role}"},
                    "rules": [{"apiGroups": [group], "resources": [resource], "verbs": [verb]}]},
                   {"apiVersion": f"{api}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": f"{name}-{role}"},
                    "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": f"{name}-{role}"},
                    "subjects": [{"apiGroup": api, "kind": "Group", "name": "ruths-team"}]})

    ruth = User(kube, scene.ns, "ruth")
    ruth.identity = ruth.identity[:2]  # no namespace
    grant("blueprints", "stash.appscode.com", "backupblueprints", "*")
    wait_until("she may write them", lambda: ruth.may({"verb": "create", "group": "stash.appscode.com", "resource": "backupblueprints"}), 30, every=0.05)
    wanted = blueprint(name, runtimeSettings={"container": {"nice": {"adjustment": 5}}})
    said = refused(ruth.create, wanted)
    assert "may not get secrets backups in all namespaces" in said and "may not patch deployments.apps in all namespaces" in said
    grant("secrets", "", "secrets", "get")
    wait_until("she may read Secrets", lambda: ruth.may({"verb": "get", "resource": "secrets"}), 30, every=0.05)
    assert "secrets" not in refused(ruth.create, wanted)
    del wanted["spec"]["runtimeSettings"]
    ruth.create(wanted)
    table = kube.kubectl("get", "bb", name).splitlines()
    assert table[0].split() == ["NAME", "TASK", "SCHEDULE", "READY", "AGE"]
    kube.delete("backupblueprint", name)
    kube.delete("clusterrolebinding", f"{name}-secrets")
