"""The list of faults: complete, every fault tested or excused, every tag known, and docs/reliability.md says the same."""
import os
import subprocess
import sys

import pytest

from stash_faults import catalogue, outcomes, table, tags

TAGGED = tags.tagged_tests()
FAULTS = {fault.number: fault for fault in catalogue.faults()}
DOCUMENT = tags.ROOT / "docs" / "reliability.md"


def test_the_list_is_complete():
    assert list(FAULTS) == [f"F{i}" for i in range(1, 88)]


@pytest.mark.parametrize("number", FAULTS)
def test_every_fault_has_a_test_or_a_reason_why_there_is_none(number):
    fault = FAULTS[number]
    tests = [test for test in TAGGED if number in test.faults]
    assert tests or fault.not_here or fault.missing
    assert not (tests and fault.not_here), "it can be had after all"


def test_tags_name_known_faults_and_at_least_one_known_invariant():
    wrong = [test for test in TAGGED if not set(test.faults) <= set(FAULTS)
             or not test.invariants or not set(test.invariants) <= set(catalogue.INVARIANTS)]
    assert not wrong


def test_tags_are_found_however_a_test_is_written():
    source = 'TEST_CASE("a \\"quoted\\" name that is "\n          "long", "[kube][F14][I19]") {}\nTEST_CASE("other", "[kube]") {}'
    assert tags.in_cpp(source, "x.cc") == [tags.Tagged('a \\"quoted\\" name that is long', "x.cc", ("F14",), ("I19",))]
    source = '@pytest.mark.slow\n@pytest.mark.fault("F4", "F33", invariants="I5 I10")\ndef test_x(): pass\ndef test_y(): pass'
    assert tags.in_python(source, "x.py") == [tags.Tagged("test_x", "x.py", ("F4", "F33"), ("I5", "I10"))]


def test_a_fault_is_counted_once_for_each_recovery_and_a_broken_invariant_is_not_held():
    found = [outcomes.Outcome("a", ["F1"], ["I1", "I8"], True, [2.0, 3.5]), outcomes.Outcome("b", ["F1"], ["I8"], False),
             outcomes.Outcome("c", ["F2"], ["I6"], True)]
    first, second, *_ = table.rows(TAGGED, found)
    assert (first.tried, first.held, first.failed, first.longest_recovery) == (3, ("I1",), ("b",), 3.5)
    assert (second.tried, second.held, second.longest_recovery) == (1, ("I6",), None)


def test_outcomes_are_read_from_catch2():
    report = ('<Catch><Group><TestCase name="x" tags="[a][F14][I19]"><OverallResult success="false"/></TestCase>'
              '<TestCase name="y" tags="[a]"><OverallResult success="true"/></TestCase></Group></Catch>')
    assert outcomes.of_catch2(report) == [outcomes.Outcome("x", ["F14"], ["I19"], False)]


def test_describing_what_is_tested_keeps_what_the_last_run_found():
    empty = f"before\n{table.BEGIN}\n{table.END}\nafter\n"
    ran = table.replaced(empty, table.rows(TAGGED, [outcomes.Outcome("a", ["F1"], ["I1"], True, [2.0])]), "The last run: 1 passed.")
    assert table.published(ran)["F1"][3:6] == ["1", "I1", "2.0 s"]
    assert table.replaced(ran, table.rows(TAGGED, [])) == ran


def test_what_is_skipped_was_neither_tried_nor_failed(tmp_path):
    (tmp_path / "test_x.py").write_text("""import pytest
pytestmark = pytest.mark.fault("F1", invariants="I1")
def test_that_passes(): pass
def test_that_fails(): assert False
def test_that_finds_nothing_to_try(): pytest.skip("not here")
@pytest.mark.skip(reason="not here")
def test_that_is_not_begun(): pass
""")
    found = tmp_path / "outcomes.json"
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "stash_faults.collector", tmp_path], capture_output=True, cwd=tmp_path,
                   env=dict(os.environ, STASH_FAULT_OUTCOMES=str(found), PYTHONPATH=str(tags.ROOT / "e2e")))
    assert {(outcome.name.partition("::")[2], outcome.passed) for outcome in outcomes.read(found)} == {
        ("test_that_passes", True), ("test_that_fails", False)}


def test_the_document_publishes_every_fault_and_does_not_call_tested_what_is_not():
    published = table.published(DOCUMENT.read_text())
    remedy = "run `tools/run-faults --document`"
    assert list(published) == list(FAULTS), remedy
    for row in table.rows(TAGGED, []):
        cells = published[row.fault.number]
        assert cells[1] == row.fault.injects and cells[6] == ("" if row.state == "tested" else row.state), f"{row.fault.number}: {remedy}"
        assert bool(cells[2]) == bool(row.tests), f"{row.fault.number}: {remedy}"
