"""Does a process grow? Samples of RssAnon, threads and descriptors, taken in quiet phases, and what they say.

A quiet phase has no faults, no load and always the same number of objects, but for some sessions that are kept. A process is judged by the phases that it lived
through: the first is its warm-up, of the rest the first third is compared with the last third, each by the median.
"""
import os
import statistics
from dataclasses import dataclass, field

ALLOWED = 0.05
SLACK = {"rss": 128 << 10, "threads": 1, "descriptors": 2}  # what comes and goes in a process that is small
FEWEST = 4  # quiet phases, with the warm-up


def sample(pid):
    """None once the process is gone."""
    try:
        with open(f"/proc/{pid}/status") as status:
            lines = dict(line.rstrip("\n").split(":", 1) for line in status)
        return {"rss": int(lines["RssAnon"].split()[0]) * 1024, "threads": int(lines["Threads"]), "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}
    except (OSError, KeyError):
        return None


@dataclass
class Watched:
    """One life of one process."""
    name: str
    pid: int
    phases: list = field(default_factory=list)  # of lists of samples

    def medians(self, what):
        return [statistics.median(sample[what] for sample in phase) for phase in self.phases if phase]


@dataclass(frozen=True)
class Growth:
    what: str
    first: float
    last: float
    phases: int

    @property
    def ratio(self):
        return self.last / self.first - 1 if self.first else 0.0

    @property
    def is_a_leak(self):
        return self.last > self.first * (1 + ALLOWED) and self.last - self.first > SLACK[self.what]


def growth(watched, what):
    """None when it lived through too few phases for a judgement."""
    medians = watched.medians(what)
    if len(medians) < FEWEST:
        return None
    settled = medians[1:]
    third = max(1, len(settled) // 3)
    return Growth(what, statistics.median(settled[:third]), statistics.median(settled[-third:]), len(medians))


class Book:
    """All processes that are watched, each life of them apart."""

    def __init__(self):
        self.lives = {}  # (name, pid)

    def begin_phase(self, programs):
        for name, pid in programs.items():
            self.lives.setdefault((name, pid), Watched(name, pid)).phases.append([])

    def look(self, programs):
        for name, pid in programs.items():
            seen = sample(pid)
            life = self.lives.get((name, pid))
            if seen and life:
                life.phases[-1].append(seen)

    def longest(self, name):
        mine = [life for (of, _), life in self.lives.items() if of == name]
        return max(mine, key=lambda life: len(life.medians("rss")), default=None)
