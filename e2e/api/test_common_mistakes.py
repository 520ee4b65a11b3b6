"""What people get wrong on their first day, each as they would type it: `kubectl describe` alone tells cause and remedy.

docs/troubleshooting.md quotes these messages; a test below compares the two. In both the namespace is called demo.
"""
import re

import pytest

from stash_e2e import objects, paths
from stash_e2e.kube import CommandFailed, wait_until
from test_programs import workload  # noqa: F401

PAGE = paths.ROOT / "docs/troubleshooting.md"
YEARLY = "0 0 1 1 *"
MISTAKES = {}


def mistake(described, says):
    """Registers a function that makes one mistake in good objects. `described`: what the person asks kubectl about."""
    def register(make):
        MISTAKES[make.__name__] = (make, described, says)
        return make
    return register


CONFIGURATION, REPOSITORY, SESSION = "backupconfiguration/web-backup", "repository/local-repository", "backupsession/by-hand"


@mistake(CONFIGURATION, "namespace demo has not opted in, so nothing is injected there; "
                        "run: kubectl label namespace demo stash.appscode.com/injection=enabled")
def the_namespace_has_no_label(kube, ns, made):
    kube.kubectl("label", "namespace", ns, "stash.appscode.com/injection-")


@mistake(CONFIGURATION, "Repository demo/local-repo does not exist; create it, or correct spec.repository.name")
def the_repository_has_another_name(kube, ns, made):
    made["configuration"]["spec"]["repository"]["name"] = "local-repo"


@mistake(CONFIGURATION, "Secret demo/repository-secret does not exist; create it with the key RESTIC_PASSWORD")
def the_secret_was_forgotten(kube, ns, made):
    del made["secret"]


@mistake(REPOSITORY, "PersistentVolumeClaim demo/backups does not exist; create it, or correct "
                     "spec.backend.local.persistentVolumeClaim.claimName")
def the_claim_was_forgotten(kube, ns, made):
    made["repository"] = objects.repository(ns, "", source={"persistentVolumeClaim": {"claimName": "backups"}})


@mistake(REPOSITORY, "/spec/backend/s3/bucket is missing; set the name of the bucket")
def the_bucket_is_missing(kube, ns, made):
    made["repository"]["spec"]["backend"] = {"storageSecretName": "repository-secret", "s3": {"endpoint": "s3.amazonaws.com"}}


@mistake(CONFIGURATION, "Deployment demo/wbe does not exist; create it, or correct spec.target.ref")
def the_workload_has_another_name(kube, ns, made):
    made["configuration"]["spec"]["target"]["ref"]["name"] = "wbe"


@mistake(CONFIGURATION, "BackupConfiguration demo/web-backup targets PersistentVolumeClaim data of v1, which this version does not "
                        "support; supported: ")
def the_target_is_a_claim(kube, ns, made):
    made["configuration"]["spec"]["target"]["ref"] = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "data"}


@mistake(CONFIGURATION, 'spec.target.volumeMounts names volume "data", which the pod template does not have; correct the name or add '
                        "the volume")
def the_volume_has_another_name(kube, ns, made):
    made["configuration"]["spec"]["target"]["volumeMounts"][0]["name"] = "data"


@mistake(CONFIGURATION, "each backup will fail: /var/lib/web of spec.target.paths is at or below no mountPath of "
                        "spec.target.volumeMounts (/source/data); correct the path, or add the mount")
def the_path_is_in_no_volume(kube, ns, made):
    made["configuration"]["spec"]["target"]["paths"] = ["/var/lib/web"]


@mistake(CONFIGURATION, "BackupConfiguration demo/web-backup names nothing to back up; set spec.target.paths")
def the_paths_were_forgotten(kube, ns, made):
    del made["configuration"]["spec"]["target"]["paths"]


@mistake(CONFIGURATION, 'spec.schedule: Invalid value: "every day": expected exactly 5 fields, found 2: [every day]')
def the_schedule_is_none(kube, ns, made):
    made["configuration"]["spec"]["schedule"] = "every day"


@mistake(CONFIGURATION, 'spec.schedule "0 3 31 2 *" is due on no day of the calendar, so it begins no backup; correct it')
def the_schedule_never_comes(kube, ns, made):
    made["configuration"]["spec"]["schedule"] = "0 3 31 2 *"


@mistake(CONFIGURATION, "paused, so the schedule begins no backup; set spec.paused to false to go on")
def the_configuration_is_paused(kube, ns, made):
    made["configuration"]["spec"]["paused"] = True


@mistake(SESSION, "BackupConfiguration demo/web-backup is paused; set spec.paused to false to back up again")
def a_backup_is_asked_for_while_paused(kube, ns, made):
    made["configuration"]["spec"]["paused"] = True
    made["session"] = objects.backup_session(ns, "by-hand")


@mistake(CONFIGURATION, "spec.retentionPolicy keeps all snapshots, so the repository only grows: set keepLast or another of its rules")
def the_retention_policy_was_forgotten(kube, ns, made):
    del made["configuration"]["spec"]["retentionPolicy"]


