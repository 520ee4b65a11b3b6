"""A restic in front of the real one that notices when two of them back up one host of one repository at once (I7)."""
import shutil
from pathlib import Path

# The file of the host is held by the process and so until its end, whatever ends it.
_SCRIPT = """#!/bin/sh
writes= host= previous=
for word; do
  case "$word" in backup) writes=yes;; --host=*) host=${word#--host=};; esac
  [ "$previous" = --host ] && host=$word
  previous=$word
done
if [ "$writes" ]; then
  exec 9>>"DIRECTORY/held-$host"
  flock --nonblock 9 || echo "a second writer of $host: $*" >>"DIRECTORY/seen"
fi
exec RESTIC "$@"
"""


class Writers:
    def __init__(self, directory: Path):
        self._directory = directory
        directory.mkdir()
        script = directory / "restic"
        script.write_text(_SCRIPT.replace("DIRECTORY", str(directory)).replace("RESTIC", shutil.which("restic", path="/usr/bin:/bin")))
        script.chmod(0o755)
        self.path = f"{directory}:/usr/bin:/bin"  # a PATH in which it comes first

    def watched(self) -> list[str]:
        """The hosts that were backed up."""
        return sorted(path.name.removeprefix("held-") for path in self._directory.glob("held-*"))

    def at_once(self) -> list[str]:
        """What was seen of two at once."""
        seen = self._directory / "seen"
        return seen.read_text().splitlines() if seen.exists() else []
