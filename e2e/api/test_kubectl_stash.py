"""`kubectl stash` with the real kubectl, a real API server and our controller and webhook."""
import json
import re
import subprocess

import pytest
from test_programs import workload  # noqa: F401: a fixture

from stash_e2e import api_ring, objects, paths
from stash_e2e.kube import wait_until
from stash_e2e.plugin import Plugin, without_defaults

NEVER = "0 0 1 1 *"


@pytest.fixture
def plugin(kube):
    return Plugin(kube)


def configuration(ns, **more):
    return objects.backup_configuration(ns, schedule=NEVER, paths=[objects.SOURCE], **more)


def sessions(kube, ns):
    return kube.list("backupsessions", ns)


def test_trigger_makes_the_session_that_a_cronjob_would_make_and_tells_how_it_ended(kube, ns, workload, plugin):
    workload.configure()
    workload.pod("web-1")
    done = plugin.run("trigger", "web-backup", "-n", ns)
    assert done.returncode == 0, done.stderr
    session = sessions(kube, ns)[0]
    labels = session["metadata"]["labels"]
    assert labels["stash.appscode.com/backup-configuration"] == labels["stash.appscode.com/invoker-name"] == "web-backup"
    assert session["metadata"]["ownerReferences"][0]["kind"] == "BackupConfiguration"
    name = session["metadata"]["name"]
    assert f"BackupSession {ns}/{name} created" in done.stderr
    assert f"BackupSession {ns}/{name} Succeeded after" in done.stdout
    host = session["status"]["stats"][0]
    assert host["snapshots"][0]["name"] in done.stdout and "host-0   Succeeded" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr  # no terminal, no colours, no bar


@pytest.mark.parametrize("no_color", ["", "1"], ids=["colours", "no-colours"])
def test_a_terminal_gets_a_bar_that_is_drawn_over_and_colours_unless_no_color_forbids_them(kube, ns, workload, plugin, request, no_color):
    def on_terminal(*words):
        terminal = plugin.on_terminal(*words, "-n", ns, NO_COLOR=no_color)
        request.addfinalizer(terminal.close)
        return terminal
    workload.configure()
    trigger = on_terminal("trigger", "web-backup")
    trigger.shows("\r\x1b[K[" + 24 * "." + "]  0/1 hosts  ")  # no pod yet, so this state stays until it is seen
    workload.pod("web-1")
    code, shown = trigger.ends()
    assert code == 0 and "Succeeded after" in shown, shown
    assert shown.rindex("\r\x1b[K") < shown.index("HOST")  # the bar is gone before the result is printed
    code, status = on_terminal("status").ends()
    assert "web-backup" in status, status
    for text in (shown, status):
        assert ("\x1b[1m" in text or "\x1b[32m" in text) == (no_color == ""), text


def test_trigger_ends_with_1_and_the_reason_when_the_backup_fails(kube, ns, controller, plugin):
    kube.apply(configuration(ns))
    done = plugin.run("trigger", "web-backup", "-n", ns)
    assert done.returncode == 1
    assert " Failed: " in done.stdout and "does not exist" in done.stdout


def test_trigger_without_waiting_is_back_at_once(kube, ns, controller, plugin):
    kube.apply(configuration(ns))
    plugin.well("trigger", "web-backup", "-n", ns, "--wait=false")
    assert len(sessions(kube, ns)) == 1


def test_pause_stops_trigger_and_the_schedule_until_resume(kube, ns, controller, plugin):
    kube.apply(configuration(ns))
    assert plugin.well("pause", "web-backup", "-n", ns) == f"BackupConfiguration {ns}/web-backup paused\n"
    wait_until("the CronJob is suspended", lambda: [c for c in kube.list("cronjobs", ns) if c["spec"]["suspend"]], 30)
    done = plugin.run("trigger", "web-backup", "-n", ns)
    assert done.returncode == 1 and f"kubectl stash resume web-backup -n {ns}" in done.stderr
    assert sessions(kube, ns) == []
    plugin.well("resume", "--all", "-n", ns)
    wait_until("the CronJob goes on", lambda: [c for c in kube.list("cronjobs", ns) if not c["spec"]["suspend"]], 30)


