"""A real Prometheus that scrapes our programs as the chart's ServiceMonitor tells it to, with the chart's rules."""
import json
import urllib.error
import urllib.parse
import urllib.request

import yaml

from . import paths
from .api_ring import Program, answers
from .kube import run, wait_until

from node import ports


def rules_of_the_chart():
    """The groups of rules as the chart installs them."""
    rendered = run([paths.HELM, "template", "stash", paths.CHART, "-n", "stash", "--set", "monitoring.prometheusRule.enabled=true"])
    return next(o for o in yaml.safe_load_all(rendered) if o and o["kind"] == "PrometheusRule")["spec"]


def without_waiting(rules):
    """The same, firing at once: the waits are what promtool tests."""
    return {"groups": [dict(group, rules=[{k: v for k, v in rule.items() if k != "for"} for rule in group["rules"]])
                       for group in rules["groups"]]}


def start(directory, targets, rules):
    """`targets` is {job: port}."""
    port = ports.free()
    (directory / "rules.yaml").write_text(yaml.safe_dump(rules))
    (directory / "prometheus.yaml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": job, "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
                           for job, target in targets.items()]}))
    program = Program(["prometheus", f"--config.file={directory / 'prometheus.yaml'}", f"--storage.tsdb.path={directory / 'tsdb'}",
                       f"--web.listen-address=127.0.0.1:{port}"], directory / "prometheus.log").start()
    program.url = f"http://127.0.0.1:{port}"
    wait_until("Prometheus is ready", lambda: answers(f"{program.url}/-/ready"), 30)
    wait_until("each program is scraped", lambda: len(query(program, "up == 1")) == len(targets), 30)
    return program


def _ask(program, path):
    try:
        with urllib.request.urlopen(f"{program.url}/api/v1/{path}", timeout=10) as reply:
            return json.load(reply)["data"]
    except urllib.error.HTTPError as refused:
        raise AssertionError(f"Prometheus refuses {urllib.parse.unquote(path)}: {refused.read().decode()}") from refused


def query(program, expression):
    """The samples of an instant query, as [(labels, value)]."""
    found = _ask(program, "query?" + urllib.parse.urlencode({"query": expression}))
    return [(sample["metric"], float(sample["value"][1])) for sample in found["result"]]


def firing(program, alert, namespace):
    """The names of the objects of a namespace about which the alert fires."""
    return {a["labels"]["name"] for a in _ask(program, "alerts")["alerts"]
            if a["state"] == "firing" and a["labels"]["alertname"] == alert and a["labels"].get("namespace") == namespace}
