"""What the chart's options make of its objects, as helm renders them."""
import json

import pytest
from test_chart import CommandFailed, pods_of, render


@pytest.mark.parametrize("wrong, told", [("image.repo=x", "image"), ("injection.mode=maybe", "opt-in"),
                                         ("webhook.replicas=0", "replicas"), ("logLevel=loud", "logLevel"), ("sidecar.upgrade=now", "at-once"), ("pushgateway.url=host:9091", "url"),
                                         ("hostPath.allowed={data}", "hostPath"), ("hostPath.allowed={/data/../etc}", "hostPath"),
                                         ("hooks.exec=sometimes", "exec"), ("wipeOut.limit=-1", "limit"), ("wipeOut.limit=many", "limit"),
                                         ("cronJob.resources.requests.memory=little", "memory"), ("wipeOut.resources.limits.gpu=1", "gpu")])
def test_a_wrong_value_is_refused_and_named(wrong, told):
    with pytest.raises(CommandFailed, match=told):
        render("--set", wrong)


def test_one_webhook_replica_has_no_disruption_budget_that_would_block_drains():
    kinds = [o["kind"] for o in render("--set", "webhook.replicas=1")]
    assert "PodDisruptionBudget" not in kinds
    assert "PodDisruptionBudget" in [o["kind"] for o in render()]


@pytest.mark.parametrize("mode, expected", [("opt-in", ("In", ["enabled"])), ("opt-out", ("NotIn", ["disabled"]))])
def test_the_mode_decides_which_namespaces_are_asked_about_and_system_namespaces_never_are(mode, expected):
    hooks = [o for o in render("--set", f"injection.mode={mode}") if o["kind"] == "MutatingWebhookConfiguration"][0]["webhooks"]
    selected = {e["key"]: (e["operator"], e["values"]) for e in hooks[0]["namespaceSelector"]["matchExpressions"]}
    assert selected["stash.appscode.com/injection"] == expected
    assert selected["kubernetes.io/metadata.name"] == ("NotIn", ["kube-system", "kube-node-lease", "kube-public", "stash"])


def test_both_programs_know_which_paths_of_the_nodes_are_allowed_and_none_is_by_default():
    def flags(*more):
        return [[a for c in t["spec"]["containers"] for a in c["args"] if "host-path" in a] for t in pods_of(render(*more)).values()]
    assert flags() == [[], []]
    assert flags("--set", "hostPath.allowed={/srv/backups,/a b}") == [["--allowed-host-path=/srv/backups", "--allowed-host-path=/a b"]] * 2


