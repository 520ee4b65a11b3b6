"""e2e/cluster/cluster, which brings clusters up and down."""
import subprocess

from . import paths


class Failed(Exception):
    """With all that the command said: every test behind a fixture shows it, and not only the first one's captured output."""


def cluster(*arguments):
    """Prints what the command prints while it runs."""
    argv = [str(paths.CLUSTER_COMMAND), *map(str, arguments)]
    said = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        for line in running.stdout:
            print(line, end="", flush=True)
            said.append(line)
    if running.returncode != 0:
        raise Failed(f"{' '.join(argv)} ended with {running.returncode}:\n{''.join(said)}")
