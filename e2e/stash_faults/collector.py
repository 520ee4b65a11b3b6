"""A pytest plugin (-p stash_faults.collector) that writes the outcomes of tests with a fault mark to $STASH_FAULT_OUTCOMES."""
import os
from pathlib import Path

from . import outcomes, tags

_found = []


def pytest_runtest_setup(item):
    for mark in item.iter_markers("fault"):
        faults, invariants = tags.of_mark(mark.args, mark.kwargs)
        item.user_properties.append(("fault", (faults, invariants)))


def pytest_runtest_logreport(report):
    marks = [value for key, value in report.user_properties if key == "fault"]
    if not marks or report.skipped or not (report.when == "call" or report.failed):
        return  # what is skipped was not tried
    recoveries = [seconds for key, seconds in report.user_properties if key == "recovery"]
    for faults, invariants in marks:
        _found.append(outcomes.Outcome(report.nodeid, list(faults), list(invariants), report.passed, recoveries))


def pytest_sessionfinish(session):
    is_worker = hasattr(session.config, "workerinput")  # of pytest -n, whose reports come to the one that started it
    path = os.environ.get("STASH_FAULT_OUTCOMES")
    if path and not is_worker:
        outcomes.write(Path(path), _found)
