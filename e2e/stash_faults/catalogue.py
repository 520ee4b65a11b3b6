"""The faults and invariants that tests may name."""
import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("faults.toml")

INVARIANTS = {
    "I1": "pods and workloads that Kubernetes would admit without us are admitted with us",
    "I2": "injection is idempotent, additive, minimal and reversible",
    "I3": "the sidecar never disturbs the application",
    "I4": "one injector, one rollout for a change, no write at rest",
    "I5": "Succeeded means that the session's snapshot exists and passes restic's check",
    "I6": "every session ends in time, and none blocks the next",
    "I7": "effectively once: at most one counted snapshot for each session and host",
    "I8": "what did not run is visible",
    "I9": "an application that was frozen is thawed, once",
    "I10": "no fault ends with restic check failing; older snapshots stay restorable",
    "I11": "nothing is forgotten or pruned but by the policy, and never after a failure",
    "I12": "a living lock is never removed, a dead one is in time",
    "I13": "no application starts on half-restored data, no finished restore runs again",
    "I14": "a repository that existed is never silently made again",
    "I15": "no secret in logs, events, statuses, metrics, arguments, patches or core dumps",
    "I16": "nobody gains a right through us",
    "I17": "any bytes on any socket: no crash, no leak, no hang",
    "I18": "each granted right is used, and nothing is forbidden",
    "I19": "the final state is that of a run without the fault, within two minutes",
    "I20": "the load on the API server stays bounded",
}


@dataclass(frozen=True)
class Fault:
    number: str  # "F14"
    injects: str
    not_here: str  # why it cannot be had on one machine; "" when it can
    missing: str  # what of it is not injected yet


def order(number: str) -> int:
    """For sorting: F2 before F10."""
    return int(number[1:])


def faults() -> list[Fault]:
    table = tomllib.loads(TABLE.read_text())
    return [Fault(number, text, table["not_here"].get(number, ""), table["missing"].get(number, ""))
            for number, text in sorted(table["injects"].items(), key=lambda row: order(row[0]))]
