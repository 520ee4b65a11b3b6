"""What namespaces demand of pods, and sidecars that would keep pods from running: the workload runs, with or without us."""
import json

import pytest

from stash_e2e import objects
from stash_e2e.kube import wait_until
from test_bad_paths import condition_becomes
from test_kinds import wait_for_pods
from test_rollouts import configure, names, succeeds, template

RESOURCES = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}


def quota(ns, **hard):
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota", "namespace": ns}, "spec": {"hard": hard}}


def most(ns, memory):
    """A LimitRange that refuses containers above, and fills in nothing for those that state theirs."""
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "most", "namespace": ns},
            "spec": {"limits": [{"type": "Container", "max": {"memory": memory}}]}}


def uids(pods):
    return {pod["metadata"]["uid"] for pod in pods}


def goes_without(place, kind, before):
    """A Deployment's pod from before is never touched: its ReplicaSet is gone back to."""
    pods = wait_for_pods(place, 1, "containers", "stash", there=False)
    assert kind != "Deployment" or uids(pods) == uids(before)


def start(place, kind="Deployment", resources=RESOURCES, source=None):
    place.source.mkdir(parents=True, exist_ok=True)
    (place.source / "data.txt").write_text("worth keeping\n")
    workload = objects.workload(place.ns, kind, place.source)
    workload["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    place.kube.apply(objects.secret(place.ns), objects.repository(place.ns, place.repository, source=source), workload)
    return wait_for_pods(place, 1, "containers", "stash", there=False)


def containers(place, kind="deployment"):
    return names(template(place, kind))


def not_injected(place, reason):
    def probe():
        found = place.kube.condition("backupconfiguration", "web-backup", place.ns, "StashSidecarInjected")
        return found if found and (found["status"], found["reason"]) == ("False", reason) else None
    return wait_until(f"the condition says {reason}", probe, 180)


def quality_of_service(place):
    return {pod["status"]["qosClass"] for pod in wait_for_pods(place, 1, "containers", "stash")}


@pytest.mark.fault("F66", invariants="I1 I3")
@pytest.mark.parametrize("resources, expected", [(RESOURCES, "Burstable"), ({"limits": RESOURCES["limits"]}, "Guaranteed")],
                         ids=["burstable", "guaranteed"])
def test_a_quota_that_demands_requests_and_limits_lets_the_pod_in_and_its_quality_of_service_stays(place, resources, expected):
    place.kube.apply(quota(place.ns, **{"limits.cpu": "4", "limits.memory": "4Gi", "requests.cpu": "1", "requests.memory": "4Gi"}))
    start(place, resources=resources)
    configure(place)
    place.wait_for_sidecar()
    assert quality_of_service(place) == {expected}
    succeeds(place, "in-the-quota")


def test_a_repository_on_a_missing_claim_is_not_injected_until_the_claim_is_there(place):
    start(place, source={"persistentVolumeClaim": {"claimName": "backups"}})
    condition_becomes(place, "repository", "local-repository", "BackendClaimFound", "False")
    configure(place)
    message = not_injected(place, "ClaimMissing")["message"]
    assert "backups" in message and "local-repository" in message, message
    assert containers(place) == ["app"]
    place.repository.mkdir()
    place.kube.apply(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"{place.ns}-backups"},
         "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "",
                  "hostPath": {"path": str(place.repository)}, "claimRef": {"namespace": place.ns, "name": "backups"}}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "backups", "namespace": place.ns},
         "spec": {"accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": f"{place.ns}-backups",
                  "resources": {"requests": {"storage": "1Gi"}}}})
    try:
        wait_until("the sidecar comes with the claim", lambda: containers(place) == ["app", "stash"], 150)
        place.wait_for_sidecar()
        succeeds(place, "on-the-claim")
    finally:
        place.kube.kubectl("delete", "pv", f"{place.ns}-backups", "--wait=false")


@pytest.mark.fault("F66", invariants="I1 I3 I4")
@pytest.mark.parametrize("kind", ["Deployment", pytest.param("DaemonSet", marks=pytest.mark.slow)])
def test_pods_that_are_refused_with_the_sidecar_run_without_it_and_get_it_back_when_it_fits(place, kind):
    before = start(place, kind)
    place.kube.apply(most(place.ns, memory="64Mi"))  # the sidecar's default limit is above
    configure(place, kind)
    message = not_injected(place, "PodsRefused")["message"]
    assert "maximum memory usage per Container is 64Mi" in message and "runtimeSettings" in message, message
    # What is meant to happen is told before it is done.
    wait_until("the sidecar is taken out", lambda: containers(place, kind.lower()) == ["app"], 30)
    goes_without(place, kind, before)
    # Nobody goes on trying.
    written = place.kube.get(kind.lower(), "web", place.ns)["metadata"]["generation"]
    configuration = place.kube.get("backupconfiguration", "web-backup", place.ns)
    assert configuration["status"]["withdrawal"]["attempts"] == 1
    configure(place, kind, runtimeSettings={"container": {"resources": {"limits": {"cpu": "200m", "memory": "64Mi"}}}})
    wait_for_pods(place, 1, "containers", "stash")
    assert place.kube.get(kind.lower(), "web", place.ns)["metadata"]["generation"] == written + 1
    wait_until("the verdict is forgotten", lambda: "withdrawal" not in place.kube.get(
        "backupconfiguration", "web-backup", place.ns)["status"], 60)


SENTENCE = "this namespace has had enough of containers called stash"


