"""Which tests say that they inject which fault, read from their sources."""
import ast
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TEST_CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*"((?:\[[^\]"]*\])+)"', re.DOTALL)
_TAG = re.compile(r"\[([FI]\d+)\]")


@dataclass(frozen=True)
class Tagged:
    name: str
    place: str  # below the root: unit/kube/cache_test.cc
    faults: tuple[str, ...]
    invariants: tuple[str, ...]


def split(tags: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Catch2's tags, "[kube][F14][I19]", as faults and invariants."""
    found = _TAG.findall(tags)
    return tuple(t for t in found if t[0] == "F"), tuple(t for t in found if t[0] == "I")


def of_mark(arguments, keywords) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The arguments of pytest's mark, as faults and invariants."""
    return tuple(arguments), tuple(keywords.get("invariants", "").split())


def in_cpp(text: str, place: str) -> list[Tagged]:
    found = []
    for name, tags in _TEST_CASE.findall(text):
        faults, invariants = split(tags)
        if faults:
            found.append(Tagged("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', name)), place, faults, invariants))
    return found


def in_python(text: str, place: str) -> list[Tagged]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
                faults, invariants = of_mark([ast.literal_eval(a) for a in mark.args],
                                             {k.arg: ast.literal_eval(k.value) for k in mark.keywords})
                found.append(Tagged(node.name, place, faults, invariants))
    return found


def tagged_tests() -> list[Tagged]:
    found = []
    for pattern, read in (("unit/**/*.cc", in_cpp), ("e2e/**/test_*.py", in_python), ("charts/tests/test_*.py", in_python)):
        for path in sorted(ROOT.glob(pattern)):
            found += read(path.read_text(), str(path.relative_to(ROOT)))
    return found
