"""Every manifest in the documents has only fields that the schema has, of the right types."""
import re

import crd_schema
import pytest
import yaml
from crd_schema import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/guides").glob("*.md")),
             *sorted((ROOT / "docs/examples").glob("*.yaml"))]
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


def manifests(path):
    text = path.read_text()
    blocks = [text] if path.suffix == ".yaml" else re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
    return [one for block in blocks for one in yaml.load_all(block, crd_schema.LOADER) if one]


def faults(value, schema, place):
    if schema.get("x-kubernetes-int-or-string"):
        return [] if isinstance(value, (int, str)) else [f"{place}: neither number nor text"]
    wanted = TYPES[schema["type"]]
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        return [f"{place}: not of type {schema['type']}"]
    if wanted is list:
        return [fault for i, item in enumerate(value) for fault in faults(item, schema["items"], f"{place}[{i}]")]
    if wanted is not dict or "properties" not in schema:
        return []
    found = [f"{place}.{name}: missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        known = schema["properties"].get(name)
        found += faults(item, known, f"{place}.{name}") if known else [f"{place}.{name}: no such field"]
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_manifests_in_documents_have_only_fields_of_the_schema(path):
    for manifest in manifests(path):
        # docs/backends.md shows the spec of a Repository without its head.
        kind = manifest.get("kind", "Repository")
        if kind in crd_schema.schemas():
            assert not faults(manifest["spec"], crd_schema.schemas()[kind]["properties"]["spec"], kind)


def test_the_documents_do_show_manifests():
    assert {len(manifests(ROOT / name)) > 0 for name in ("README.md", "docs/hooks.md", "docs/restore.md", "docs/backends.md")} == {True}
