"""Reading a Pushgateway the way Prometheus does."""
import re
import subprocess
import urllib.request

# Stash's own names of gauges, which dashboards know; promtool would have a counter or a summary of such a name.
NAMES_KEPT = ("stash_backup_host_files_total", "stash_backup_host_count_total", "stash_restore_host_count_total",
              "stash_repository_snapshot_count")


def scraped(pushgateway):
    with urllib.request.urlopen(pushgateway.url + "/metrics", timeout=5) as reply:
        return reply.read().decode()


def series(text, namespace):
    """The lines of ours about one namespace."""
    return [line for line in text.splitlines() if line.startswith("stash_") and f'namespace="{namespace}"' in line]


def total(text, name, **labels):
    """The sum over all series of that name with these labels; a tuple stands for any of its values."""
    found = 0.0
    for line in text.splitlines():
        match = re.match(rf"{name}(?:\{{(.*)\}})? (\S+)$", line)
        if match:
            has = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(1) or ""))
            if all(has.get(key) in (value if isinstance(value, tuple) else (value,)) for key, value in labels.items()):
                found += float(match.group(2))
    return found


def complaints(text):
    """What promtool's lint says of our metrics. A Pushgateway is shared by the tests of a run, so `text` holds those of others too."""
    lint = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
    assert lint.returncode in (0, 3), lint.stderr
    return [line for line in lint.stderr.splitlines() if "stash_" in line and not line.startswith(NAMES_KEPT)]
