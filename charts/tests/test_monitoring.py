"""Alerts, their runbooks, the dashboard, and how the chart hands them to Prometheus and Grafana."""
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "e2e"))
from stash_e2e import paths  # noqa: E402
from stash_e2e.kube import CommandFailed, run  # noqa: E402

CHART = ROOT / "charts/stash"
RULES = CHART / "rules/stash.yaml"
DASHBOARD = CHART / "dashboards/stash.json"
RUNBOOKS = ROOT / "docs/runbooks"
DOCUMENT = (ROOT / "docs/metrics.md").read_text()
OWN = r"stash_(?:controller|webhook|backup_configuration|repository_status)_\w+"
NAME = r"\bstash_[a-z]\w+"


def render(*more):
    return [o for o in yaml.safe_load_all(run([paths.HELM, "template", "stash", CHART, "-n", "stash", *more])) if o]


def of_kind(objects, kind):
    return [o for o in objects if o["kind"] == kind]


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def queries():
    return [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel.get("targets", [])]


def promtool(*argv):
    done = subprocess.run(["promtool", *map(str, argv)], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_fire_when_they_should_and_not_before():
    promtool("check", "rules", RULES)
    promtool("test", "rules", ROOT / "charts/tests/stash_rules.test.yaml")


def test_every_alert_is_tested_to_fire_and_to_keep_quiet():
    asked = [case for test in yaml.safe_load((ROOT / "charts/tests/stash_rules.test.yaml").read_text())["tests"]
             for case in test.get("alert_rule_test", [])]
    for alert in {rule["alert"] for rule in alerts()}:
        assert {bool(case["exp_alerts"]) for case in asked if case["alertname"] == alert} == {True, False}, alert


def test_every_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on():
    for rule in alerts():
        assert rule["labels"].keys() == {"severity"} and rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, rule["alert"]
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"


def test_every_alert_has_a_page_every_page_an_alert_and_links_lead_somewhere():
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {rule["alert"] for rule in alerts()}
    for page in RUNBOOKS.glob("*.md"):
        text = page.read_text()
        assert text.startswith(f"# {page.stem}\n") and "## What to do" in text, page.name
        missing = [link for link in re.findall(r"\]\(([^):#]+\.md)", text) if not (RUNBOOKS / link).exists()]
        assert not missing, (page.name, missing)


def source_names():
    text = "".join(path.read_text() for room in ("controller", "webhook") for path in sorted((ROOT / room).glob("*.cc")))
    return set(re.findall(rf'"({OWN})"', text))


def pushed_names():
    named = re.findall(rf'"({NAME})"', (ROOT / "sidecar/metrics_text.cc").read_text())
    made = re.findall(r'"(stash_\{\}_\w+)"', (ROOT / "controller/session_metrics.cc").read_text())
    return set(named) | {name.replace("{}", what) for name in made for what in ("backup", "restore")}


def test_the_document_lists_every_metric_and_no_other():
    listed = re.findall(rf"^\| `({NAME})", DOCUMENT, re.M)
    assert sorted(set(listed)) == sorted(listed)
    assert len(source_names()) > 25 and len(pushed_names()) > 15
    assert set(listed) == source_names() | pushed_names()


def test_rules_and_dashboard_name_no_metric_that_nobody_tells():
    known = source_names() | pushed_names() | {rule["record"] for rule in rules() if "record" in rule}
    known |= {f"{name}_bucket" for name in known}
    texts = [rule["expr"] for rule in rules()] + queries()
    unknown = {name for text in texts for name in re.findall(rf"\b(?:\w+:)?{NAME}(?::\w+)?", text)} - known
    assert not unknown, unknown


def test_nothing_is_installed_that_needs_the_prometheus_operator_unless_it_is_asked_for():
    assert not [o for o in render() if o["apiVersion"].startswith("monitoring.coreos.com")]
    assert not [o for o in of_kind(render(), "ConfigMap") if "dashboard" in o["metadata"]["name"]]


def test_the_prometheus_rule_is_the_file_with_the_address_of_the_runbooks():
    found, = of_kind(render("--set", "monitoring.prometheusRule.enabled=true,monitoring.prometheusRule.labels.release=p,"
                                     "monitoring.runbookBaseURL=https://wiki.example/stash/"), "PrometheusRule")
    assert found["metadata"]["labels"]["release"] == "p" and found["metadata"]["labels"]["app.kubernetes.io/instance"] == "stash"
    expected = RULES.read_text().replace("docs/runbooks/", "https://wiki.example/stash/")
    assert found["spec"] == yaml.safe_load(expected)
    assert found["spec"]["groups"][0]["rules"][1]["annotations"]["summary"].endswith("{{ $labels.namespace }}/{{ $labels.name }} has ever succeeded")


@pytest.mark.parametrize("pushgateway", [True, False])
def test_the_service_monitor_finds_a_port_of_each_program_and_keeps_their_labels(pushgateway):
    objects = render("--set", f"monitoring.serviceMonitor.enabled=true,monitoring.serviceMonitor.labels.release=p,monitoring.serviceMonitor.interval=15s,pushgateway.enabled={str(pushgateway).lower()}")
    monitor, = of_kind(objects, "ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "p"
    assert [e["port"] for e in monitor["spec"]["endpoints"]] == ["metrics"] + ["pushgateway"] * pushgateway
    assert all(e["honorLabels"] is True and e["interval"] == "15s" for e in monitor["spec"]["endpoints"])
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    containers = {name: port for o in of_kind(objects, "Deployment") for c in o["spec"]["template"]["spec"]["containers"]
                  for name, port in ((p["name"], p["containerPort"]) for p in c["ports"])}
    ports = {(service["metadata"]["name"], port["name"]): containers[port["targetPort"]] for service in of_kind(objects, "Service")
             if wanted <= service["metadata"]["labels"].items() for port in service["spec"]["ports"]}
    assert ports == {("stash-webhook", "https"): 8443, ("stash-webhook", "metrics"): 8081, ("stash-operator", "metrics"): 8081,
                     **({("stash-operator", "pushgateway"): 56789} if pushgateway else {})}


def test_the_dashboard_is_a_configmap_that_grafanas_sidecar_finds():
    found, = [o for o in of_kind(render("--set", "monitoring.dashboard.enabled=true"), "ConfigMap") if "dashboard" in o["metadata"]["name"]]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["stash.json"]) == json.loads(DASHBOARD.read_text())


def test_every_query_of_the_dashboard_can_be_parsed_and_no_panel_is_twice(tmp_path):
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    groups = {"groups": [{"name": "dashboard", "rules": [
        {"record": f"query:{i}", "expr": query.replace("$__rate_interval", "5m")} for i, query in enumerate(queries())]}]}
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump(groups))
    promtool("check", "rules", "--lint=none", tmp_path / "queries.yaml")


@pytest.mark.parametrize("wrong", ["monitoring.serviceMonitor.interval=soon", "monitoring.prometheusRule.enabled=maybe", "monitoring.alerts=true",
                                   "monitoring.runbookBaseURL="])
def test_a_wrong_value_is_refused(wrong):
    with pytest.raises(CommandFailed, match="monitoring"):
        render("--set", wrong)
