"""One kube-apiserver and etcd for all tests of this ring, with the chart's RBAC, CRDs and webhook registration in it.

With pytest -n each worker has one of its own.
"""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from stash_e2e import api_ring, namespace_name, objects  # noqa: E402

NAME = "-".join(filter(None, [os.environ.get("STASH_API_CLUSTER", "api"), os.environ.get("PYTEST_XDIST_WORKER")]))


@pytest.fixture(scope="session")
def kube():
    try:
        booted = api_ring.boot(NAME)
        booted.apply(objects.deployment_config_crd())  # before the controller starts, which asks for it each minute only
        booted.wait_for_crds("deploymentconfigs.apps.openshift.io")
        yield booted
    finally:
        if not os.environ.get("STASH_E2E_KEEP"):
            api_ring.shut_down(NAME)


@pytest.fixture(scope="session")
def logs(tmp_path_factory):
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="session")
def pushgateway(logs):
    program = api_ring.start_pushgateway(logs)
    yield program
    program.stop()


@pytest.fixture(scope="session")
def controller(kube, logs, pushgateway):
    program = api_ring.start_controller(kube, logs, pushgateway_url=pushgateway.url)
    yield program
    program.stop()


@pytest.fixture(scope="session")
def webhook(kube, logs, controller, pushgateway):
    program = api_ring.start_webhook(kube, logs, pushgateway_url=pushgateway.url)
    yield program
    program.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for name in ("controller", "webhook"):
            if name in item.funcargs:
                report.sections.append((f"{name} log", item.funcargs[name].output()[-6000:]))
        for program in getattr(item.funcargs.get("workload"), "programs", []):
            report.sections.append((program.log.name, program.output()[-3000:]))
        if "ns" in item.funcargs and "kube" in item.funcargs:
            report.sections.append(("objects", item.funcargs["kube"].explain_failure(item.funcargs["ns"])))


@pytest.fixture
def ns(kube, request):
    name = namespace_name.of_test(request.node.name)
    kube.apply(objects.namespace(name))
    kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}})
    return name
