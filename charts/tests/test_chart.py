"""The chart against a real API server without a node: what it installs, keeps and leaves behind, and what its rights allow."""
import base64
import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CHARTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHARTS.parent / "e2e"))
from stash_e2e import objects as objects_of, paths, previous  # noqa: E402
from stash_e2e.kube import CommandFailed, Kube, run, wait_until  # noqa: E402

CHART = CHARTS / "stash"
VALUES = ["-f", CHART / "ci/test-values.yaml"]
CONTROLLER = "system:serviceaccount:stash:stash-operator"
WEBHOOK = "system:serviceaccount:stash:stash-webhook"
pytestmark = pytest.mark.xdist_group("chart")  # one API server, on which releases come and go
WEBHOOK_CONFIGURATIONS = {"mutatingwebhookconfigurations": "stash-injector", "validatingwebhookconfigurations": "stash-warnings"}


@pytest.fixture(scope="module")
def kube():
    name = f"chart-{os.getpid()}"
    subprocess.run([paths.CLUSTER_COMMAND, "api-up", name], check=True)
    yield Kube(name)
    subprocess.run([paths.CLUSTER_COMMAND, "down", name], check=True)


@pytest.fixture
def release(kube):
    """An installed release; every test starts and ends without one."""
    install(kube)
    # Of each binding the API server's authorizer hears apart, and later.
    certificate_secret = ("secrets/stash-webhook-cert", "-n", "stash")
    for right in ((CONTROLLER, "create", "roles", "-n", "default"), (CONTROLLER, "patch", *certificate_secret),
                  (WEBHOOK, "create", "subjectaccessreviews.authorization.k8s.io"), (WEBHOOK, "watch", *certificate_secret)):
        wait_until("the API server knows the roles", lambda: may(kube, *right), 30)
    yield kube
    uninstall(kube)


@pytest.fixture(scope="module")
def previous_chart(tmp_path_factory):
    return previous.chart(tmp_path_factory.mktemp("previous"))


def install(kube, *more):
    kube.helm("upgrade", "--install", "stash", CHART, "-n", "stash", "--create-namespace", *VALUES, *more)


def uninstall(kube):
    kube.helm("uninstall", "stash", "-n", "stash", "--ignore-not-found")


def render(*more, name="stash"):
    text = run([paths.HELM, "template", name, CHART, "-n", "stash", *more])
    return [o for o in yaml.safe_load_all(text) if o]


def pods_of(objects):
    return {o["metadata"]["name"]: o["spec"]["template"] for o in objects if o["kind"] == "Deployment"}


def may(kube, account, verb, resource, *more):
    done = subprocess.run([paths.KUBECTL, "auth", "can-i", verb, resource, f"--as={account}", *more], env=kube.env,
                          capture_output=True, text=True)
    return done.stdout.strip() == "yes"


@pytest.mark.parametrize("values", [[], VALUES], ids=["defaults", "test values"])
def test_the_chart_passes_strict_lint(values):
    run([paths.HELM, "lint", "--strict", CHART, *values])


@pytest.mark.parametrize("name, operator", [("stash", "stash-operator"), ("my-stash", "my-stash-operator"),
                                            ("backup", "backup-stash-operator")])
def test_objects_are_named_after_the_release(name, operator):
    assert operator in pods_of(render(name=name))


def test_nothing_of_the_whole_cluster_has_the_name_of_an_object_of_appscodes_documented_release():
    """helm would refuse to install ours beside it; and made to adopt it, lose it when the old release goes."""
    names = {o["metadata"]["name"] for o in render() if "namespace" not in o["metadata"]}
    assert "stash-controller" in names and "stash-operator" not in names


def test_only_writes_that_need_a_right_are_refused_while_the_webhook_is_down():
    hooks = [(o["kind"], hook) for o in render() if "webhooks" in o for hook in o["webhooks"]]
    closed = {hook["name"]: hook for kind, hook in hooks if hook["failurePolicy"] != "Ignore"}
    assert closed.keys() == {f"{kind}.authorization.stash.appscode.com" for kind in ("repository", "backupconfiguration", "restoresession", "backupblueprint")}
    for hook in closed.values():
        assert hook["clientConfig"]["service"]["path"] == "/authorize" and len(hook["matchConditions"]) == 2
        assert [rule["operations"] for rule in hook["rules"]] == [["CREATE", "UPDATE"]] and hook["rules"][0]["apiGroups"] == [STASH]
        assert not [resource for resource in hook["rules"][0]["resources"] if "/" in resource], "statuses are never asked about"