def test_what_is_misspelt_is_told_with_exit_code_1_and_wrong_usage_with_2(ns, plugin):
    done = plugin.run("trigger", "nothing", "-n", ns)
    assert done.returncode == 1 and f"there is no BackupConfiguration nothing in namespace {ns}" in done.stderr
    for words in (["pause", "-n", ns], ["undo"], ["status", "-o", "xml"], ["restore", "b", "--time", "noon", "-n", ns],
                  ["preview", "web", "-n", ns], ["preview"]):
        assert plugin.run(*words).returncode == 2, words


def test_status_shows_what_is_there_and_what_is_wrong(kube, ns, controller, plugin):
    assert plugin.well("status", "-n", ns) == "No BackupConfiguration found.\n"
    kube.apply(configuration(ns))
    wait_until("the controller has seen it", lambda: kube.condition("backupconfiguration", "web-backup", ns, "RepositoryFound"), 30)
    done = plugin.run("status", "-n", ns)
    assert done.returncode == 1
    assert "web-backup   Deployment/web" in done.stdout and "NotReady" in done.stdout
    assert f"! BackupConfiguration web-backup: Repository {ns}/local-repository does not exist" in done.stdout
    report = json.loads(plugin.run("status", "-n", ns, "-o", "json").stdout)
    assert report["backups"][0]["phase"] == "NotReady" and report["restores"] == []
    assert plugin.run("status", "-A", "-o", "yaml").stdout.startswith("backups:\n")


@pytest.fixture
def deployment_like_the_process(kube, webhook, pushgateway):
    """The plugin takes settings from the webhook's Deployment; the webhook of this ring is a process with a Pushgateway of its own."""
    def put(arguments):
        kube.kubectl("patch", "deployment", "stash-webhook", "-n", "stash", "--type=json", "-p", json.dumps(
            [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": arguments}]))
    as_charted = kube.get("deployment", "stash-webhook", "stash")["spec"]["template"]["spec"]["containers"][0]["args"]
    put([f"--pushgateway-url={pushgateway.url}" if argument.startswith("--pushgateway-url=") else argument for argument in as_charted])
    yield
    put(as_charted)


def test_preview_shows_the_very_injection_that_the_webhook_makes(kube, ns, webhook, deployment_like_the_process, plugin, tmp_path):
    kube.apply(objects.secret(ns), objects.repository(ns, tmp_path), configuration(ns))
    made = objects.deployment(ns, tmp_path)
    file = tmp_path / "web.json"
    file.write_text(json.dumps(made))
    foreseen = plugin.json("preview", "-f", file, "-n", ns)[0]
    assert foreseen["sidecar"] and foreseen["changed"] and foreseen["whyNot"] == []
    kube.apply(made)
    injected = wait_until("the sidecar is injected", lambda: [c for c in kube.get("deployment", "web", ns)["spec"]["template"]["spec"]["containers"]
                                                              if c["name"] == "stash"], 30)[0]
    expected = [c for c in foreseen["result"]["spec"]["template"]["spec"]["containers"] if c["name"] == "stash"][0]
    assert without_defaults(injected, expected) == expected
    text = plugin.well("preview", "deployment/web", "-n", ns)
    assert text.startswith(f"Deployment {ns}/web: nothing is changed\n")
    assert f"+ container stash backs it up for BackupConfiguration {ns}/web-backup" in text


def test_preview_says_why_nothing_is_injected(kube, ns, webhook, plugin, tmp_path):
    kube.apply(objects.deployment(ns, tmp_path))
    nobody = plugin.run("preview", "deployment/web", "-n", ns)
    assert nobody.returncode == 0 and "names Deployment web in spec.target.ref" in nobody.stdout
    kube.apply(configuration(ns))
    missing = plugin.run("preview", "deployment/web", "-n", ns)
    assert missing.returncode == 1 and "(RepositoryMissing)" in missing.stdout
    kube.kubectl("label", "namespace", ns, "stash.appscode.com/injection-", "--overwrite")
    unlabelled = plugin.run("preview", "deployment/web", "-n", ns)
    assert unlabelled.returncode == 1 and f"kubectl label namespace {ns} stash.appscode.com/injection=enabled" in unlabelled.stdout


def test_preview_needs_no_cluster_for_files(ns, tmp_path):
    manifests = json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        objects.deployment(ns, tmp_path), objects.repository(ns, tmp_path), configuration(ns)]})
    done = subprocess.run([api_ring.BIN / "kubectl-stash", "preview", "--local", "-f", "-", "-o", "json"], input=manifests, text=True,
                          capture_output=True, env={"PATH": "/nowhere"}, timeout=60)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)[0]
    assert report["sidecar"] and "stash" in [c["name"] for c in report["result"]["spec"]["template"]["spec"]["containers"]]


