"""What the commands print, how they fail and how they wait."""

import sys
import time


class Failure(Exception):
    """Something a person has to read: what, where, and what to do about it."""


def say(text: str) -> None:
    print(text, flush=True)


def warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def wait_for(what: str, condition, seconds: float, interval: float = 0.1):
    """Polls `condition` until it returns something true and returns that.

    A condition may raise Failure to give up at once. At the time limit the last reason that it left in
    `condition.why` (if any) goes into the message.
    """
    limit = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > limit:
            why = getattr(condition, "why", "")
            raise Failure(f"waited {seconds:.0f} s in vain for: {what}" + (f" ({why})" if why else ""))
        time.sleep(interval)


def tail(path, lines: int = 25) -> str:
    """The end of a log file, indented, for a failure's message."""
    try:
        text = path.read_text(errors="replace").splitlines()
    except OSError as error:
        return f"    (cannot read {path}: {error.strerror})"
    return "\n".join(f"    {line[:400]}" for line in text[-lines:]) or "    (empty)"
