"""Values of AppsCode's charts: each key of charts/stash/old-values.yaml means the same here, or is refused with what to do."""
import copy
import functools
import json
import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/stash"
sys.path.insert(0, str(ROOT / "e2e"))
from stash_e2e import paths  # noqa: E402

sys.dont_write_bytecode = True


def load(name, path):
    """A program without .py, as a module."""
    loader = SourceFileLoader(name, str(path))
    module = module_from_spec(spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


chart_values = load("chart_values", ROOT / "tools/chart-values")
TABLE = yaml.safe_load((CHART / "old-values.yaml").read_text())
ROWS = TABLE["keys"] + TABLE["umbrella"]


def helm(values, chart=CHART):
    argv = [paths.HELM, "template", "stash", chart, "-n", "stash", "-f", "-"]
    return subprocess.run([str(a) for a in argv], input=json.dumps(values), text=True, capture_output=True)


@functools.lru_cache(maxsize=None)
def rendered(text):
    done = helm(json.loads(text))
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one and one["kind"] != "CustomResourceDefinition"]


def render(values):
    return rendered(json.dumps(values, sort_keys=True))


def at(key, value):
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def given(row):
    return at(row.get("at", row["key"]), row["try"])


def merged(into, other):
    for key, value in other.items():
        into[key] = merged(into.get(key, {}), value) if isinstance(value, dict) and isinstance(into.get(key), dict) else value
    return into


def in_new_words(row):
    if "same" in row:
        return row["same"]
    new = {}
    if row["try"] not in row.get("is", []):
        for key in row["to"]:
            merged(new, at(key, row["try"]))
    return new


def is_refused(row):
    return "here" in row and row["try"] not in row.get("is", []) and not row.get("to")


ACCEPTED = [row for row in ROWS if not is_refused(row)]
NEVER = [(row, value) for row in ROWS if "here" in row
         for value in [row["try"]] * is_refused(row) + row.get("refuses", []) + (["another"] if row.get("is") and not row.get("refuses") else [])]
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def test_every_row_says_what_becomes_of_its_key():
    keys = [row["key"] for row in ROWS]
    assert len(keys) == len(set(keys))
    for row in ROWS:
        assert "try" in row and {"to", "is", "here"} & row.keys(), row["key"]


def together(rows):
    """Old values of all these rows, and the new ones that should mean the same."""
    old, new = {}, {}
    for row in rows:
        merged(old, given(row))
        merged(new, in_new_words(row))
    names = {row["key"] for row in rows}
    if {"criticalAddon", "tolerations"} <= names:
        for component in ("webhook", "operator"):
            new[component]["tolerations"] = [{"key": "infra", "operator": "Exists"}, {"key": "CriticalAddonsOnly", "operator": "Exists"}]
    return copy.deepcopy([old, new])


# One render for many rows, for each costs a fifth of a second; those that say different things about one value are apart.
APART = ["pushgateway.repository", "pushgateway.customURL", "monitoring.agent", "monitoring.operator"]
GROUPS = [[row for row in ACCEPTED if row["key"] not in APART]] + [[row for row in ACCEPTED if row["key"] == key] for key in APART]


@pytest.mark.parametrize("rows", GROUPS, ids=lambda rows: rows[0]["key"] if len(rows) == 1 else "all others")
def test_accepted_keys_make_the_same_objects_as_the_new_ones(rows):
    old, new = together(rows)
    assert render(old) == render(new), [row["key"] for row in rows if render(given(row)) != render(in_new_words(row))]


def test_the_values_that_the_tests_give_to_the_new_keys_do_change_something():
    for row in ACCEPTED:
        if row["try"] in row.get("is", []):
            assert in_new_words(row) == {}
        else:
            assert merged(copy.deepcopy(DEFAULTS), in_new_words(row)) != DEFAULTS, row["key"]


@pytest.mark.parametrize("nest", chart_values.NESTED)
def test_below_the_names_of_the_old_charts_the_same_keys_are_accepted(nest):
    old, new = together([row for row in GROUPS[0] if row in TABLE["keys"]])
    assert render({nest: old}) == render(new)


def test_each_refused_key_is_named_with_its_remedy_and_all_at_once():
    values, told = {}, []
    for row, value in NEVER:
        known = [one for one in told if one.startswith(row["key"] + ":")]
        if not known:
            merged(values, at(row["key"], value))
            told.append(f"{row['key']}: {row['here']}")
    done = helm(merged(values, {"stash-enterprise": at("operator.tag", "v1")}))
    assert done.returncode != 0
    for line in told + ["stash-enterprise.operator.tag: it is a version"]:
        assert line in done.stderr
    assert "docs/migration-values.md" in done.stderr


