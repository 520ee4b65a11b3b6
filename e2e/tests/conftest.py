"""One cluster for all end-to-end tests; each test has a namespace and a directory on the node's disk of its own.

With pytest -n tests run side by side on it, but for those marked `alone`, which come last.
"""
import fcntl
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from stash_e2e import installation, objects, paths  # noqa: E402
from stash_e2e.kube import Kube  # noqa: E402

# STASH_E2E_KEEP=1 leaves the cluster up, for looking around and for quick reruns.
CLUSTER = os.environ.get("STASH_E2E_CLUSTER", "e2e")


def pytest_configure(config):
    if not installation.is_root():
        raise pytest.UsageError("end-to-end tests boot a cluster: run them as root")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        place = item.funcargs.get("place")
        if place is not None:
            report.sections.append(("the cluster", place.kube.explain_failure(place.ns)))


def is_worker(config):
    return hasattr(config, "workerinput")


def pytest_sessionstart(session):
    if session.config.option.collectonly or is_worker(session.config):
        return
    try:
        installation.install(installation.boot(CLUSTER), lambda line: print("  " + line, flush=True))
    except BaseException:
        shut_down()
        raise


def pytest_sessionfinish(session):
    if not session.config.option.collectonly and not is_worker(session.config):
        shut_down()


def shut_down():
    if not os.environ.get("STASH_E2E_KEEP"):
        installation.shut_down(CLUSTER)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items):
    alone = [item for item in items if item.get_closest_marker("alone")]
    for item in alone:
        item.add_marker(pytest.mark.xdist_group("alone"))
    items[:] = [item for item in items if item not in alone] + alone


@pytest.fixture(scope="session")
def kube():
    return Kube(CLUSTER)


@pytest.fixture
def turn(request):
    """Many tests at once, or one that is marked `alone`."""
    with open(paths.cluster_directory(CLUSTER) / "turn.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if request.node.get_closest_marker("alone") else fcntl.LOCK_SH)
        yield


class Place:
    """A namespace and what lies below its directory on the node: source/ and repository/."""

    def __init__(self, kube, ns, directory):
        self.kube, self.ns, self.directory = kube, ns, directory
        self.source, self.repository = directory / "source", directory / "repository"

    def start_workload(self, with_secret=True, **more):
        """Secret, Repository, and a Deployment with one file; waits until it runs."""
        self.source.mkdir(parents=True, exist_ok=True)
        (self.source / "data.txt").write_text("worth keeping\n")
        self.kube.apply(*([objects.secret(self.ns)] if with_secret else []), objects.repository(self.ns, self.repository))
        self.kube.apply(objects.deployment(self.ns, self.source, **more))
        self.kube.rollout("web", self.ns)

    def wait_for_sidecar(self):
        self.kube.kubectl("wait", "backupconfiguration/web-backup", "-n", self.ns, "--for=condition=Ready", "--timeout=180s", timeout=190)
        self.kube.rollout("web", self.ns)

    def trigger(self, name="by-hand", configuration="web-backup"):
        """Makes a BackupSession by hand and waits until it is final."""
        self.kube.apply(objects.backup_session(self.ns, name, configuration))
        return self.kube.wait_for_phase("backupsession", name, self.ns, ("Succeeded", "Failed", "Skipped"), 120)

    def restarts(self):
        return {f"{p['metadata']['name']}/{c['name']}": c["restartCount"]
                for p in self.kube.list("pods", self.ns, "app=web") for c in p["status"].get("containerStatuses", [])}


def namespace_of(test):
    """By the test's name and, last, its parameters: else each case would wait until the namespace of the one before is gone."""
    def as_label(text):
        return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    case = as_label(test.callspec.id) if hasattr(test, "callspec") else ""
    return "-".join(part for part in (as_label(test.originalname.removeprefix("test_"))[:49 - len(case)].strip("-"), case) if part)


@pytest.fixture
def place(kube, request, turn):
    ns = namespace_of(request.node)
    directory = paths.cluster_directory(kube.cluster) / "volumes" / ns
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if kube.get("namespace", ns):  # of an earlier run on a cluster that was kept
        kube.delete("namespace", ns)
    opted_in = request.node.get_closest_marker("not_opted_in") is None
    kube.apply(objects.namespace(ns, opted_in))
    yield Place(kube, ns, directory)
    kube.kubectl("delete", "namespace", ns, "--wait=false")
