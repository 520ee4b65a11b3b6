"""Policies about workloads, not about pods: what they refuse is our nudge, and never a write of the author's for our sake."""
import json

import pytest

from stash_e2e import objects
from stash_e2e.kube import CommandFailed, wait_until

from test_programs import containers, workload  # noqa: F401

SENTENCE = "this namespace has had enough of such workloads"
NO_SIDECAR = "!object.spec.template.spec.containers.exists(c, c.name == 'stash')"
NO_INIT_CONTAINER = "!has(object.spec.template.spec.initContainers) || !object.spec.template.spec.initContainers.exists(c, c.name == 'stash-init')"


class Policy:
    """A ValidatingAdmissionPolicy about the Deployments of one namespace. One called "asks" it always refuses."""

    def __init__(self, kube, ns):
        self.kube, self.ns = kube, ns

    def enforce(self, expression):
        api = "admissionregistration.k8s.io/v1"
        self.kube.apply(
            {"apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": self.ns},
             "spec": {"failurePolicy": "Fail", "validations": [{"expression": f"object.metadata.name != 'asks' && ({expression})", "message": SENTENCE}],
                      "matchConstraints": {"resourceRules": [
                          {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE", "UPDATE"]}]}}},
            {"apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": self.ns},
             "spec": {"policyName": self.ns, "validationActions": ["Deny"],
                      "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.ns}}}}})
        self.wait_until_heeded(True)

    def mend(self):
        self.kube.delete("validatingadmissionpolicybinding", self.ns)
        self.wait_until_heeded(False)

    def wait_until_heeded(self, yes):
        asks = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "asks", "namespace": self.ns},
                "spec": {"selector": {"matchLabels": {"app": "asks"}},
                         "template": {"metadata": {"labels": {"app": "asks"}},
                                      "spec": {"containers": [{"name": "app", "image": objects.SAMPLE_IMAGE}]}}}}
        wait_until(f"the policy is {'heeded' if yes else 'gone'}", lambda: self.kube.refuses(asks, SENTENCE) == yes, 60)


@pytest.fixture
def policy(kube, ns):
    made = Policy(kube, ns)
    yield made
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        kube.delete(kind, ns)


def configuration(ns, workload, **spec):
    return objects.backup_configuration(ns, schedule="0 0 1 1 *", mount_path=workload.source, paths=[str(workload.source)], **spec)


def said(kube, ns, kind, name, condition, reason):
    """The condition, once it is False for that reason."""
    def probe():
        found = kube.condition(kind, name, ns, condition)
        return found if found and (found["status"], found["reason"]) == ("False", reason) else None
    return wait_until(f"{condition} says {reason}", probe, 60)


def withdrawal(kube, ns, kind="backupconfiguration", name="web-backup"):
    return kube.get(kind, name, ns).get("status", {}).get("withdrawal")


def author_may(kube, *command):
    """As soon as the webhook, too, has read that it is not to inject: in a moment, and the next try is a minute away."""
    def probe():
        try:
            return kube.kubectl(*command)
        except CommandFailed as failure:
            assert SENTENCE in str(failure), failure
            raise
    wait_until(f"the author may {' '.join(command)}", probe, 10)


@pytest.mark.slow  # the first retry is a minute after
@pytest.mark.fault("F66", invariants="I1 I4 I8")
def test_a_policy_that_dislikes_the_sidecar_refuses_no_write_of_the_author_also_while_it_is_tried_again(kube, ns, workload, policy):  # noqa: F811
    policy.enforce(NO_SIDECAR)
    kube.apply(configuration(ns, workload))
    message = said(kube, ns, "backupconfiguration", "web-backup", "StashSidecarInjected", "WorkloadRefused")["message"]
    assert SENTENCE in message and "runtimeSettings" in message and "tried again at" in message, message
    assert withdrawal(kube, ns)["attempts"] == 1
    author_may(kube, "rollout", "restart", "deployment/web", "-n", ns)
    kube.kubectl("apply", "-f", "-", stdin=json.dumps(objects.deployment(ns, workload.source)))
    written = 0

    def author_writes_until_it_was_tried_again():
        nonlocal written
        written += 1
        try:
            kube.kubectl("set", "env", "deployment/web", "-n", ns, f"VERSION={written}")
        except CommandFailed as failure:
            assert SENTENCE not in str(failure), f"write {written} of the author was refused for our sake: {failure}"
            raise
        return (withdrawal(kube, ns) or {}).get("attempts", 0) >= 2
    wait_until("it was tried again", author_writes_until_it_was_tried_again, 120)
    assert containers(kube, ns) == ["app"] and written >= 3
    policy.mend()
    kube.apply(configuration(ns, workload, tempDir={"disableCaching": True}))  # a change of it is tried at once
    wait_until("the sidecar comes", lambda: containers(kube, ns) == ["app", "stash"], 30)
    kube.kubectl("wait", "backupconfiguration/web-backup", "-n", ns, "--for=condition=StashSidecarInjected", "--timeout=30s")
    wait_until("the verdict is forgotten", lambda: withdrawal(kube, ns) is None, 30)


@pytest.mark.fault("F66", invariants="I1 I4")
def test_a_change_of_the_sidecar_that_is_refused_leaves_it_as_it_was(kube, ns, workload, policy):  # noqa: F811
    workload.configure()
    policy.enforce("!object.spec.template.spec.containers.exists(c, has(c.env) && c.env.exists(e, e.name == 'FORBIDDEN'))")
    before = kube.get("deployment", "web", ns)["spec"]["template"]
    kube.apply(configuration(ns, workload, runtimeSettings={"container": {"env": [{"name": "FORBIDDEN", "value": "1"}]}}))
    said(kube, ns, "backupconfiguration", "web-backup", "StashSidecarInjected", "WorkloadRefused")
    assert kube.get("deployment", "web", ns)["spec"]["template"] == before
    author_may(kube, "set", "env", "deployment/web", "-n", ns, "-c", "app", "VERSION=2")
    assert containers(kube, ns) == ["app", "stash"]
    kube.apply(configuration(ns, workload))
    wait_until("all is well again", lambda: withdrawal(kube, ns) is None, 30)
    kube.kubectl("wait", "backupconfiguration/web-backup", "-n", ns, "--for=condition=StashSidecarInjected", "--timeout=30s")


@pytest.mark.slow  # a refused nudge is repeated after a minute
@pytest.mark.fault("F66", invariants="I1 I8")
def test_a_workload_that_is_refused_without_the_sidecar_too_has_nothing_withheld(kube, ns, workload, policy):  # noqa: F811
    policy.enforce("object.metadata.name != 'web'")
    kube.apply(configuration(ns, workload))
    assert SENTENCE in said(kube, ns, "backupconfiguration", "web-backup", "StashSidecarInjected", "SidecarInjectionFailed")["message"]
    assert withdrawal(kube, ns) is None
    policy.mend()
    wait_until("the sidecar comes", lambda: containers(kube, ns) == ["app", "stash"], 120)
    assert withdrawal(kube, ns) is None


@pytest.mark.slow  # the first retry is a minute after
@pytest.mark.fault("F66", invariants="I1 I13")
def test_a_restore_whose_init_container_is_refused_waits_and_lets_the_author_write(kube, ns, workload, policy):  # noqa: F811
    policy.enforce(NO_INIT_CONTAINER)
    kube.apply(objects.restore_session(ns, path=workload.source))
    message = said(kube, ns, "restoresession", "web-restore", "StashInitContainerInjected", "WorkloadRefused")["message"]
    assert SENTENCE in message, message
    author_may(kube, "set", "env", "deployment/web", "-n", ns, "VERSION=2")
    assert containers(kube, ns, kind="initContainers") == []
    assert kube.get("restoresession", "web-restore", ns)["status"]["phase"] == "Pending"
    policy.mend()
    wait_until("the init container comes", lambda: containers(kube, ns, kind="initContainers") == ["stash-init"], 150)
    wait_until("the verdict is forgotten", lambda: withdrawal(kube, ns, "restoresession", "web-restore") is None, 60)
