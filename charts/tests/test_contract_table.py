"""docs/contract.md: every field of the schema has a row, every row a field, and every proof that it names exists."""
import re
from functools import cache

import crd_schema
from crd_schema import ROOT

TABLE = ROOT / "docs/contract.md"
KINDS = "Repository|BackupConfiguration|BackupSession|RestoreSession|BackupBlueprint"
FIELD = re.compile(rf"(?:\{{(?:{KINDS})(?:,(?:{KINDS}))*\}}|(?:{KINDS}))\.(?:spec|status)\.")
ANSWERS = ("works", "accepted, not acted on", "read, not written", "refused", "differs", "no effect", "not done")
REASONS = ("no test yet", "not done")
QUIRKS = [f"Q{number}" for number in range(1, 38)]


@cache
def rows():
    """(what, answer, proof) of every line of every table."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    found = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    assert not (bad := [row for row in found if len(row) != 3]), f"rows without exactly three columns: {bad}"
    return [row for row in found if row[0] not in ("field", "behaviour", "quirk") and not row[0].startswith("---")]


def spans(cell):
    return re.findall(r"`([^`]+)`", cell)


def expanded(text):
    """Every text that braces stand for: "a.{b,c}" is "a.b" and "a.c"."""
    braces = re.search(r"\{([^{}]*)\}", text)
    if not braces:
        return [text]
    return [one for part in braces[1].split(",") for one in expanded(text[:braces.start()] + part + text[braces.end():])]


@cache
def field_rows():
    """[(field, covers what is below, answer)]"""
    return [(field.removesuffix(".*"), field.endswith(".*"), answer)
            for what, answer, _ in rows() for span in spans(what) if FIELD.match(span) for field in expanded(span)]


@cache
def schema_fields():
    """Of Stash's kinds; a kind that is ours alone is in docs/reference.md."""
    return {field: facts for field, facts in crd_schema.fields().items() if FIELD.match(field)}


def test_every_field_of_the_schema_has_a_row():
    missing = sorted(schema_fields().keys() - {field for field, _, _ in field_rows()})
    assert not missing, "docs/contract.md has no row for: " + ", ".join(missing)


def test_every_row_names_a_field_of_the_schema_and_none_is_named_twice():
    named = [field for field, _, _ in field_rows()]
    unknown = sorted(set(named) - schema_fields().keys())
    assert not unknown, "not in the schema: " + ", ".join(unknown)
    twice = sorted({field for field in named if named.count(field) > 1})
    assert not twice, "in two rows: " + ", ".join(twice)
    hiding = sorted(field for field, whole, _ in field_rows() if whole and schema_fields()[field][0])
    assert not hiding, "`.*` is for foreign types; these have fields of their own, which need rows: " + ", ".join(hiding)


def test_rows_and_schema_agree_about_what_is_not_acted_on():
    wrong = sorted(field for field, _, answer in field_rows()
                   if schema_fields().get(field, (False, None))[1] not in (None, answer.startswith("accepted, not acted on")))
    assert not wrong, ("only the description in the schema, or only the row, says that it is not acted on (is `make generate` "
                       "due?): " + ", ".join(wrong))


def test_every_row_has_an_answer_and_a_proof_or_the_reason_why_there_is_none():
    vague = [row for row in rows() if not row[1].startswith(ANSWERS)]
    assert not vague, f"the answer must begin with one of {ANSWERS}: {vague}"
    unproven = [row for row in rows() if not proofs(row[2]) and not row[2].startswith(REASONS)]
    assert not unproven, f"neither a test nor one of {REASONS}: {unproven}"


def proofs(cell):
    return [span.split("::", 1) for span in spans(cell) if "::" in span]


@cache
def named_tests(path):
    """The names of the tests of a file; none when nothing builds or collects it."""
    source = ROOT / path
    if not source.is_file():
        return frozenset()
    text = source.read_text()
    if path.endswith(".py"):
        return frozenset(re.findall(r"^def (test_\w+)\(", text, re.M)) if source.name.startswith("test_") else frozenset()
    if source.name not in (source.parent / "CMakeLists.txt").read_text():
        return frozenset()
    literals = re.findall(r'\bTEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', text)
    parts = ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal)) for literal in literals]
    return frozenset(re.sub(r"\\(.)", r"\1", part) for part in parts)


def test_every_named_test_exists():
    wrong = sorted({f"{path}::{name}" for _, _, cell in rows() for path, name in proofs(cell) if name not in named_tests(path)})
    assert not wrong, "no such test: " + "; ".join(wrong)


def test_every_quirk_has_a_row():
    named = [row[0].split(" ")[0] for row in rows() if re.match(r"Q\d+ ", row[0])]
    assert named == QUIRKS
