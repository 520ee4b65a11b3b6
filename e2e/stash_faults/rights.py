"""RBAC rules taken apart into single rights, and put together again without one of them."""
import copy
import itertools
import json
from dataclasses import dataclass

from stash_e2e.kube import CommandFailed, wait_until


@dataclass(frozen=True, order=True)
class Right:
    verb: str
    group: str
    resource: str  # with its subresource

    @property
    def text(self):
        return f"{self.verb} {self.resource}" + (f".{self.group}" if self.group else "")


def of_rules(rules) -> list[Right]:
    """Each as often as it is granted. Names and namespaces are left out."""
    return sorted(Right(verb, group, resource) for rule in rules for verb in rule["verbs"]
                  for group in rule["apiGroups"] for resource in rule["resources"])


def granted_twice(rules) -> list[str]:
    """Each right that two rules give for the same object, or one rule twice."""
    names = {}
    for rule in rules:
        for right in of_rules([rule]):
            names.setdefault(right, []).append(set(rule.get("resourceNames", [])))
    return [right.text for right, parts in sorted(names.items())
            if any(not (one and other) or one & other for one, other in itertools.combinations(parts, 2))]


def without(rules, right) -> list[dict]:
    """The same rules, with one right less."""
    left = []
    for rule in copy.deepcopy(rules):
        if right.group not in rule["apiGroups"] or right.resource not in rule["resources"] or right.verb not in rule["verbs"]:
            left.append(rule)
            continue
        rest = dict(rule, resources=[name for name in rule["resources"] if name != right.resource])
        narrowed = dict(rule, resources=[right.resource], verbs=[verb for verb in rule["verbs"] if verb != right.verb])
        left += [part for part in (rest, narrowed) if part["resources"] and part["verbs"]]
    return left


class Account:
    """A ServiceAccount of the chart with all that is bound to it."""

    def __init__(self, kube, ns, name):
        self.kube, self.ns, self.user = kube, ns, f"system:serviceaccount:{ns}:{name}"
        self.roles = [("clusterrole", binding["roleRef"]["name"], None) for binding in kube.list("clusterrolebindings") if self._binds(binding)]
        self.roles += [("role", binding["roleRef"]["name"], binding["metadata"]["namespace"]) for binding in kube.list("rolebindings") if self._binds(binding)]

    def _binds(self, binding):
        return any((subject["kind"], subject["name"], subject.get("namespace")) == ("ServiceAccount", self.user.rsplit(":", 1)[1], self.ns)
                   for subject in binding.get("subjects", []))

    def rules(self):
        return [rule for role in self.roles for rule in self.kube.get(*role)["rules"]]

    def may(self, right, ns):
        resource, _, subresource = right.resource.partition("/")
        asked = {"namespace": ns, "verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": self.user, "resourceAttributes": asked}}
        return json.loads(self.kube.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)))["status"]["allowed"]

    def tries(self, *argv, manifest):
        """What the API server says to it; "" when it agrees."""
        try:
            self.kube.kubectl(*argv, "-f", "-", f"--as={self.user}", stdin=json.dumps(manifest))
        except CommandFailed as failure:
            return str(failure)
        return ""

    def lacking(self, right, ns):
        """While the block runs, it has all of its rights but this one."""
        return _Lacking(self, right, ns)


class _Lacking:
    def __init__(self, account, right, ns):
        self._account, self._right, self._ns = account, right, ns

    def __enter__(self):
        kube = self._account.kube
        self._before = [kube.get(*role) for role in self._account.roles]
        for role in self._before:
            self._replace(dict(role, rules=without(role["rules"], self._right)))
        wait_until("the API server knows of the right's end", lambda: not self._account.may(self._right, self._ns), 30, every=0.05)

    def __exit__(self, *_):
        for role in self._before:
            self._replace(role)
        wait_until("the API server knows of the right again", lambda: self._account.may(self._right, self._ns), 30, every=0.05)

    def _replace(self, role):
        role["metadata"] = {key: role["metadata"][key] for key in ("name", "namespace", "labels") if key in role["metadata"]}
        self._account.kube.kubectl("replace", "-f", "-", stdin=json.dumps(role))
