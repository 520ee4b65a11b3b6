"""The audit log as a judge: nobody writes at rest (I4), nothing is forbidden and nothing granted in vain (I18), nobody hurries (I20)."""
import json
import time

import pytest

from stash_e2e import api_ring
from stash_faults import audit

OPERATOR, WEBHOOK = "system:serviceaccount:stash:stash-operator", "system:serviceaccount:stash:stash-webhook"
REST = 25  # seconds: longer than a lease


def line(verb, resource, code=200, stage="ResponseComplete", user=OPERATOR, at="2026-01-01T00:00:00.000000Z", **ref):
    return json.dumps({"stage": stage, "verb": verb, "user": {"username": user}, "requestReceivedTimestamp": at,
                       "objectRef": dict({"resource": resource, "apiGroup": "g"}, **ref), "responseStatus": {"code": code}})


def test_the_log_is_read_with_each_watch_once_and_an_unfinished_line_left_out(tmp_path):
    log = tmp_path / "audit.log"
    log.write_text("\n".join([line("watch", "pods", stage="ResponseStarted"), line("watch", "pods"), line("patch", "sessions", subresource="status"),
                              line("patch", "leases"), line("get", "secrets", 403), '{"stage": "Resp']))
    calls = audit.read(log)
    assert [(call.verb, call.resource) for call in calls] == [("watch", "pods"), ("patch", "sessions/status"), ("patch", "leases"), ("get", "secrets")]
    assert [call.resource for call in audit.writes(calls)] == ["sessions/status"]
    assert [call.text for call in audit.forbidden(calls)] == [f"{OPERATOR} get secrets: 403"]
    assert audit.used(calls) == {("watch", "g", "pods"), ("patch", "g", "sessions/status"), ("patch", "g", "leases")}


def test_the_busiest_window_counts():
    calls = [audit.Call(at, "u", "get", "", "pods", "", "", 200) for at in (0, 1, 2, 30, 31)]
    assert audit.busiest(calls, window=10) == 0.3


@pytest.mark.fault("F81", invariants="I4 I18 I20")
def test_a_whole_backup_is_done_without_a_forbidden_call_and_at_rest_nobody_writes(bench, workload):
    began = time.time()
    sidecar_user = f"system:serviceaccount:{workload.ns}:default"
    assert workload.back_up()["status"]["phase"] == "Succeeded"
    api_ring.settled("the namespace", workload.state, same_for=3.0)
    at_rest = time.time()
    time.sleep(REST)
    calls = audit.read(bench.control_plane.audit_log)
    assert audit.of(calls, OPERATOR, since=began) and audit.of(calls, sidecar_user, since=began) and audit.of(calls, WEBHOOK)
    for user in (OPERATOR, WEBHOOK, sidecar_user):
        mine = audit.of(calls, user, since=began)
        assert [call.text for call in audit.forbidden(mine)] == []
        resting = audit.of(mine, user, since=at_rest)
        assert [call.text for call in audit.writes(resting)] == []
        assert audit.busiest(resting, window=10) <= 5 and audit.busiest(mine, window=10) <= 20
    # What the sidecar is granted, it uses.
    rules = bench.kube.get("role", "stash-sidecar-deployment-web", workload.ns)["rules"]
    unused = audit.granted(rules) - audit.used(audit.of(calls, sidecar_user, since=began))
    assert {(verb, resource) for verb, _, resource in unused} <= ONLY_SOMETIMES, unused


# Rights of the sidecar that a backup without incidents does not use.
ONLY_SOMETIMES = {("get", "backupsessions"), ("list", "events")}
