"""The API server's audit log as evidence: who wrote (I4), what was forbidden and what was never used (I18), how fast (I20)."""
import datetime
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Call:
    at: float  # seconds since the epoch, when it began
    user: str
    verb: str
    group: str
    resource: str  # with its subresource: backupsessions/status
    ns: str
    name: str
    code: int

    @property
    def text(self):
        where = f"{self.ns}/{self.name}".strip("/")
        return f"{' '.join(filter(None, [self.user, self.verb, self.resource, where]))}: {self.code}"


def read(path: Path) -> list[Call]:
    """A line that is being written is left out. A watch is logged once when it begins and once when it ends."""
    calls = []
    for line in path.read_text().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("stage") != "ResponseComplete" and not (event.get("stage") == "ResponseStarted" and event.get("verb") == "watch"):
            continue
        if event["stage"] == "ResponseComplete" and event["verb"] == "watch":
            continue
        ref = event.get("objectRef", {})
        resource = ref.get("resource", "") + ("/" + ref["subresource"] if ref.get("subresource") else "")
        began = datetime.datetime.fromisoformat(event["requestReceivedTimestamp"].replace("Z", "+00:00")).timestamp()
        calls.append(Call(began, event["user"].get("username", ""), event["verb"], ref.get("apiGroup", ""), resource,
                          ref.get("namespace", ""), ref.get("name", ""), event.get("responseStatus", {}).get("code", 0)))
    return calls


def of(calls, user, since=0.0, until=float("inf")):
    return [call for call in calls if call.user == user and since <= call.at <= until]


def writes(calls):
    """Leases are renewed for ever and count as no write."""
    return [call for call in calls if call.verb in WRITES and call.resource != "leases"]


def forbidden(calls):
    return [call for call in calls if call.code == 403]


def busiest(calls, window=10.0) -> float:
    """Calls a second in the busiest `window`."""
    times = sorted(call.at for call in calls)
    most, first = 0, 0
    for last, at in enumerate(times):
        while times[first] < at - window:
            first += 1
        most = max(most, last - first + 1)
    return most / window


def used(calls) -> set[tuple[str, str, str]]:
    """(verb, group, resource) of every call that was allowed."""
    return {(call.verb, call.group, call.resource) for call in calls if call.code != 403}


def granted(rules) -> set[tuple[str, str, str]]:
    return {(verb, group, resource) for rule in rules for verb in rule["verbs"]
            for group in rule.get("apiGroups", []) for resource in rule.get("resources", [])}


def lists_by_resource(calls) -> Counter:
    return Counter(call.resource for call in calls if call.verb == "list")