def test_keys_that_the_table_names_as_new_are_values_of_this_chart():
    known = set(chart_values.comments((CHART / "values.yaml").read_text()))
    for row in ROWS:
        for name in re.findall(r"`([^`=]+)[^`]*`", row.get("here", "")):
            assert name in known or name.startswith("helm "), f"{row['key']}: {name} is no value of this chart"
        for name in row.get("to", []):
            assert name in known, f"{row['key']}: {name} is no value of this chart"


def test_the_roles_for_people_of_the_old_chart_are_refused_with_the_value_that_makes_ours():
    people = [one["metadata"]["name"] for one in render({}) if one["kind"] == "ClusterRole" and
              "rbac.authorization.k8s.io/aggregate-to-view" in one["metadata"].get("labels", {})]
    assert people, "the chart makes roles for people"
    done = helm({"ace-user-roles": {"enabled": True}})
    assert done.returncode != 0 and "userRoles.create" in done.stderr


def test_values_that_ask_for_nothing_are_let_pass():
    values = {}
    for row in ROWS:
        if is_refused(row):
            merged(values, at(row["key"], type(row["try"])()))
    assert render(values) == render({})


def test_typing_errors_in_old_keys_are_refused_by_their_places():
    wrong = ["operator.regsitry", "pushgateway.customUrl", "apiserver.healthchecks", "licence", "stash-community.operator.tga",
             "stash-enterprise.monitoring.agents", "features.communities", "monitoring.prometheus.ns"]
    done = helm(functools.reduce(merged, [at(key, "x") for key in wrong], {}))
    assert done.returncode != 0
    for key in wrong:
        assert f"'{key.rsplit('.', 1)[-1]}' not allowed" in done.stderr or f"'{key.rsplit('.', 1)[-1]}'" in done.stderr, key


def test_wrong_values_of_accepted_keys_are_refused():
    wrong = {"replicaCount": 0, "nodeSelector": "ssd", "imagePullPolicy": "Sometimes", "logLevel": -1,
             "pushgateway": {"customURL": "pushgateway:9091"}, "stash-community": {"affinity": []}}
    done = helm(wrong)
    assert done.returncode != 0
    for place in ("replicaCount", "nodeSelector", "imagePullPolicy", "logLevel", "pushgateway/customURL", "stash-community/affinity"):
        assert f"'/{place}'" in done.stderr
    done = helm({"monitoring": {"agent": "prometheus.io/elsewhere", "operator": True}})
    assert done.returncode != 0 and "monitoring.agent: prometheus.io/elsewhere is not known here" in done.stderr


def test_as_a_part_of_another_chart_what_its_neighbours_share_is_none_of_ours(tmp_path):
    parent = tmp_path / "parent"
    (parent / "charts").mkdir(parents=True)
    (parent / "charts/stash").symlink_to(CHART)
    (parent / "Chart.yaml").write_text("apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies: [{name: stash, version: 0.x.x}]\n")
    done = helm({"global": {"license": "of a neighbour", "registry": "registry.example.com", "other": 1}}, parent)
    assert done.returncode == 0, done.stderr
    done = helm({"stash": {"operator": {"tag": "v1"}}}, parent)
    assert done.returncode != 0 and "operator.tag: it is a version" in done.stderr


def test_every_template_that_reads_values_translates_them_first():
    for template in sorted((CHART / "templates").glob("*.*")):
        text = template.read_text()
        if template.suffix != ".tpl":
            assert text.startswith('{{- include "stash.translate" . -}}\n'), template.name


@pytest.mark.parametrize("path, text", chart_values.made().items(), ids=lambda one: str(one) if isinstance(one, Path) else "")
def test_what_is_made_from_the_values_is_up_to_date(path, text):
    assert (ROOT / path).read_text() == text, f"{path} is out of date: run `make generate` (or tools/chart-values alone)"


def test_every_value_has_a_type_and_all_that_are_no_amount_a_description():
    lines = [line for line in (ROOT / "docs/values.md").read_text().splitlines() if line.startswith("| `")]
    assert len(lines) > 50
    for line in lines:
        key, kind, _, words = re.fullmatch(r"\| `([\w.-]+)` \| (.+?) \| `(.*)` \| (.*) \|", line).groups()
        assert kind != "any", line
        assert words or kind == "quantity" or key.endswith(("enabled", "labels")), line