def test_chart_and_webhook_agree_on_the_fields_that_need_no_right():
    source = (CHARTS.parent / "webhook/author_check.cc").read_text()
    fields = re.findall(r'"(\w+)"', re.search(r"harmless_fields\(\) \{.*?\{(.*?)\}", source, re.S)[1])
    expressions = [c["expression"] for o in render() for hook in o.get("webhooks", []) for c in hook.get("matchConditions", [])]
    lists = [re.findall(r"'(\w+)'", found) for e in expressions for found in re.findall(r"field in \[(.*?)\]", e)]
    assert len(fields) == 6 and lists == [fields] * 6


def test_all_options_at_once_make_objects_that_the_api_server_takes(kube):
    kube.helm("install", "stash", CHART, "-n", "default", "--dry-run=server", "--set", ",".join([
        "monitoring.annotations=true", "podAnnotations.a=b", "injection.mode=opt-out", "webhook.replicas=3", "operator.replicas=2",
        "imagePullSecrets[0].name=pull", f"image.digest=sha256:{'a' * 64}", "operator.priorityClassName=system-cluster-critical",
        "webhook.tolerations[0].operator=Exists", "hostPath.allowed={/srv/backups}", "nameOverride=copy", "crds.install=false", "podLabels.a=b",
        "annotations.a=b", "serviceAccount.annotations.a=b", "sidecar.upgrade=at-once", "pushgateway.url=http://gateway:9091",
        "networkPolicy.enabled=true", "networkPolicy.egress[0].ports[0].port=443"]))


def test_every_pod_passes_pod_security_restricted(kube):
    kube.apply({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": "restricted", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    for name, template in pods_of(render()).items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "restricted"},
               "spec": dict(copy.deepcopy(template["spec"]), serviceAccountName="default")}
        kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "restricted"}})
        kube.kubectl("create", "-f", "-", "--dry-run=server", stdin=json.dumps(pod))


def test_only_the_controller_holds_the_operators_token():
    operator = pods_of(render())["stash-operator"]["spec"]
    assert operator["automountServiceAccountToken"] is False
    mounts = {c["name"]: [m["name"] for m in c.get("volumeMounts", [])] for c in operator["containers"]}
    assert mounts == {"controller": ["api-access"], "pushgateway": []}


def test_an_upgrade_keeps_the_ca_bundle_and_the_certificate(release):
    bundle = base64.b64encode(certificate()).decode()
    for kind, name in WEBHOOK_CONFIGURATIONS.items():
        for index in range(len(release.get(kind, name)["webhooks"])):
            patch = [{"op": "add", "path": f"/webhooks/{index}/clientConfig/caBundle", "value": bundle}]
            release.kubectl("patch", kind, name, "--type=json", "-p", json.dumps(patch), f"--as={CONTROLLER}")
    release.kubectl("patch", "secret", "stash-webhook-cert", "-n", "stash", "-p", json.dumps({"data": {"tls.crt": bundle}}),
                    f"--as={CONTROLLER}")
    install(release, "--set", "logLevel=debug,injection.mode=opt-out")
    for kind, name in WEBHOOK_CONFIGURATIONS.items():
        assert {h["clientConfig"].get("caBundle") for h in release.get(kind, name)["webhooks"]} == {bundle}
    assert release.get("secret", "stash-webhook-cert", "stash")["data"] == {"tls.crt": bundle}


def certificate():
    """Any certificate: the API server checks that a caBundle is one."""
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-keyout", "/dev/null", "-subj", "/CN=any", "-days", "1"], capture_output=True, check=True)
    return done.stdout


def test_uninstall_leaves_no_webhook_configuration_keeps_the_crds_and_a_new_install_takes_them_over(kube):
    install(kube)
    before = [o["metadata"]["name"] for o in kube.list("crd")]
    assert len([name for name in before if name.endswith(".stash.appscode.com")]) == 6
    try:
        uninstall(kube)
        for kind in [*WEBHOOK_CONFIGURATIONS, "clusterroles", "clusterrolebindings"]:
            assert not [o["metadata"]["name"] for o in kube.list(kind) if o["metadata"]["name"].startswith("stash-")]
        assert kube.get("secret", "stash-webhook-cert", "stash") is None
        assert [o["metadata"]["name"] for o in kube.list("crd")] == before
        install(kube)
    finally:
        uninstall(kube)


