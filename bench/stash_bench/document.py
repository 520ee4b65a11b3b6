"""docs/performance.md: the tables and curves of what was measured last; the words around them are written by hand."""
import os
import re

from stash_e2e import paths

from . import curves, figures

DOCUMENT = paths.ROOT / "docs" / "performance.md"
DRAWINGS = paths.ROOT / "docs" / "performance"
MARKS = re.compile(r"(<!-- figures: make bench writes them -->\n).*?(<!-- end of figures -->)", re.S)


def write(benches):
    found, drawn = [], []
    for bench in benches:
        measured, series = figures.kept(bench)
        found += measured
        drawn += series.items()
    parts = [f"On {os.cpu_count()} processors, client, API server and etcd on the same.", figures.as_markdown(found)]
    for title, lines in drawn:
        DRAWINGS.mkdir(exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") + ".svg"
        (DRAWINGS / name).write_text(curves.svg(title, lines))
        parts.append(f"![{title}](performance/{name})")
    text = "\n\n".join(parts)
    DOCUMENT.write_text(MARKS.sub(lambda match: f"{match.group(1)}\n{text}\n\n{match.group(2)}", DOCUMENT.read_text()))
