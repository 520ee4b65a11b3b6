"""Links between the documents lead somewhere, and the index leads to every document."""
import re
from functools import cache

import pytest
from crd_schema import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@cache
def anchors(path):
    """As GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
    slugs, seen = set(), {}
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        slugs.add(f"{slug}-{number}" if number else slug)
    return slugs


def dead_links(page):
    for link in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert not list(dead_links(page))


def test_the_index_names_every_document():
    index = (DOCS / "README.md").read_text()
    named = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(index)}
    pages = {path.resolve() for path in (*DOCS.glob("*.md"), *(DOCS / "guides").glob("*.md"))} - {(DOCS / "README.md").resolve()}
    assert not (missing := sorted(path.name for path in pages - named)), f"docs/README.md does not name {missing}"
