"""The schema of the chart's CRDs, read from their templates without Helm."""
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CRDS = ROOT / "charts/stash/templates/crds"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NOT_YET = "not acted on yet"


@cache
def specs():
    """The spec of every CustomResourceDefinition."""
    texts = ["".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith("{{"))
             for path in sorted(CRDS.glob("*.yaml"))]
    return [yaml.load(text, LOADER)["spec"] for text in texts]


@cache
def schemas():
    """{kind: schema of the whole object}; the versions of a kind have one schema."""
    found = {}
    for spec in specs():
        kinds = [version["schema"]["openAPIV3Schema"] for version in spec["versions"]]
        assert all(schema["properties"]["spec"] == kinds[0]["properties"]["spec"] for schema in kinds), spec["names"]["kind"]
        found[spec["names"]["kind"]] = kinds[0]
    return found


@cache
def headings():
    """{"backupsessions": what `kubectl get` writes above them}, by the plural and by the singular."""
    return {name: ["NAME", *(column["name"].upper() for column in spec["versions"][0]["additionalPrinterColumns"] if not column.get("priority"))]
            for spec in specs() for name in (spec["names"]["plural"], spec["names"]["singular"])}


def fields():
    """{"BackupConfiguration.spec.target.paths": (has fields of its own, is marked as not acted on)} of spec and status."""
    found = {}
    for kind, schema in schemas().items():
        for part in ("spec", "status"):
            _walk(schema["properties"][part], f"{kind}.{part}", False, found)
    return found


def _walk(schema, path, not_yet, found):
    schema = schema.get("items", schema) if schema.get("type") == "array" else schema
    for name, field in schema.get("properties", {}).items():
        marked = not_yet or NOT_YET in field.get("description", "")
        inner = field.get("items", {}) if field.get("type") == "array" else field
        below = f"{path}.{name}" + ("[]" if field.get("type") == "array" else "")
        found[f"{path}.{name}"] = (bool(inner.get("properties")), marked)
        _walk(field, below, marked, found)
