"""What the operator tells of itself, seen by a real Prometheus with the chart's rules and dashboard."""
import json
import re
import time
import urllib.request

import pytest

from stash_e2e import api_ring, metrics, objects, paths, prometheus
from stash_e2e.kube import wait_until
from test_programs import workload  # noqa: F401

DASHBOARD = paths.CHART / "dashboards/stash.json"
DOCUMENT = paths.CHART.parents[1] / "docs/metrics.md"
# No repository is a day old here, no backup runs, and what never succeeded is another test.
MAY_BE_EMPTY = ("delta1d", "running_seconds{namespace=~\"$namespace\"}) > 0", "never_succeeded_seconds{namespace=~\"$namespace\"}) > 0")


def scraped(program):
    with urllib.request.urlopen(f"http://127.0.0.1:{program.health}/metrics", timeout=5) as reply:
        return reply.read().decode()


def families(text):
    return set(re.findall(r"^# TYPE (stash_\w+) ", text, re.M))


def documented():
    """Of the programs' own metrics; the Pushgateway's are in another table."""
    return set(re.findall(r"^\| `(stash_(?:controller|webhook|backup_configuration|repository_status)_\w+)", DOCUMENT.read_text(), re.M))


def lines_about(text, ns):
    """Without those that say how long something has lasted."""
    return [line for line in metrics.series(text, ns) if not re.match(r"stash_backup_configuration_(never_succeeded|running)_seconds", line)]


@pytest.fixture
def backed_up(kube, ns, workload):  # noqa: F811
    workload.configure()
    workload.pod("web-1")
    workload.session("by-hand")
    assert workload.finished("by-hand")["status"]["phase"] == "Succeeded"
    wait_until("the Repository's status follows", lambda: kube.get("repository", "local-repository", ns).get("status", {}).get("snapshotCount"), 20)
    return workload


@pytest.fixture
def prometheus_server(tmp_path, controller, webhook, pushgateway):
    targets = {"controller": controller.health, "webhook": webhook.health, "pushgateway": pushgateway.url.rpartition(":")[2]}
    program = prometheus.start(tmp_path, targets, prometheus.without_waiting(prometheus.rules_of_the_chart()))
    yield program
    program.stop()


def test_a_backup_that_never_ran_is_told_by_a_real_prometheus_until_it_is_deleted(kube, ns, backed_up, prometheus_server):
    kube.apply(objects.backup_configuration(ns, "never", workload="absent", schedule="* * * * *"))
    wait_until("the alert fires", lambda: prometheus.firing(prometheus_server, "StashBackupNeverSucceeded", ns), 90)
    assert prometheus.firing(prometheus_server, "StashBackupNeverSucceeded", ns) == {"never"}, "the other one has a backup"
    assert prometheus.firing(prometheus_server, "StashBackupNotReady", ns) == {"never"}
    assert not prometheus.firing(prometheus_server, "StashBackupFailing", ns)
    others = 'ALERTS{alertname=~"StashWebhookDown|StashControllerNotLeading|StashCertificateExpiring",alertstate="firing"}'
    # Rules without their waits fire when they are evaluated before the first scrape, until the next evaluation.
    wait_until("nothing is told of programs that are well", lambda: not prometheus.query(prometheus_server, others), 30)
    kube.delete("backupconfiguration", "never", ns)
    wait_until("the alert ends with the object", lambda: not prometheus.firing(prometheus_server, "StashBackupNeverSucceeded", ns), 30)


def test_every_query_of_the_dashboard_finds_what_there_is(kube, ns, backed_up, prometheus_server):
    panels = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]
    expressions = {target["expr"] for panel in panels for target in panel["targets"]}
    assert len(expressions) > 30

    def ask(expression):
        return prometheus.query(prometheus_server, expression.replace("$namespace", ns).replace("$__rate_interval", "10s"))

    for counter in ("stash_controller_reconciles_total", "stash_webhook_requests_total", "stash_webhook_api_requests_total"):
        wait_until(f"there is a rate of {counter}", lambda: ask(f"rate({counter}[$__rate_interval])"), 30)
    wait_until("the session is told", lambda: ask('stash_backup_session_duration_seconds{namespace=~"$namespace"}'), 30)
    empty = [e for e in expressions if not ask(e) and not any(part in e for part in MAY_BE_EMPTY)]
    assert not empty, "\n".join(empty)
    variable = json.loads(DASHBOARD.read_text())["templating"]["list"][1]["definition"]
    assert variable == "label_values(stash_backup_configuration_info, namespace)"
    assert {labels["namespace"] for labels, _ in ask("stash_backup_configuration_info")} >= {ns}


def test_what_the_programs_tell_is_what_the_document_says_and_promtool_likes_it(kube, ns, backed_up, controller, webhook):
    for text in (scraped(controller), scraped(webhook)):
        assert metrics.complaints(text) == []
    wait_until("the Repository is told", lambda: metrics.series(scraped(controller), ns) and "stash_repository_status_integrity{" in scraped(controller), 20)
    assert families(scraped(controller)) | families(scraped(webhook)) == documented()


def test_a_success_is_told_when_its_session_is_gone(kube, ns, backed_up, controller):
    last = wait_until("the status remembers", lambda: kube.get("backupconfiguration", "web-backup", ns)["status"].get("lastSuccessfulTime"), 30)
    kube.delete("backupsession", "by-hand", ns)

    def line(name):
        return [found for found in metrics.series(scraped(controller), ns) if found.startswith(f"stash_backup_configuration_{name}{{")]

    wait_until("the session is forgotten", lambda: not line("last_attempt_timestamp_seconds"), 30)
    value = float(line("last_success_timestamp_seconds")[0].split()[-1])
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(value)) == last
    assert line("never_succeeded_seconds")[0].endswith(" 0")


@pytest.mark.fault("F10", invariants="I8")
def test_a_controller_that_does_not_lead_tells_the_same(kube, ns, backed_up, controller, tmp_path):
    second = api_ring.start_controller(kube, tmp_path)
    try:
        wait_until("both tell the same", lambda: lines_about(scraped(second), ns) == lines_about(scraped(controller), ns) != [], 30)
        assert "stash_controller_leader 0" in scraped(second) and "stash_controller_leader 1" in scraped(controller)
    finally:
        second.stop()