def test_an_upgrade_from_the_chart_of_an_earlier_commit_keeps_the_objects_and_brings_the_crds(kube, previous_chart):
    on_a_claim = {"persistentVolumeClaim": {"claimName": "backups"}}  # of a hostPath the webhook would be asked, and there is none
    objects = [("repository", objects_of.repository("default", None, source=on_a_claim)),
               ("backupconfiguration", objects_of.backup_configuration("default", schedule="0 0 1 1 *"))]
    kube.helm("install", "stash", previous_chart, "-n", "stash", "--create-namespace", "-f", previous_chart / "ci/test-values.yaml")
    try:
        kube.wait_for_crds()
        kube.apply(*(one for _, one in objects))
        before = [kube.get(kind, one["metadata"]["name"], "default")["spec"] for kind, one in objects]
        # What people do who do not keep their values in a file: the release's own lack all that is new in the chart.
        kube.helm("upgrade", "stash", CHART, "-n", "stash", "--reuse-values")
        assert [kube.get(kind, one["metadata"]["name"], "default")["spec"] for kind, one in objects] == before
        for crd in [o for o in render() if o["kind"] == "CustomResourceDefinition"]:
            live = kube.get("crd", crd["metadata"]["name"])
            assert live["spec"]["versions"][0]["schema"] == crd["spec"]["versions"][0]["schema"]
        kube.helm("rollback", "stash", "1", "-n", "stash")
        assert [kube.get(kind, one["metadata"]["name"], "default")["spec"] for kind, one in objects] == before
    finally:
        for kind, one in objects:
            kube.delete(kind, one["metadata"]["name"], "default")
        uninstall(kube)


def test_crds_that_another_installer_made_are_taken_over_on_demand(kube):
    crds = [o for o in render() if o["kind"] == "CustomResourceDefinition"]
    # The API server tries to empty a CRD again and again, ever more slowly.
    kube.kubectl("delete", "crd", *(crd["metadata"]["name"] for crd in crds), "--ignore-not-found", timeout=300)
    kube.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        dict(crd, metadata={"name": crd["metadata"]["name"]}) for crd in crds]}))
    try:
        with pytest.raises(CommandFailed, match="take-ownership|invalid ownership"):
            install(kube)
        install(kube, "--take-ownership")
    finally:
        uninstall(kube)


def manifests():
    """What README, the examples and the chart's notes tell users to apply, as (where, text)."""
    found = [(path.name, path.read_text()) for path in sorted((CHARTS.parent / "docs/examples").glob("*.yaml"))]
    readme = (CHARTS.parent / "README.md").read_text()
    found += [(f"README block {i}", text) for i, text in enumerate(re.findall(r"```yaml\n(.*?)```", readme, re.S))]
    notes = re.search(r"<<EOF\n(.*?)EOF", (CHART / "templates/NOTES.txt").read_text(), re.S)[1]
    return found + [("NOTES.txt", re.sub("^  ", "", notes, flags=re.M).replace("DEPLOYMENT", "web").replace("CLAIM", "claim").replace("VOLUME", "data"))]


