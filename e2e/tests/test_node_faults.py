"""What happens to pods on a node: drained, displaced, out of memory, the node or parts of it gone, neighbours that look around."""
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stash_e2e import installation, lost_node, objects, pod_process
from stash_e2e.kube import CommandFailed, wait_until
from test_backup import snapshots
from test_bad_paths import condition_becomes, workload_is_well
from test_kinds import wait_for_pods
from test_pods import containers
from test_rollouts import configure, succeeds


ENOUGH_GRACE = {"terminationGracePeriodSeconds": 30}  # for restic to take its lock away


def with_files(place):
    """Enough for restic to be caught in the middle."""
    place.source.mkdir(parents=True, exist_ok=True)
    for i in range(40):
        (place.source / f"large-{i}").write_bytes(os.urandom(3_000_000))


def with_much_to_back_up(place, **more):
    with_files(place)
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


@pytest.mark.alone
@pytest.mark.fault("F51", invariants="I5 I6 I7 I12")
def test_a_drained_pod_gives_its_backup_to_the_next_one_and_leaves_no_lock(place, node):
    pod = with_much_to_back_up(place, pod_spec=ENOUGH_GRACE)
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


def one_good_backup(place, name, seconds=150):
    """I5 I7 I12: the session's one snapshot is there, and nobody left a lock."""
    session = place.kube.wait_for_phase("backupsession", name, place.ns, ("Succeeded", "Failed", "Skipped"), seconds)
    assert session["status"]["phase"] == "Succeeded", session["status"]
    assert len(snapshots(place)) == 1
    assert locks(place) == []
    return session


@pytest.fixture
def finalizer(place):
    """Somebody else's, on a pod: it stays in Terminating until he has done what he wants to."""
    held = []

    def put(pod, finalizers):
        place.kube.kubectl("patch", "pod", pod["metadata"]["name"], "-n", place.ns, "--type=merge", "-p",
                           json.dumps({"metadata": {"finalizers": finalizers}}))

    def hold(pod):
        put(pod, ["example.com/not-yet"])
        held.append(pod)
    yield hold
    for pod in held:
        put(pod, None)


@pytest.mark.slow
@pytest.mark.fault("F51", invariants="I5 I6 I7 I12")
def test_a_pod_that_is_stuck_in_terminating_holds_up_neither_its_session_nor_the_repository(place, finalizer):
    pod = with_much_to_back_up(place)
    finalizer(pod)
    place.kube.apply(objects.backup_session(place.ns, "stuck"))
    with pod_process.held_in_the_middle_of_a_backup(pod, place.repository) as restic:
        place.kube.kubectl("delete", "pod", pod["metadata"]["name"], "-n", place.ns, "--wait=false")
        # It is killed when its grace period is over: with its lock in the repository, and its claim in the session.
        wait_until("restic is dead", lambda: restic.status("State") in ("", "Z (zombie)"), 60)
    session = one_good_backup(place, "stuck")
    still = place.kube.get("pod", pod["metadata"]["name"], place.ns)
    assert still["metadata"]["deletionTimestamp"] and still["metadata"]["uid"] == pod["metadata"]["uid"]
    assert [lost["podUID"] for lost in session["status"]["lostPods"]] == [pod["metadata"]["uid"]]
    succeeds(place, "next")


def takes_most_memory(kube, part):
    """A request of that part of the node's memory."""
    [node] = kube.list("nodes")
    return {"requests": {"memory": f"{int(int(node['status']['allocatable']['memory'].removesuffix('Ki')) * part)}Ki"}}


