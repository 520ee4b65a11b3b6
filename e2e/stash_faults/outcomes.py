"""What a run found: one line for each test that injected a fault, whichever framework ran it."""
import json
import xml.etree.ElementTree as xml
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import tags


@dataclass
class Outcome:
    name: str
    faults: list[str]
    invariants: list[str]
    passed: bool
    recoveries: list[float] = field(default_factory=list)  # seconds from a fault's end to the state without it

    @property
    def tries(self) -> int:
        """A test that measures recoveries injects its fault once for each; any other test once."""
        return max(1, len(self.recoveries))


def write(path: Path, outcomes: list[Outcome]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))


def read(path: Path) -> list[Outcome]:
    return [Outcome(**entry) for entry in json.loads(path.read_text())]


def of_catch2(report: str) -> list[Outcome]:
    """From the output of a test program's xml reporter."""
    found = []
    for case in xml.fromstring(report).iter("TestCase"):
        faults, invariants = tags.split(case.get("tags", ""))
        if faults:
            passed = case.find("OverallResult").get("success") == "true"
            found.append(Outcome(case.get("name"), list(faults), list(invariants), passed))
    return found
