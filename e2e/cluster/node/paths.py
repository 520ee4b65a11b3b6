"""Where things are: the tree, the cache outside it, and the short names that sockets need."""

import os
from pathlib import Path

CLUSTER_DIR = Path(__file__).resolve().parent.parent
ROOT = CLUSTER_DIR.parent.parent
BUILD = ROOT / "build"
CLUSTERS = BUILD / "cluster"
TOOL_LINKS = BUILD / "tools"
IMAGE_LINKS = BUILD / "images"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stash"
TOOL_CACHE = CACHE / "tools"
IMAGE_CACHE = CACHE / "images"

# Unix socket paths end at 107 characters, so sockets live here and not under the (possibly deep) tree.
RUN = Path("/run")


def tool(name: str) -> Path:
    """The link of a built tool; `build-tools` makes it."""
    return TOOL_LINKS / name