@pytest.fixture
def important(kube, place):
    """A priority class above all that is not the system's."""
    name = place.ns[:40]
    kube.apply({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 1000000})
    yield name
    kube.delete("priorityclass", name)


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.fault("F51", invariants="I5 I6 I7 I12")
def test_a_pod_that_a_more_important_one_displaces_gives_its_backup_to_its_successor(place, important):
    workload = objects.deployment(place.ns, place.source, pod_spec=ENOUGH_GRACE)
    workload["spec"]["strategy"] = {"type": "Recreate"}  # there is no room for two of them
    workload["spec"]["template"]["spec"]["containers"][0]["resources"] = takes_most_memory(place.kube, 0.55)
    with_files(place)
    place.kube.apply(objects.secret(place.ns), objects.repository(place.ns, place.repository), workload)
    place.kube.rollout("web", place.ns)
    configure(place)
    place.wait_for_sidecar()
    [pod] = wait_for_pods(place, 1, "containers", "stash")
    other = objects.deployment(place.ns, place.source, name="important", pod_spec={"priorityClassName": important})
    other["spec"]["template"]["spec"]["containers"][0]["resources"] = takes_most_memory(place.kube, 0.55)
    place.kube.apply(objects.backup_session(place.ns, "displaced"))
    with pod_process.held_in_the_middle_of_a_backup(pod, place.repository) as restic:
        place.kube.apply(other)
        wait_until("the sidecar has told restic to end", lambda: restic.has_pending(signal.SIGINT), 60, every=0.02)
        restic.send(signal.SIGCONT)
        place.kube.rollout("important", place.ns)
    assert locks(place) == []
    waiting = place.kube.get("backupsession", "displaced", place.ns)["status"]
    assert waiting["phase"] not in ("Succeeded", "Failed"), "no node has room for the next pod yet"
    place.kube.delete("deployment", "important", place.ns)
    one_good_backup(place, "displaced")
    succeeds(place, "next")


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.fault("F49", "F27", invariants="I3 I5 I6 I7 I8 I12")
def test_after_a_power_cut_of_the_node_the_session_is_completed_and_all_of_stash_is_back(place):
    pod = with_much_to_back_up(place)
    place.kube.apply(objects.backup_session(place.ns, "dark"))
    with pod_process.held_in_the_middle_of_a_backup(pod, place.repository):
        installation.power_cut(place.kube.cluster)
        assert locks(place), "restic was killed while it held a lock"
    one_good_backup(place, "dark", 300)
    [after] = wait_for_pods(place, 1, "containers", "stash")
    assert after["metadata"]["uid"] == pod["metadata"]["uid"], "a node that comes back has the same pods"
    for deployment in ("stash-operator", "stash-webhook"):
        place.kube.rollout(deployment, "stash")
    succeeds(place, "next")
    # And workloads are injected as before.
    place.kube.apply(objects.deployment(place.ns, place.source, name="second"))
    place.kube.apply(objects.backup_configuration(place.ns, name="second", workload="second", schedule="0 0 1 1 *"))
    wait_until("it is injected", lambda: "stash" in [c["name"] for c in place.kube.get("deployment", "second", place.ns)["spec"]["template"]["spec"]["containers"]])


def leader(kube):
    [found] = [lease for lease in kube.list("leases", "stash") if lease["spec"].get("holderIdentity")]
    return found["spec"]["holderIdentity"]


@pytest.fixture
def two_controllers(kube):
    kube.kubectl("scale", "deployment/stash-operator", "-n", "stash", "--replicas=2")
    kube.rollout("stash-operator", "stash")
    yield
    kube.kubectl("scale", "deployment/stash-operator", "-n", "stash", "--replicas=1")
    kube.rollout("stash-operator", "stash")


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.fault("F27", invariants="I6 I7")
def test_a_controller_that_is_lost_with_its_node_is_followed_by_the_other_within_half_a_minute(place, two_controllers):
    kube = place.kube
    place.start_workload()
    configure(place)
    place.wait_for_sidecar()
    before = leader(kube)
    [pod] = [pod for pod in kube.list("pods", "stash") if pod["metadata"]["name"] in before]
    with lost_node.of_pod(kube, pod):
        began = time.monotonic()
        wait_until("another one leads", lambda: leader(kube) != before, 60)
        assert time.monotonic() - began < 30
        succeeds(place, "under-the-next-one")
        assert kube.get("pod", pod["metadata"]["name"], "stash")["status"]["phase"] == "Running", "nobody has told the API server"
    assert len(snapshots(place)) == 1


@pytest.mark.alone
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

    def write(how):
        """As often as it takes: `replace` reads, then writes, and the Deployment's controller writes its status in between."""
        try:
            return json.loads(place.kube.kubectl(*how, "-o", "json", "-f", "-", stdin=manifest))
        except CommandFailed as failure:
            assert "(Conflict)" in str(failure), failure
            return None
    for how in (["apply"], ["apply", "--server-side", "--force-conflicts"], ["replace"]):
        written = [wait_until("no other write came in between", lambda: write(how)) for _ in range(10)]
        assert all(one["spec"] == before["spec"] for one in written), how
        if how != ["replace"]:  # which drops the annotation of Kubernetes' own controller each time
            assert len({one["metadata"]["generation"] for one in written}) == 1, f"{how}: somebody wrote in between"
    succeeds(place, "afterwards")
    assert len(place.kube.list("replicasets", place.ns)) == 2, "the author's and the one with the sidecar"
