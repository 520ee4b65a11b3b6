"""What goes wrong for people on their first day: each names cause and remedy, ends, and leaves the workload running."""
import pytest

from stash_e2e import objects
from stash_e2e.kube import wait_until


def workload_is_well(place):
    deployment = place.kube.get("deployment", "web", place.ns)
    return deployment["status"].get("availableReplicas") == 1 and all(n == 0 for n in place.restarts().values())


def condition_becomes(place, kind, name, type_, status):
    def probe():
        found = place.kube.condition(kind, name, place.ns, type_)
        return found if found and found["status"] == status else None
    return wait_until(f"{kind} {name} has {type_}={status}", probe, 60)


def containers(place):
    return [c["name"] for c in place.kube.get("deployment", "web", place.ns)["spec"]["template"]["spec"]["containers"]]


@pytest.mark.fault("F35", invariants="I3 I5 I15")
def test_a_wrong_repository_password_fails_the_session_and_says_which_secret(place):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    assert place.trigger("with-the-right-one")["status"]["phase"] == "Succeeded"
    place.kube.delete("backupconfiguration", "web-backup", place.ns)
    wait_until("the sidecar is gone", lambda: containers(place) == ["app"])
    place.kube.apply(objects.secret(place.ns, "other-secret", password="something else"),
                     objects.repository(place.ns, place.repository, name="same-place", secret_name="other-secret"),
                     objects.backup_configuration(place.ns, schedule="0 0 1 1 *", repository="same-place"))
    place.wait_for_sidecar()
    session = place.trigger("with-the-wrong-one")
    assert session["status"]["phase"] == "Failed"
    error = session["status"]["stats"][0]["error"]
    assert "wrong password" in error and "other-secret" in error and "RESTIC_PASSWORD" in error
    assert "something else" not in str(session)
    place.kube.wait_for_event(place.ns, "with-the-wrong-one", "wrong password")
    assert workload_is_well(place)


def test_a_missing_secret_is_named_and_injection_waits_for_it(place):
    place.start_workload(with_secret=False)
    condition_becomes(place, "repository", "local-repository", "BackendSecretFound", "False")
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    condition = condition_becomes(place, "backupconfiguration", "web-backup", "BackendSecretFound", "False")
    assert "repository-secret" in condition["message"] and "RESTIC_PASSWORD" in condition["message"]
    assert place.trigger()["status"]["phase"] == "Failed"
    assert containers(place) == ["app"] and workload_is_well(place)
    place.kube.apply(objects.secret(place.ns))
    place.wait_for_sidecar()
    assert "stash" in containers(place)
    assert place.trigger("after-the-remedy")["status"]["phase"] == "Succeeded"


def test_a_missing_repository_is_named(place):
    place.start_workload()
    said = place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *", repository="not-there"))
    condition = condition_becomes(place, "backupconfiguration", "web-backup", "RepositoryFound", "False")
    assert "not-there" in condition["message"]
    assert "not-there" in said, "kubectl apply warns at once"
    session = place.trigger()
    assert session["status"]["phase"] == "Failed"
    place.kube.wait_for_event(place.ns, "by-hand", "not-there")
    assert containers(place) == ["app"] and workload_is_well(place)


@pytest.mark.not_opted_in
def test_a_namespace_that_is_not_opted_in_is_left_alone_and_the_command_to_opt_in_is_told(place):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    condition = condition_becomes(place, "backupconfiguration", "web-backup", "StashSidecarInjected", "False")
    remedy = f"kubectl label namespace {place.ns} stash.appscode.com/injection=enabled"
    assert condition["reason"] == "NamespaceNotOptedIn" and remedy in condition["message"]
    assert place.kube.list("cronjobs", place.ns) == []
    assert containers(place) == ["app"] and workload_is_well(place)
    place.kube.kubectl("label", "namespace", place.ns, "stash.appscode.com/injection=enabled")
    place.wait_for_sidecar()
    assert place.trigger()["status"]["phase"] == "Succeeded"


def test_a_path_that_does_not_exist_fails_the_session_and_names_it(place):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *", paths=["/source/data/nope"]))
    place.wait_for_sidecar()
    session = place.trigger()
    assert session["status"]["phase"] == "Failed"
    error = session["status"]["stats"][0]["error"]
    assert "/source/data/nope" in error and "volumeMounts" in error
    assert workload_is_well(place)


@pytest.mark.fault("F43", invariants="I5")
def test_an_empty_directory_is_no_successful_backup_and_leaves_no_snapshot_to_restore_from(place):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    (place.source / "data.txt").unlink()
    session = place.trigger()
    assert session["status"]["phase"] == "Failed"
    assert "allow-empty" in session["status"]["stats"][0]["error"]
    assert not session["status"]["stats"][0].get("snapshots")
