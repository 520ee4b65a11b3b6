"""What people do to a workload that has a sidecar: undo, restart, pause, OnDelete; and hosts beside one another."""
from stash_e2e import objects
from stash_e2e.kube import wait_until
from test_kinds import starts, volume_of, wait_for_pods, with_a_volume_each


def template(place, kind="deployment", name="web"):
    return place.kube.get(kind, name, place.ns)["spec"]["template"]


def names(template):
    return [container["name"] for container in template["spec"]["containers"]]


def configure(place, kind="Deployment", **spec):
    place.kube.apply(objects.aimed_at(objects.backup_configuration(place.ns, schedule="0 0 1 1 *", **spec), kind))


def succeeds(place, name):
    session = place.trigger(name)
    assert session["status"]["phase"] == "Succeeded", session["status"]


def test_undo_and_restart_keep_the_sidecar_and_nobody_fights_over_it(place):
    place.start_workload()
    configure(place)
    place.wait_for_sidecar()
    for step, command in enumerate((["restart", "deployment/web"], ["undo", "deployment/web", "--to-revision=1"])):
        place.kube.kubectl("rollout", *command, "-n", place.ns)
        place.kube.rollout("web", place.ns)
        assert names(template(place)) == ["app", "stash"]
        written = place.kube.get("deployment", "web", place.ns)["metadata"]["generation"]
        succeeds(place, f"after-{step}")
        assert place.kube.get("deployment", "web", place.ns)["metadata"]["generation"] == written, "somebody wrote it again"


def test_a_paused_rollout_gets_its_sidecar_when_it_goes_on(place):
    place.start_workload()
    place.kube.kubectl("rollout", "pause", "deployment/web", "-n", place.ns)
    before = {pod["metadata"]["uid"] for pod in place.kube.list("pods", place.ns, "app=web")}
    configure(place)
    wait_until("the template has the sidecar", lambda: names(template(place)) == ["app", "stash"], 30)
    assert {pod["metadata"]["uid"] for pod in place.kube.list("pods", place.ns, "app=web")} == before
    place.kube.kubectl("rollout", "resume", "deployment/web", "-n", place.ns)
    place.wait_for_sidecar()
    succeeds(place, "resumed")


def test_on_delete_means_that_the_user_deletes_the_pod(place):
    place.source.mkdir()
    (place.source / "data.txt").write_text("worth keeping\n")
    workload = objects.workload(place.ns, "StatefulSet", place.source)
    workload["spec"]["updateStrategy"] = {"type": "OnDelete"}
    place.kube.apply(objects.secret(place.ns), objects.repository(place.ns, place.repository), workload)
    wait_for_pods(place, 1, "containers", "stash", there=False)
    configure(place, "StatefulSet")
    wait_until("the template has the sidecar", lambda: names(template(place, "statefulset")) == ["app", "stash"], 30)
    assert place.kube.get("statefulset", "web", place.ns)["spec"]["updateStrategy"]["type"] == "OnDelete"
    place.kube.apply(objects.backup_session(place.ns, "early"))
    said = wait_until("the session says what to do", lambda: [
        c["message"] for c in (place.kube.get("backupsession", "early", place.ns) or {}).get("status", {}).get("conditions", [])
        if "delete" in c["message"]], 60)
    assert "OnDelete; delete its pods" in said[0]
    place.kube.kubectl("delete", "pod", "web-0", "-n", place.ns)
    wait_for_pods(place, 1, "containers", "stash")
    done = place.kube.wait_for_phase("backupsession", "early", place.ns, ("Succeeded", "Failed", "Skipped"), 120)
    assert done["status"]["phase"] == "Succeeded", done["status"]


def test_hosts_of_a_stateful_set_are_backed_up_beside_one_another_and_tidied_up_after_once(place):
    directories = [volume_of(place, ordinal) for ordinal in range(2)]
    for directory in directories:
        (directory / "data.txt").write_text("worth keeping\n")
    workload = with_a_volume_each(place.ns)
    place.kube.apply(objects.secret(place.ns), objects.repository(place.ns, place.repository), workload)
    wait_for_pods(place, 2, "containers", "stash", there=False)
    # Each holds its host until it finds the file.
    hold = f"until [ -e {objects.SOURCE}/go ]; do sleep 0.2; done"
    configure(place, "StatefulSet", hooks={"preBackup": {"exec": {"command": ["/bin/sh", "-c", hold]}, "timeout": "2m"}})
    wait_for_pods(place, 2, "containers", "stash")
    place.kube.apply(objects.backup_session(place.ns, "both"))
    stats = lambda: (place.kube.get("backupsession", "both", place.ns) or {}).get("status", {}).get("stats", [])  # noqa: E731
    wait_until("both hosts run", lambda: [host["phase"] for host in stats()] == ["Running", "Running"], 60)
    for directory in directories:
        (directory / "go").touch()
    done = place.kube.wait_for_phase("backupsession", "both", place.ns, ("Succeeded", "Failed", "Skipped"), 120)
    assert done["status"]["phase"] == "Succeeded", done["status"]
    assert sorted(bool(host.get("conditions")) for host in stats()) == [False, True], "one host does the upkeep"
    said = {c["type"]: c["status"] for c in done["status"]["conditions"]}
    assert said["RetentionPolicyApplied"] == said["RepositoryIntegrityVerified"] == "True"
    for ordinal in range(2):
        place.kube.kubectl("delete", "pv", f"{place.ns}-{ordinal}", "--wait=false")


def test_snapshots_of_one_workload_are_restored_into_another(place):
    place.start_workload()
    configure(place)
    place.wait_for_sidecar()
    succeeds(place, "first")
    copy = place.directory / "copy"
    copy.mkdir()
    place.kube.apply(objects.deployment(place.ns, copy, name="copy"),
                     objects.restore_session(place.ns, name="into-copy", workload="copy"))
    restored = place.kube.wait_for_phase("restoresession", "into-copy", place.ns, ("Succeeded", "Failed"), 120)
    assert restored["status"]["phase"] == "Succeeded", restored["status"]
    assert (copy / "data.txt").read_text() == "worth keeping\n"


def test_more_ordinals_than_were_backed_up_take_the_data_of_the_host_that_a_rule_names(place):
    kind = "StatefulSet"
    place.source.mkdir()
    (place.source / "data.txt").write_text("of ordinal 0\n")
    starts(place, kind, place.source)
    wait_for_pods(place, 1, "containers", "stash", there=False)
    configure(place, kind)
    wait_for_pods(place, 1, "containers", "stash")
    succeeds(place, "first")
    place.kube.delete("backupconfiguration", "web-backup", place.ns)
    place.kube.delete("statefulset", "web", place.ns)
    directories = [volume_of(place, ordinal) for ordinal in range(2)]
    workload = with_a_volume_each(place.ns)
    session = objects.aimed_at(objects.restore_session(place.ns), kind)
    session["spec"]["rules"] = [{"targetHosts": ["host-1"], "sourceHost": "host-0", "paths": [objects.SOURCE]},
                                {"targetHosts": [], "sourceHost": "", "paths": [objects.SOURCE]}]
    place.kube.apply(workload, session)
    done = place.kube.wait_for_phase("restoresession", "web-restore", place.ns, ("Succeeded", "Failed"), 200)
    assert done["status"]["phase"] == "Succeeded", done["status"]
    assert [(directory / "data.txt").read_text() for directory in directories] == ["of ordinal 0\n"] * 2
    for ordinal in range(2):
        place.kube.kubectl("delete", "pv", f"{place.ns}-{ordinal}", "--wait=false")