def test_labels_and_annotations_of_ones_own_are_added_and_replace_none_that_select_pods():
    objects = render("--set", "podLabels.team=storage,podLabels.app\\.kubernetes\\.io/component=mine,annotations.owner=us,"
                     "serviceAccount.annotations.role=none")
    for one in [o for o in objects if o["kind"] == "Deployment"]:
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert labels["team"] == "storage" and one["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert one["metadata"]["annotations"] == {"owner": "us"}
    assert [o["metadata"]["annotations"] for o in objects if o["kind"] == "ServiceAccount"] == [{"role": "none"}] * 2


def test_a_pushgateway_of_ones_own_takes_the_place_of_ours():
    objects = render("--set", "pushgateway.url=http://gateway.monitoring.svc:9091,monitoring.annotations=true,networkPolicy.enabled=true")
    assert [c["name"] for c in pods_of(objects)["stash-operator"]["spec"]["containers"]] == ["controller"]
    told = [a for t in pods_of(objects).values() for c in t["spec"]["containers"] for a in c["args"] if "pushgateway" in a]
    assert told == ["--pushgateway-url=http://gateway.monitoring.svc:9091"] * 2
    assert "56789" not in json.dumps(objects) and "pushgateway\"" not in json.dumps(objects)


def policies(*more):
    return {o["metadata"]["name"]: o["spec"] for o in render("--set", "networkPolicy.enabled=true", *more) if o["kind"] == "NetworkPolicy"}


def test_network_policies_let_in_what_the_pods_serve_and_limit_what_goes_out_only_on_demand():
    assert not [o for o in render() if o["kind"] == "NetworkPolicy"]
    templates = pods_of(render())
    for name, spec in policies().items():
        ports = {port["name"] for c in templates[name]["spec"]["containers"] for port in c["ports"]}
        assert {port["port"] for rule in spec["ingress"] for port in rule["ports"]} == ports
        assert spec["podSelector"]["matchLabels"].items() <= templates[name]["metadata"]["labels"].items()
        assert spec["policyTypes"] == ["Ingress"] and "egress" not in spec
    assert {rule["ports"][0]["port"]: rule.get("from") for rule in policies()["stash-operator"]["ingress"]} == {
        "health": None, "pushgateway": [{"namespaceSelector": {}}]}
    named = policies("--set-json", 'networkPolicy.webhookFrom=[{"ipBlock":{"cidr":"10.0.0.10/32"}}]')["stash-webhook"]["ingress"]
    assert {rule["ports"][0]["port"]: rule.get("from") for rule in named} == {
        "health": None, "https": [{"ipBlock": {"cidr": "10.0.0.10/32"}}]}
    limited = policies("--set-json", 'networkPolicy.egress=[{"ports":[{"port":6443}]}]')
    assert [(spec["policyTypes"], spec["egress"]) for spec in limited.values()] == [(["Ingress", "Egress"], [{"ports": [{"port": 6443}]}])] * 2


@pytest.mark.parametrize("when", ["next-rollout", "at-once"])
def test_the_operator_and_not_the_webhook_is_told_when_sidecars_are_upgraded(when):
    told = {name: [a for c in t["spec"]["containers"] for a in c["args"] if "sidecar-upgrade" in a]
            for name, t in pods_of(render("--set", f"sidecar.upgrade={when}")).items()}
    assert told == {"stash-operator": [f"--sidecar-upgrade={when}"], "stash-webhook": []}


@pytest.mark.parametrize("values, told", [([], ["--wipe-out-limit=10"]), (["--set", "wipeOut.limit=0"], ["--wipe-out-limit=0"]),
                                          (["--set", "wipeOut.limit=2000000"], ["--wipe-out-limit=2000000"]), (["--set", "wipeOut=null"], [])])
def test_the_operator_is_told_how_many_repositories_may_be_wiped_at_once(values, told):
    args = {name: [a for c in t["spec"]["containers"] for a in c["args"] if "wipe-out-limit" in a] for name, t in pods_of(render(*values)).items()}
    assert args == {"stash-operator": told, "stash-webhook": []}


def test_the_operator_is_told_what_the_pods_of_its_jobs_take():
    def told(*values):
        args = {name: [a for c in t["spec"]["containers"] for a in c["args"] if a.startswith(("--cron-job-", "--wipe-out-r"))]
                for name, t in pods_of(render(*values)).items()}
        assert args["stash-webhook"] == []
        return {flag: json.loads(value) for flag, value in (a.split("=", 1) for a in args["stash-operator"])}
    assert told() == {"--cron-job-resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"}},
                      "--wipe-out-resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}}
    assert told("--set", "cronJob.resources.requests.memory=128Mi,cronJob.resources.limits=null")["--cron-job-resources"] == {
        "requests": {"cpu": "10m", "memory": "128Mi"}}
    # What `helm upgrade --reuse-values` from an older release brings along.
    assert told("--set", "cronJob=null,wipeOut.resources=null") == {}


def user_roles(*more):
    labelled = [o for o in render(*more) if o["kind"] == "ClusterRole" and o["metadata"]["labels"]["app.kubernetes.io/component"] == "users"]
    return {role["metadata"]["name"]: (sorted(label.rsplit("-", 1)[1] for label in role["metadata"]["labels"] if "aggregate-to-" in label), role["rules"])
            for role in labelled}


def test_who_may_edit_or_view_a_namespace_may_do_so_with_our_objects_but_not_with_statuses_or_blueprints():
    roles = user_roles()
    assert roles["stash-edit"][0] == ["admin", "edit"] and roles["stash-view"][0] == ["admin", "edit", "view"]
    ours = ["repositories", "backupconfigurations", "backupsessions", "restoresessions"]
    assert roles["stash-edit"][1][0]["resources"] == ours
    assert roles["stash-view"][1][0]["resources"] == [*ours, "backupsessionhosts"]  # only the programs write those
    assert roles["stash-view"][1][0]["verbs"] == ["get", "list", "watch"]
    assert user_roles("--set", "userRoles.create=false") == {}
