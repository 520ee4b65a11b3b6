"""What happens to pods on a node: drained, out of memory, kubelet and containerd gone, neighbours that look around."""
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from stash_e2e import installation, objects, pod_process
from stash_e2e.kube import wait_until
from test_backup import snapshots
from test_bad_paths import condition_becomes, workload_is_well
from test_kinds import wait_for_pods
from test_pods import containers
from test_rollouts import configure, succeeds


def with_much_to_back_up(place, **more):
    """Enough for restic to be caught in the middle."""
    place.source.mkdir(parents=True, exist_ok=True)
    for i in range(40):
        (place.source / f"large-{i}").write_bytes(os.urandom(3_000_000))
    place.start_workload(**more)
    configure(place)
    place.wait_for_sidecar()
    return wait_for_pods(place, 1, "containers", "stash")[0]


def locks(place):
    return list((place.repository / "locks").glob("*"))


@pytest.fixture
def node(kube):
    [node] = kube.list("nodes")
    yield node["metadata"]["name"]
    kube.kubectl("uncordon", node["metadata"]["name"])


@pytest.mark.fault("F51", invariants="I5 I6 I7 I12")
def test_a_drained_pod_gives_its_backup_to_the_next_one_and_leaves_no_lock(place, node):
    pod = with_much_to_back_up(place)
    place.kube.apply(objects.backup_session(place.ns, "drained"))
    with pod_process.held_in_the_middle_of_a_backup(pod, place.repository) as restic, ThreadPoolExecutor() as background:
        drain = background.submit(place.kube.kubectl, "drain", node, "--pod-selector=app=web", "--delete-emptydir-data", "--timeout=60s")
        wait_until("the sidecar has told restic to end", lambda: restic.has_pending(signal.SIGINT), 30, every=0.02)
        restic.send(signal.SIGCONT)
        drain.result()
    assert locks(place) == []
    waiting = place.kube.get("backupsession", "drained", place.ns)["status"]["phase"]
    assert waiting not in ("Succeeded", "Failed"), "no node takes the next pod yet"
    place.kube.kubectl("uncordon", node)
    session = place.kube.wait_for_phase("backupsession", "drained", place.ns, ("Succeeded", "Failed", "Skipped"), 120)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert len(snapshots(place)) == 1
    succeeds(place, "next")


@pytest.mark.fault("F49", invariants="I3 I5 I6 I7")
def test_a_backup_outlives_the_kubelet_and_containerd_and_no_container_is_restarted(place):
    pod = with_much_to_back_up(place)
    place.kube.apply(objects.backup_session(place.ns, "through"))
    with pod_process.held_in_the_middle_of_a_backup(pod, place.repository):
        installation.restart(place.kube.cluster, "kubelet", "containerd")
        wait_until("the kubelet reaches the pod again",
                   lambda: place.kube.kubectl("exec", pod["metadata"]["name"], "-n", place.ns, "-c", "app", "--", "echo", "here"), 60)
    session = place.kube.wait_for_phase("backupsession", "through", place.ns, ("Succeeded", "Failed", "Skipped"), 120)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert len(snapshots(place)) == 1
    succeeds(place, "next")
    [after] = wait_for_pods(place, 1, "containers", "stash")
    assert after["metadata"]["uid"] == pod["metadata"]["uid"]
    assert set(place.restarts().values()) == {0}


def memory(limit):
    return {"container": {"resources": {"limits": {"memory": limit}}}}


@pytest.mark.fault("F6", invariants="I3 I5 I6")
def test_a_restic_that_is_killed_for_lack_of_memory_fails_the_session_with_the_remedy_and_leaves_the_application_alone(place):
    place.start_workload()
    configure(place, runtimeSettings=memory("24Mi"))
    place.wait_for_sidecar()
    session = place.trigger("too-little")
    assert session["status"]["phase"] == "Failed", session["status"]
    error = session["status"]["stats"][0]["error"]
    assert "lack of memory" in error and "runtimeSettings.container.resources.limits.memory" in error, error
    assert workload_is_well(place)
    configure(place, runtimeSettings=memory("256Mi"))
    wait_until("the sidecar has its memory", lambda: [
        c["resources"]["limits"]["memory"] for c in place.kube.get("deployment", "web", place.ns)["spec"]["template"]["spec"]["containers"]
        if c["name"] == "stash"] == ["256Mi"])
    place.wait_for_sidecar()
    succeeds(place, "enough")


@pytest.fixture
def neighbours(place):
    """Another namespace, with a Repository and its Secret."""
    ns = f"{place.ns[:50]}-other"
    place.kube.apply(objects.namespace(ns))
    place.kube.apply(objects.secret(ns, "their-secret"), objects.repository(ns, place.directory / "theirs", "theirs", "their-secret"))
    wait_until("their Repository has its Secret", lambda: (
        place.kube.condition("repository", "theirs", ns, "BackendSecretFound") or {}).get("status") == "True")
    yield ns
    place.kube.kubectl("delete", "namespace", ns, "--wait=false")


