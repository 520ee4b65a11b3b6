"""A namespace's name for each test."""
import hashlib
import re

LONGEST = 50  # characters, so that a test may add some to make another one


def of_test(name):
    """Of pytest's name of a test. What had to be cut has a hash in its place: tests with parameters begin alike."""
    name = re.sub(r"[^a-z0-9]+", "-", name.lower().removeprefix("test_")).strip("-")
    return name if len(name) <= LONGEST else f"{name[:LONGEST - 7].strip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
