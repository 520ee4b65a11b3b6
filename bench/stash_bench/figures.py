"""What was measured, and how it is shown."""
import dataclasses
import json
import statistics

from stash_e2e import paths

RESULTS = paths.BUILD / "bench"


@dataclasses.dataclass(frozen=True)
class Figure:
    """`values` has one of each run, of which the median counts; `limit` is None where nothing is promised."""
    what: str
    values: list
    unit: str = ""
    limit: float | None = None
    at_least: bool = False  # the limit is a lower one
    beside: str = ""  # the physical or practical limit, measured in the same run

    @property
    def value(self):
        return statistics.median(self.values)

    @property
    def held(self):
        value = round(self.value, 9)  # 0.1 s is held by ten times 0.01 s
        return self.limit is None or (value >= self.limit if self.at_least else value <= self.limit)

    def cells(self):
        """figure, measured, limit, spread, beside, verdict"""
        limit = "" if self.limit is None else f"{'≥' if self.at_least else '≤'} {shown(self.limit)} {self.unit}".strip()
        spread = f"{shown(min(self.values))} to {shown(max(self.values))}" if len(self.values) > 1 else ""
        verdict = "" if self.limit is None else "held" if self.held else "**missed**"
        return [self.what, f"{shown(self.value)} {self.unit}".strip(), limit, spread, self.beside, verdict]


HEADINGS = ["figure", "measured", "goal", "runs", "beside it", ""]


def shown(number):
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def keep(bench, figures, curves=None):
    """For the document: `curves` is {title: {series: [(x, y), ...]}}."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{bench}.json").write_text(json.dumps({"figures": [dataclasses.asdict(f) for f in figures], "curves": curves or {}}, indent=1))


def kept(bench):
    path = RESULTS / f"{bench}.json"
    if not path.exists():
        return [], {}
    read = json.loads(path.read_text())
    return [Figure(**f) for f in read["figures"]], read["curves"]


def as_text(figures):
    rows = [HEADINGS] + [[cell.replace("**", "") for cell in f.cells()] for f in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def as_markdown(figures):
    rows = [HEADINGS, ["---"] * len(HEADINGS)] + [f.cells() for f in figures]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
