"""The bench: an API server of its own, and our programs behind fault proxies."""
import contextlib
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from stash_e2e import api_ring, namespace_name, objects  # noqa: E402
from stash_faults.bench import Bench, BenchWorkload, Recovery, before_api_server, remote_workload  # noqa: E402
from stash_faults.control_plane import ControlPlane  # noqa: E402

NAME = os.environ.get("STASH_FAULTS_CLUSTER", "faults-api")


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bench")
    with contextlib.ExitStack() as stack:
        if not os.environ.get("STASH_E2E_KEEP"):
            stack.callback(api_ring.shut_down, NAME)
        kube = api_ring.boot(NAME)
        proxies = {name: stack.enter_context(before_api_server(kube, directory / f"{name}-proxy")) for name in ("controller", "webhook", "sidecar")}
        made = Bench(kube, ControlPlane(kube), directory, proxies)
        made.controller = api_ring.start_controller(made.through("controller"), directory)
        stack.callback(lambda: made.controller.stop())
        made.webhook = api_ring.start_webhook(made.through("webhook"), directory)
        stack.callback(lambda: made.webhook.stop())
        yield made


@pytest.fixture
def ns(bench, request):
    name = namespace_name.of_test(request.node.name)
    make_namespace(bench.kube, name)
    return name


def make_namespace(kube, name):
    kube.apply(objects.namespace(name))
    kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}})


@pytest.fixture
def workload(request, bench, ns, tmp_path):
    made = BenchWorkload(bench, ns, tmp_path, getattr(request, "param", "Deployment"))
    yield made
    made.stop()


@pytest.fixture
def remote(bench, ns, tmp_path):
    with remote_workload(bench, ns, tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def clean_state(bench, tmp_path_factory):
    """What the backup story leaves behind when nothing goes wrong."""
    make_namespace(bench.kube, "without-a-fault")
    workload = BenchWorkload(bench, "without-a-fault", tmp_path_factory.mktemp("clean"))
    try:
        assert workload.back_up()["status"]["phase"] == "Succeeded"
        return api_ring.settled("the namespace", workload.state, same_for=2.0)
    finally:
        workload.stop()


@pytest.fixture
def recovery(request):
    return Recovery(request.node.user_properties)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed and "bench" in item.funcargs:
        bench = item.funcargs["bench"]
        for name, program in (("controller", bench.controller), ("webhook", bench.webhook)):
            report.sections.append((f"{name} log", program.output()[-4000:]))
        for program in getattr(item.funcargs.get("workload") or item.funcargs.get("remote"), "programs", []):
            report.sections.append((program.log.name, program.output()[-3000:]))
        if "ns" in item.funcargs:
            report.sections.append(("objects", bench.kube.explain_failure(item.funcargs["ns"])))