@pytest.mark.parametrize("text", [text for _, text in manifests()], ids=[where for where, _ in manifests()])
def test_every_manifest_that_users_are_shown_is_accepted_without_a_warning(release, text):
    release.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}})
    release.wait_for_crds()
    done = subprocess.run([paths.KUBECTL, "create", "-n", "demo", "--dry-run=server", "--validate=strict", "-f", "-"],
                          input="\n---\n".join(part for part in text.split("---\n") if "kind: Namespace" not in part),
                          env=release.env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_webhook_reads_its_own_secret_and_no_other_asks_who_may_do_what_and_writes_nothing(release):
    assert may(release, WEBHOOK, "watch", "secrets/stash-webhook-cert", "-n", "stash")
    assert not may(release, WEBHOOK, "watch", "secrets/another", "-n", "stash")
    assert not may(release, WEBHOOK, "watch", "secrets/stash-webhook-cert", "-n", "default")
    rules = [r for o in render() if o["kind"] in ("Role", "ClusterRole") and o["metadata"]["name"] == "stash-webhook" for r in o["rules"]]
    assert {verb for r in rules for verb in r["verbs"] if r["resources"] != ["subjectaccessreviews"]} == {"list", "watch"}
    assert may(release, WEBHOOK, "create", "subjectaccessreviews.authorization.k8s.io")


def test_the_controller_lists_no_secrets_and_changes_no_foreign_webhook(release):
    for verb in ("list", "watch", "create", "patch", "delete"):
        assert not may(release, CONTROLLER, verb, "secrets", "-n", "default")
    assert not may(release, CONTROLLER, "patch", "mutatingwebhookconfigurations/another")
    assert not may(release, CONTROLLER, "create", "pods", "-n", "default")


@pytest.mark.parametrize("allowed", [True, False])
def test_the_right_to_run_programs_in_containers_can_be_taken_away(release, allowed):
    if not allowed:
        install(release, "--set", "hooks.exec=false")
    for verb in ("get", "create"):
        wait_until("the API server knows the role", lambda: may(release, CONTROLLER, verb, "pods", "--subresource=exec", "-n", "default") is allowed, 30)
        assert not may(release, WEBHOOK, verb, "pods", "--subresource=exec", "-n", "default")
    for subresource in ("attach", "portforward"):
        assert not may(release, CONTROLLER, "create", "pods", f"--subresource={subresource}", "-n", "default")
    told = [arg for template in pods_of(render("--set", f"hooks.exec={str(allowed).lower()}")).values()
            for container in template["spec"]["containers"] for arg in container.get("args", []) if "exec-hooks" in arg]
    assert told == [f"--exec-hooks={str(allowed).lower()}"] * 2


STASH = "stash.appscode.com"
GRANTED = {  # what decisions D16 and D17 put into Roles
    "stash-sidecar-deployment-web": [
        {"apiGroups": [STASH], "resources": ["backupsessions"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [STASH], "resources": ["backupsessions/status"], "verbs": ["patch"]},
        {"apiGroups": [STASH], "resources": ["backupconfigurations"], "resourceNames": ["web"], "verbs": ["get"]},
        {"apiGroups": [STASH], "resources": ["repositories"], "resourceNames": ["local"], "verbs": ["get"]},
        {"apiGroups": [STASH], "resources": ["repositories/status"], "resourceNames": ["local"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}],
    "stash-restore-init-container-deployment-web": [
        {"apiGroups": [STASH], "resources": ["restoresessions"], "verbs": ["get", "watch"]},
        {"apiGroups": [STASH], "resources": ["restoresessions/status"], "verbs": ["patch"]},
        {"apiGroups": [STASH], "resources": ["repositories"], "resourceNames": ["local"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}],
    "stash-cron-job-web": [
        {"apiGroups": [STASH], "resources": ["backupsessions"], "verbs": ["create", "list"]},
        {"apiGroups": [STASH], "resources": ["backupconfigurations"], "resourceNames": ["web"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}]}


@pytest.mark.parametrize("name", GRANTED)
def test_the_controller_may_grant_what_sidecars_and_cronjob_pods_need(release, name):
    create_role(release, name, GRANTED[name])


def test_the_controller_cannot_grant_what_it_lacks(release):
    with pytest.raises(CommandFailed, match="attempting to grant"):
        create_role(release, "too-much", [{"apiGroups": [""], "resources": ["pods/attach"], "verbs": ["create"]}])


def create_role(kube, name, rules):
    """Role and binding in one namespace, as the controller makes them."""
    api = "rbac.authorization.k8s.io/v1"
    role = {"apiVersion": api, "kind": "Role", "metadata": {"name": name, "namespace": "default"}, "rules": rules}
    binding = {"apiVersion": api, "kind": "RoleBinding", "metadata": {"name": name, "namespace": "default"},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
               "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "default"}]}
    for item in (role, binding):
        kube.kubectl("create", "-f", "-", f"--as={CONTROLLER}", stdin=json.dumps(item))
        kube.kubectl("delete", item["kind"], name, "-n", "default", f"--as={CONTROLLER}") if item is binding else None
    kube.kubectl("delete", "role", name, "-n", "default", f"--as={CONTROLLER}")
