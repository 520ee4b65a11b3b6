"""Repositories in object stores, from pods: one over TLS with an authority of its own, one with user and password.

Every other backend and restic version is in e2e/backends, against the sidecar's driver.
"""
import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))
from node.identity import find  # noqa: E402
from servers import rest, s3  # noqa: E402
from stash_e2e import objects, tree
from stash_e2e.kube import wait_until


def containers(place, kind):
    template = place.kube.get("deployment", "web", place.ns)["spec"]["template"]["spec"]
    return [container["name"] for container in template.get(kind, [])]


@pytest.fixture
def address(kube):
    """Where pods reach what the test starts: the test's end of the cluster's network."""
    return find(kube.cluster).host_address


@contextlib.contextmanager
def started(server, place):
    directory = place.directory / "server"
    directory.mkdir()
    with server(directory) as running:
        yield running


def back_up_and_restore(place, server):
    tree.make_tree(place.source)
    before = tree.fingerprint(place.source)
    secret = objects.secret(place.ns)
    secret["stringData"] |= server.secret
    repository = objects.repository(place.ns, "unused")
    repository["spec"]["backend"] = server.backend("demo/web") | {"storageSecretName": "repository-secret"}
    place.kube.apply(secret, repository, objects.deployment(place.ns, place.source))
    place.kube.rollout("web", place.ns)
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    session = place.trigger()
    assert session["status"]["phase"] == "Succeeded", session["status"]
    status = wait_until("the Repository knows its snapshot", lambda: [
        found for found in [place.kube.get("repository", "local-repository", place.ns)["status"]]
        if found.get("snapshotCount")], 30)[0]
    assert status["integrity"] is True

    tree.destroy(place.source)
    place.kube.apply(objects.restore_session(place.ns))
    wait_until("stash-init is in the Deployment", lambda: "stash-init" in containers(place, "initContainers"), 30)
    restored = place.kube.wait_for_phase("restoresession", "web-restore", place.ns, ("Succeeded", "Failed"), 120)
    assert restored["status"]["phase"] == "Succeeded", restored["status"]
    assert not tree.differences(before, tree.fingerprint(place.source))
    shown = [str(place.kube.list(kind, place.ns)) for kind in
             ("backupsessions", "restoresessions", "repositories", "backupconfigurations", "events", "deployments")]
    place.kube.rollout("web", place.ns)
    pods = wait_until("there are pods that stay", lambda: [
        pod["metadata"]["name"] for pod in place.kube.list("pods", place.ns, "app=web")
        if place.kube.get("replicaset", pod["metadata"]["ownerReferences"][0]["name"], place.ns)["spec"]["replicas"]], 60)
    logs = "".join(place.kube.kubectl("logs", pod, "-n", place.ns, "--all-containers") for pod in pods)
    for secret in server.secrets:
        assert all(secret not in text for text in [*shown, logs]), "a credential is shown"


def test_s3_over_tls_with_an_authority_of_its_own(place, address):
    with started(lambda directory: s3.versitygw(directory, tls=True, address=address), place) as server:
        back_up_and_restore(place, server)


def test_a_rest_server_with_user_and_password(place, address):
    with started(lambda directory: rest.rclone(directory, address=address), place) as server:
        back_up_and_restore(place, server)


@pytest.mark.fault("F33", invariants="I5 I6")
def test_a_store_that_is_down_fails_the_session_with_its_cause(place, address):
    with started(lambda directory: s3.versitygw(directory, tls=True, address=address), place) as server:
        pass  # it is down again
    place.start_workload(with_secret=False)
    secret = objects.secret(place.ns)
    secret["stringData"] |= server.secret
    repository = objects.repository(place.ns, "unused")
    repository["spec"]["backend"] = server.backend("demo/web") | {"storageSecretName": "repository-secret"}
    place.kube.delete("repository", "local-repository", place.ns)
    place.kube.apply(secret, repository, objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
    place.wait_for_sidecar()
    error = place.trigger()["status"]["stats"][0]["error"]
    assert "cannot be reached" in error and "connection refused" in error
    assert all(count == 0 for count in place.restarts().values())


def test_a_deleted_repository_with_wipeout_is_emptied_by_a_job_of_the_cluster(place, address):
    with started(lambda directory: rest.rclone(directory, address=address), place) as server:
        tree.make_tree(place.source)
        secret = objects.secret(place.ns)
        secret["stringData"] |= server.secret
        repository = objects.repository(place.ns, "unused")
        repository["spec"] = {"backend": server.backend("demo/web") | {"storageSecretName": "repository-secret"}, "wipeOut": True}
        place.kube.apply(secret, repository, objects.deployment(place.ns, place.source),
                         objects.backup_configuration(place.ns, schedule="0 0 1 1 *"))
        place.wait_for_sidecar()
        assert place.trigger()["status"]["phase"] == "Succeeded"
        kept = lambda what: [p for p in (place.directory / "server").rglob(f"demo/web/{what}/**/*") if p.is_file()]  # noqa: E731
        assert kept("snapshots") and kept("data")
        place.kube.delete("backupconfiguration", "web-backup", place.ns)
        wait_until("nothing holds the Repository",
                   lambda: place.kube.kubectl("delete", "repository", "local-repository", "-n", place.ns, "--wait=false"), 30)
        wait_until("the Repository is gone", lambda: place.kube.get("repository", "local-repository", place.ns) is None, 120)
        assert not kept("snapshots") and not kept("data")