def test_the_plugin_loads_no_more_libraries_than_its_documentation_names():
    loaded = subprocess.run(["readelf", "-d", api_ring.BIN / "kubectl-stash"], text=True, capture_output=True, check=True, timeout=60).stdout
    documented = (paths.ROOT / "docs" / "kubectl-stash.md").read_text()
    names = [name for name in re.findall(r"NEEDED.*\[(.*)\]", loaded) if not name.startswith(("ld-linux", "libasan", "libubsan", "libtsan"))]
    assert names and [name for name in names if f"`{name}`" not in documented] == []


def test_the_examples_of_the_documentation_are_injected_by_a_local_preview():
    examples = paths.ROOT / "docs" / "examples" / "first-backup.yaml"
    done = subprocess.run([api_ring.BIN / "kubectl-stash", "preview", "--local", "-f", examples], text=True, capture_output=True,
                          env={"PATH": "/nowhere"}, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+ container stash backs it up for BackupConfiguration" in done.stdout


def problems(plugin):
    return [(check["area"], check["message"]) for check in json.loads(plugin.run("doctor", "-o", "json").stdout)["checks"]
            if check["level"] == "problem"]


def test_doctor_finds_what_was_taken_away(kube, ns, webhook, plugin):
    # No kubelet here: the Deployments of our programs are never ready, and what other tests leave behind may be ill.
    assert [found for found in problems(plugin) if found[0] in ("crds", "webhook", "certificates", "rbac")] == []
    kube.apply(objects.namespace(ns, opted_in=False), configuration(ns))
    kube.kubectl("label", "namespace", ns, "stash.appscode.com/injection-")
    assert ("labels", f"namespace {ns} has 1 BackupConfiguration but has not asked for injection") in problems(plugin)
    binding = kube.get("clusterrolebinding", "stash-webhook")
    kube.delete("clusterrolebinding", "stash-webhook")
    try:
        missing = ("rbac", "ServiceAccount stash/stash-webhook of stash-webhook may not watch namespaces")
        wait_until("the missing right is found", lambda: missing in problems(plugin), 30)
    finally:
        kube.apply({key: binding[key] for key in ("apiVersion", "kind", "roleRef", "subjects")} | {"metadata": {
            "name": "stash-webhook", "labels": binding["metadata"]["labels"]}})
    done = plugin.run("doctor")
    assert done.returncode == 1 and f"kubectl label namespace {ns} stash.appscode.com/injection=enabled --overwrite" in done.stdout
    assert "certificates: the serving certificate is valid until" in done.stdout


def test_migrate_finds_what_appscodes_stash_left(kube, ns, controller, plugin, request):
    kube.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "appscode:stash:view"}, "rules": []})
    request.addfinalizer(lambda: kube.delete("clusterrole", "appscode:stash:view"))
    report = plugin.json("migrate")
    assert "ClusterRole appscode:stash:view" in report["found"]
    assert report["steps"][-1]["commands"] == ["kubectl delete clusterrole appscode:stash:view"]


def test_names_are_completed_as_kubectl_asks_for_them(kube, ns, controller, plugin):
    kube.apply(configuration(ns))
    script = plugin.well("completion")
    assert script.startswith("#!/bin/sh\n") and "kubectl stash __complete" in script
    assert plugin.well("__complete", "trigger", "-n", ns, "") == "web-backup\n:4\n"
