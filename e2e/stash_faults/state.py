"""The final state of a namespace without what differs from run to run, so that runs with and without a fault compare (I19)."""
import re

KINDS = ("deployments", "cronjobs", "backupconfigurations", "backupsessions", "restoresessions", "repositories", "roles", "rolebindings",
         "serviceaccounts")
_DROPPED = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "observedGeneration", "podUID", "pod", "claimed",
            "kubectl.kubernetes.io/last-applied-configuration",
            # Hashes of texts that have the namespace in them.
            "stash.appscode.com/spec-hash", "stash.appscode.com/last-applied-backupconfiguration-hash"}
_SHAPES = [
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\b(\d+h)?(\d+m)?\d+(\.\d+)?(s|ms|µs)\b"), "<duration>"),
    (re.compile(r"\b\d+:\d\d\b"), "<duration>"),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{8}\b"), "<id>"),
    (re.compile(r"\b\d+(\.\d+)? ([KMGT]?i?B)\b"), "<size>"),
    # Whoever goes on after a kill may find that the check is done and told.
    (re.compile(r"no errors at <time>; the next is due a day later"), "no errors"),
]
_BOUNDED = ("bytes", "size", "sizeBytes", "totalSize")


def of_namespace(kube, ns, *private):
    """{kind/name: object}. `private` are texts that only this run has, such as its directory."""
    found = {}
    for kind in KINDS:
        for item in kube.list(kind, ns):
            found[f"{kind}/{item['metadata']['name']}"] = _plain(item, (ns, *map(str, private)))
    return found


def events(kube, ns):
    return sorted({f"{event['type']} {event['reason']}" for event in kube.list("events", ns)})


def _plain(value, private, key=""):
    if isinstance(value, dict):
        plain = {k: _plain(v, private, k) for k, v in value.items() if k not in _DROPPED}
        return {k: v for k, v in plain.items() if v not in ({}, [])}
    if isinstance(value, list):
        return [_plain(item, private, key) for item in value]
    if isinstance(value, str):
        for text in sorted(private, key=len, reverse=True):
            value = value.replace(text, "<here>")
        for shape, word in _SHAPES:
            value = shape.sub(word, value)
        return "<size>" if key in _BOUNDED else value
    return "<size>" if key in _BOUNDED and isinstance(value, (int, float)) and not isinstance(value, bool) else value


def differences(expected, seen):
    """Sentences for a person."""
    said = []
    for name in sorted(expected.keys() | seen.keys()):
        _compare(name, expected.get(name), seen.get(name), said)
    return said


def _compare(where, expected, seen, said):
    if isinstance(expected, dict) and isinstance(seen, dict):
        for key in sorted(expected.keys() | seen.keys()):
            _compare(f"{where}/{key}", expected.get(key), seen.get(key), said)
    elif expected != seen:
        said.append(f"{where}: without the fault {expected!r}, with it {seen!r}")