@mistake(CONFIGURATION, "unknown, perhaps misspelt: /spec/shedule")
def a_field_is_misspelt(kube, ns, made):
    made["configuration"]["spec"]["shedule"] = YEARLY


@mistake(SESSION, "Deployment demo/web is scaled to 0; only a running pod can reach its volumes, so scale it up")
def the_workload_is_scaled_to_zero(kube, ns, made):
    made["workload"]["spec"]["replicas"] = 0
    made["session"] = objects.backup_session(ns, "by-hand")


@mistake("restoresession/web-restore", "it has no rules, so nothing would be restored; set spec.rules[0].paths")
def the_rules_of_a_restore_were_forgotten(kube, ns, made):
    made["restore"] = objects.restore_session(ns)
    del made["restore"]["spec"]["rules"]


def good_objects(ns, directory):
    return {"secret": objects.secret(ns), "repository": objects.repository(ns, directory / "repository"),
            "workload": objects.deployment(ns, directory / "source"), "configuration": objects.backup_configuration(ns, schedule=YEARLY)}


def describe(kube, ns, what):
    """As the page shows it: in the namespace demo, whatever this one is called."""
    return re.sub(rf"\b{re.escape(ns)}\b", "demo", kube.kubectl("describe", what, "-n", ns))


def wait_until_described(kube, ns, what, says):
    def looks():
        text = describe(kube, ns, what)
        return text if says in text else None
    try:
        return wait_until(f"kubectl describe {what} says: {says}", looks, 30)
    except Exception as failure:
        raise AssertionError(f"{failure}\n{describe(kube, ns, what)}") from failure


@pytest.mark.parametrize("name", MISTAKES)
def test_told(kube, ns, tmp_path, controller, webhook, name):
    make, described, says = MISTAKES[name]
    made = good_objects(ns, tmp_path)
    make(kube, ns, made)
    kube.kubectl_apply(*made.values())
    wait_until_described(kube, ns, described, says)


def test_good_objects_have_no_complaint(kube, ns, tmp_path, controller, webhook):
    made = good_objects(ns, tmp_path)
    configuration = made.pop("configuration")
    kube.kubectl_apply(*made.values())
    # Of what the controller had not seen yet it would complain for a moment.
    kube.kubectl("wait", REPOSITORY, "-n", ns, "--for=condition=Ready", "--timeout=60s")
    kube.kubectl_apply(configuration)
    text = wait_until_described(kube, ns, CONFIGURATION, "backups run by the schedule")
    assert "Phase:" in text and "False" not in text and "Warning" not in text, text


# What the sidecar finds out.
KEY = 'the Secret "repository-secret" has no key RESTIC_PASSWORD'
PASSWORD = "put the one it was created with into RESTIC_PASSWORD of the storage Secret"
NO_PATH = "a path does not exist in the sidecar: "
# What the webhook refuses, so that there is nothing to describe.
HOST_PATH = ("spec.backend.local.hostPath /var/backups is at or below no path of the node that the administrator allows; let him add "
             "it to the chart value hostPath.allowed, or use another volume, such as a persistentVolumeClaim")


def test_a_secret_without_the_password_is_told(kube, ns, workload):  # noqa: F811
    (workload.secret / "RESTIC_PASSWORD").rename(workload.secret / "PASSWORD")
    workload.configure()
    workload.pod("web-1")
    workload.session("by-hand")
    workload.finished("by-hand")
    wait_until_described(kube, ns, SESSION, KEY)


def test_a_password_that_the_repository_was_not_made_with_is_told(kube, ns, workload):  # noqa: F811
    workload.configure()
    workload.pod("web-1")
    workload.session("first")
    assert workload.finished("first")["status"]["phase"] == "Succeeded"
    (workload.secret / "RESTIC_PASSWORD").write_text("another one")
    workload.session("by-hand")
    workload.finished("by-hand")
    wait_until_described(kube, ns, SESSION, PASSWORD)


def test_a_path_that_the_volume_does_not_have_is_told(kube, ns, workload):  # noqa: F811
    workload.configure()
    kube.kubectl("patch", "backupconfiguration", "web-backup", "-n", ns, "--type=merge", "-p",
                 f'{{"spec":{{"target":{{"paths":["{workload.source}/nope"]}}}}}}')
    workload.pod("web-1")
    workload.session("by-hand")
    workload.finished("by-hand")
    wait_until_described(kube, ns, SESSION, f"{NO_PATH}{workload.source}/nope")


def test_a_directory_of_the_node_that_is_not_allowed_is_refused_with_the_remedy(kube, ns, controller, webhook):
    with pytest.raises(CommandFailed, match=re.escape(HOST_PATH)):
        kube.kubectl_apply(objects.repository(ns, "/var/backups"))


def test_the_page_quotes_each_message():
    page = " ".join(PAGE.read_text().split())
    missing = [says for _, _, says in MISTAKES.values() if says.strip() not in page]
    missing += [says for says in (KEY, PASSWORD, NO_PATH.strip(), HOST_PATH) if says not in page]
    assert not missing, f"docs/troubleshooting.md does not quote: {missing}"
