"""The table of faults: what a run found, beside what is known to be missing."""
import re
from dataclasses import dataclass

from . import catalogue
from .catalogue import Fault
from .outcomes import Outcome

BEGIN, END = "<!-- the table: make faults writes it -->", "<!-- end of the table -->"


@dataclass(frozen=True)
class Row:
    fault: Fault
    tests: int  # that carry the fault's number
    tried: int
    failed: tuple[str, ...]
    held: tuple[str, ...]  # invariants that were asserted and held wherever they were
    longest_recovery: float | None

    @property
    def state(self) -> str:
        if self.fault.not_here:
            return f"not on one machine: {self.fault.not_here}"
        if not self.tests:
            return f"not yet: {self.fault.missing}"
        return f"tested, but {self.fault.missing}" if self.fault.missing else "tested"


def rows(tagged, outcomes: list[Outcome]) -> list[Row]:
    made = []
    for fault in catalogue.faults():
        mine = [outcome for outcome in outcomes if fault.number in outcome.faults]
        broken = {i for outcome in mine if not outcome.passed for i in outcome.invariants}
        held = {i for outcome in mine if outcome.passed for i in outcome.invariants} - broken
        made.append(Row(fault, sum(fault.number in test.faults for test in tagged), sum(o.tries for o in mine),
                        tuple(o.name for o in mine if not o.passed), tuple(sorted(held, key=catalogue.order)),
                        max((seconds for o in mine for seconds in o.recoveries), default=None)))
    return made


def _recovery(row: Row) -> str:
    return "" if row.longest_recovery is None else f"{row.longest_recovery:.1f} s"


def as_text(made: list[Row]) -> str:
    lines = [f"{'':4} {'fault':84} {'tried':>5}  {'recovery':>8}  invariants held"]
    for row in made:
        broken = f"  BROKEN: {len(row.failed)}" if row.failed else ""
        shown = " ".join(row.held) if row.tried else row.state.split(":")[0] if not row.tests else "not run"
        lines.append(f"{row.fault.number:4} {row.fault.injects[:84]:84} {row.tried:5}  {_recovery(row):>8}  {shown}{broken}")
        lines += [f"       failed: {name}" for name in row.failed]
    return "\n".join(lines)


def as_markdown(made: list[Row], ran: dict[str, list[str]]) -> str:
    """`ran` has the cells of an earlier run, by the fault's number, for when nothing was run now."""
    lines = ["| # | fault | tests | tried | invariants held | longest recovery | |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in made:
        state = "" if row.state == "tested" else row.state
        found = ran.get(row.fault.number) or [str(row.tried or ""), " ".join(row.held), _recovery(row)]
        lines.append(f"| {row.fault.number} | {row.fault.injects} | {row.tests or ''} | {' | '.join(found)} | {state} |")
    return "\n".join(lines)


def replaced(document: str, made: list[Row], run: str = "") -> str:
    """The document with a new table between its marks. `run` says what was run; "": nothing, so what the last run found stays."""
    ran = {} if run else {number: cells[3:6] for number, cells in published(document).items()}
    run = run or next(iter(re.findall(rf"{re.escape(BEGIN)}\n([^|\n]*)\n", document)), "")
    table = f"{BEGIN}\n{run}\n\n{as_markdown(made, ran)}\n{END}"
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: table, document, flags=re.DOTALL)


def published(document: str) -> dict[str, list[str]]:
    """The cells of each row, by the fault's number."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in document.splitlines() if line.startswith("| F")]
    return {row[0]: row for row in cells}
