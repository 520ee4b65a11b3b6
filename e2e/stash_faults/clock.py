"""The wall clock of one of our programs, which a test sets while the program runs."""
import contextlib
import os
import struct
import subprocess
from datetime import timedelta
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
NANOSECONDS = struct.Struct("=q")


class Clock:
    """Right until it is set. Programs see it that were started within `of`."""

    def __init__(self, directory):
        self._library, self._file = directory / "clock.so", directory / "clock"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"], check=True)
        self._file.write_bytes(NANOSECONDS.pack(0))

    def set_ahead(self, ahead):
        """For whoever looks from now on; a negative time is behind. In one write: a clock is never half set."""
        whole = ahead // timedelta(microseconds=1) * 1000
        with open(self._file, "r+b", buffering=0) as file:
            os.pwrite(file.fileno(), NANOSECONDS.pack(whole), 0)

    @property
    def env(self):
        return {"LD_PRELOAD": str(self._library), "STASH_CLOCK": str(self._file)}

    @contextlib.contextmanager
    def of(self, program, restart):
        """While the block runs, `program` goes by it; before and after, it is started anew."""
        before = program.env
        program.stop()
        program.env = before | self.env
        try:
            restart()
            yield self
        finally:
            program.stop()
            program.env = before
            restart()
