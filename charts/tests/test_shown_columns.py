"""What README shows of `kubectl get` has the columns that the CRDs have."""
import re

import crd_schema
from crd_schema import ROOT


def shown():
    """(resource, headings) of every table of our kinds, in their order."""
    for resources, output in re.findall(r"^\$ kubectl get (\S+).*\n((?:  .*\n)+)", (ROOT / "README.md").read_text(), re.M):
        above = [re.split(" {2,}", line.strip()) for line in output.splitlines() if re.match(r"  NAME  ", line)]
        for resource, headings in zip(resources.split(","), above, strict=True):
            if resource in crd_schema.headings():
                yield resource, headings


def test_tables_in_the_readme_have_the_columns_of_the_crds():
    tables = list(shown())
    assert [resource for resource, _ in tables] == ["backupconfigurations", "backupsessions", "repository", "restoresession"]
    for resource, headings in tables:
        assert headings == crd_schema.headings()[resource], resource
