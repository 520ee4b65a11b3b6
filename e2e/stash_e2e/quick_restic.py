"""A restic whose new repositories have a password that is cheap to check: each command of a session saves half a second of processor time.

It is the real one, and only after a successful `init` of a directory is something done to the repository (quick_key). Not for
tests that kill restic: while it makes a repository, a shell is in front of it.
"""
import atexit
import functools
import shutil
import tempfile
from pathlib import Path

_SCRIPT = """#!/bin/sh
for word; do
  if [ "$word" = init ]; then
    RESTIC "$@" || exit $?
    [ ! -d "$RESTIC_REPOSITORY/keys" ] || PYTHONPATH=E2E /usr/bin/python3 -m stash_e2e.quick_key "$RESTIC_REPOSITORY" || exit 70
    exit 0
  fi
done
exec RESTIC "$@"
"""


@functools.cache
def path() -> str:
    """A PATH in which it comes first; it exists as long as this process."""
    directory = Path(tempfile.mkdtemp(prefix="quick-restic-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    script = directory / "restic"
    script.write_text(_SCRIPT.replace("RESTIC \"", f"{shutil.which('restic', path='/usr/bin:/bin')} \"").replace("E2E", str(Path(__file__).parents[1])))
    script.chmod(0o755)
    return f"{directory}:/usr/bin:/bin"