@pytest.fixture
def policy(place):
    """Refuses pods with our sidecar, and says nothing from which it could be told that these are meant."""
    api, name = "admissionregistration.k8s.io/v1", place.ns
    place.kube.apply(
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
         "spec": {"failurePolicy": "Fail", "validations": [{"expression": "!object.spec.containers.exists(c, c.name == 'stash')", "message": SENTENCE}],
                  "matchConstraints": {"resourceRules": [
                      {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}]}}},
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
         "spec": {"policyName": name, "validationActions": ["Deny"],
                  "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "nobody-yet"}}}}})

    def set_in_force(yes):
        labels = {"kubernetes.io/metadata.name": place.ns if yes else "nobody-any-more"}
        place.kube.kubectl("patch", "validatingadmissionpolicybinding", name, "--type=merge", "-p", json.dumps(
            {"spec": {"matchResources": {"namespaceSelector": {"matchLabels": labels}}}}))
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asks", "namespace": place.ns},
               "spec": {"containers": [{"name": "stash", "image": objects.SAMPLE_IMAGE}]}}
        wait_until("the policy is heeded", lambda: place.kube.refuses(pod, SENTENCE) == yes, 60)
    yield set_in_force
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        place.kube.delete(kind, name)


@pytest.mark.slow  # a refusal counts after half a minute
@pytest.mark.fault("F66", invariants="I1 I3 I8")
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_a_sidecar_that_stays_although_a_policy_refuses_more_pods_with_it_says_so_in_the_policys_words(place, policy, kind):
    start(place, kind)
    configure(place, kind)
    before = wait_for_pods(place, 1, "containers", "stash")
    policy(True)
    if kind == "Deployment":  # its author rolls out; a StatefulSet would delete its pod first, and nothing of it would run any more
        place.kube.kubectl("set", "env", "deployment/web", "-n", place.ns, "VERSION=2")
    else:
        place.kube.kubectl("scale", "statefulset/web", "-n", place.ns, "--replicas=2")
    said = wait_until("the condition names the refusal", lambda: (
        c := place.kube.condition("backupconfiguration", "web-backup", place.ns, "StashSidecarInjected")) and c["reason"] == "PodsRefused" and c, 120)
    assert said["status"] == "True" and SENTENCE in said["message"] and "so it stays" in said["message"], said
    place.kube.wait_for_event(place.ns, "web-backup", SENTENCE)
    assert "withdrawal" not in place.kube.get("backupconfiguration", "web-backup", place.ns)["status"]
    assert uids(wait_for_pods(place, 1, "containers", "stash")) == uids(before)
    if kind == "Deployment":
        succeeds(place, "meanwhile")
    now = place.kube.condition("backupconfiguration", "web-backup", place.ns, "StashSidecarInjected")
    assert now == said, "what it says stays the same from try to try of Kubernetes, or each would be news"
    policy(False)
    if kind == "Deployment":
        place.kube.kubectl("set", "env", "deployment/web", "-n", place.ns, "VERSION=3")  # else Kubernetes waits ever longer between its tries
    else:
        place.kube.kubectl("scale", "statefulset/web", "-n", place.ns, "--replicas=1")
    wait_for_pods(place, 1, "containers", "stash")
    wait_until("all is well again", lambda: place.kube.condition(
        "backupconfiguration", "web-backup", place.ns, "StashSidecarInjected")["reason"] == "SidecarInjectionSucceeded", 60)
    succeeds(place, "afterwards")


PROGRAMS = {"stash-webhook": "webhook", "stash-operator": "controller"}


def set_arguments(kube, arguments):
    """Webhook and controller start anew with them; returns those from before."""
    before = {}
    for name, container in PROGRAMS.items():
        found = kube.get("deployment", name, "stash")["spec"]["template"]["spec"]["containers"]
        index = [c["name"] for c in found].index(container)
        before[name] = found[index]["args"]
        kube.kubectl("patch", "deployment", name, "-n", "stash", "--type=json", "-p", json.dumps(
            [{"op": "replace", "path": f"/spec/template/spec/containers/{index}/args", "value": arguments(name, before[name])}]))
    for name in PROGRAMS:
        kube.rollout(name, "stash")
    return before


@pytest.fixture
def image_that_nobody_has(kube):
    """Webhook and controller go on to run, but what they inject cannot be pulled. Calling it ends that."""
    before = set_arguments(kube, lambda _, args: [
        "--image=localhost/stash:nobody-has-it" if a.startswith("--image=") else a for a in args])

    def end():
        set_arguments(kube, lambda name, _: before[name])
    yield end
    end()


@pytest.mark.alone
@pytest.mark.slow  # the kubelet is given a minute
@pytest.mark.fault("F50", invariants="I1 I3 I4")
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_a_sidecar_whose_image_cannot_be_pulled_is_taken_out_until_there_is_another(place, image_that_nobody_has, kind):
    before = start(place, kind)
    configure(place, kind)
    wait_until("the template has the sidecar", lambda: containers(place, kind.lower()) == ["app", "stash"], 60)
    message = not_injected(place, "ImagePullFailed")["message"]
    assert "nobody-has-it" in message and "tried again at" in message, message
    goes_without(place, kind, before)
    image_that_nobody_has()
    wait_until("the sidecar comes back with another image", lambda: containers(place, kind.lower()) == ["app", "stash"], 120)
    wait_for_pods(place, 1, "containers", "stash")
    place.kube.kubectl("wait", "backupconfiguration/web-backup", "-n", place.ns, "--for=condition=Ready", "--timeout=60s")
    succeeds(place, "with-another-image")