@pytest.mark.fault("F74", invariants="I1 I16")
def test_repository_and_secret_of_another_namespace_cannot_be_used_and_the_message_names_it(place, neighbours):
    place.start_workload()
    place.kube.apply(objects.backup_configuration(place.ns, schedule="0 0 1 1 *", repository="theirs"))
    condition_becomes(place, "backupconfiguration", "web-backup", "RepositoryFound", "False")
    configuration = objects.backup_configuration(place.ns, schedule="0 0 1 1 *")
    configuration["spec"]["repository"] = {"name": "theirs", "namespace": neighbours}
    told = place.kube.apply(configuration)
    assert f'"{neighbours}" is another namespace' in told, "kubectl apply warns at once"
    condition = wait_until("the condition names the namespace", lambda: [
        c for c in place.kube.get("backupconfiguration", "web-backup", place.ns)["status"]["conditions"]
        if f'"{neighbours}" is another namespace' in c["message"]])[0]
    assert (condition["type"], condition["status"]) == ("Ready", "False")
    session = place.trigger("theirs")
    assert session["status"]["phase"] == "Failed", session["status"]
    # A Secret is looked for by its name alone, and only here.
    place.kube.apply(objects.repository(place.ns, place.directory / "theirs", "borrowed", "their-secret"))
    said = condition_becomes(place, "repository", "borrowed", "BackendSecretFound", "False")
    assert f"{place.ns}/their-secret" in said["message"], said
    assert containers(place) == ["app"] and workload_is_well(place)


# What ptrace may look at is what a neighbour may open: memory, environment, and the files by way of "root".
LOOK_AROUND = """
for process in /proc/[0-9]*; do
  printf '%s|' "$(tr '\\0\\n' '  ' < $process/cmdline)"
  for file in mem environ root/etc/passwd; do (: < $process/$file) 2>/dev/null && printf '%s ' $file; done
  echo
done 2>/dev/null
"""


def opened_by_the_application(place, pod):
    """What it can open of each process of its pod, by command line."""
    seen = place.kube.kubectl("exec", pod["metadata"]["name"], "-n", place.ns, "-c", "app", "--", "/bin/sh", "-c", LOOK_AROUND)
    return {command: files.split() for command, _, files in (line.partition("|") for line in seen.splitlines())}


@pytest.mark.fault("F78", invariants="I15 I16")
@pytest.mark.parametrize("user", [0, 1234])
def test_a_container_with_the_same_user_in_the_same_process_namespace_cannot_look_into_sidecar_and_restic(place, user):
    for directory in (place.source, place.repository):
        directory.mkdir()
        directory.chmod(0o777)
    pod = with_much_to_back_up(place, pod_spec={"shareProcessNamespace": True, "securityContext": {"runAsUser": user}})
    place.kube.apply(objects.backup_session(place.ns, "watched"))
    with pod_process.held_in_the_middle_of_a_backup(pod, place.repository):
        opened = opened_by_the_application(place, pod)
    ours = {command: files for command, files in opened.items() if "run-backup" in command or "restic" in command}
    assert len(ours) == 2 and not any(ours.values()), opened
    assert ["mem", "environ", "root/etc/passwd"] in opened.values(), "it can look into its own processes"
    session = place.kube.wait_for_phase("backupsession", "watched", place.ns, ("Succeeded", "Failed", "Skipped"), 120)
    assert session["status"]["phase"] == "Succeeded", session["status"]


@pytest.mark.fault("F86", invariants="I2 I4")
def test_an_author_who_writes_his_manifest_again_and_again_starts_no_rollout_and_keeps_the_sidecar(place):
    place.start_workload()
    configure(place)
    place.wait_for_sidecar()
    before = place.kube.get("deployment", "web", place.ns)
    manifest = json.dumps(objects.deployment(place.ns, place.source))
    for how in (["apply"], ["apply", "--server-side", "--force-conflicts"], ["replace"]):
        written = [json.loads(place.kube.kubectl(*how, "-o", "json", "-f", "-", stdin=manifest)) for _ in range(10)]
        assert all(one["spec"] == before["spec"] for one in written), how
        if how != ["replace"]:  # which drops the annotation of Kubernetes' own controller each time
            assert len({one["metadata"]["generation"] for one in written}) == 1, f"{how}: somebody wrote in between"
    succeeds(place, "afterwards")
    assert len(place.kube.list("replicasets", place.ns)) == 2, "the author's and the one with the sidecar"
