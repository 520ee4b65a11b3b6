"""After a failover, an API server may answer a list with one that it knew long ago (F16). The watch that follows catches up."""
import contextlib
import re

import pytest

from stash_e2e import api_ring
from stash_e2e.kube import wait_until
from stash_faults import actions, state
from stash_faults.bench import stopped


def path_of(target):
    return target.partition("?")[0]


def watched_lists_of(proxy):
    """What a program lists in order to watch it from there."""
    asked = [call.target for call in list(proxy.calls) if call.method == "GET"]
    watched = {path_of(target) for target in asked if "watch=true" in target}
    return {target for target in asked if path_of(target) in watched and "watch=true" not in target and "continue=" not in target}


def versions_of(kube, ns):
    return {f"{kind}/{item['metadata']['name']}": item["metadata"]["resourceVersion"] for kind in state.KINDS for item in kube.list(kind, ns)}


@contextlib.contextmanager
def old_lists(bench, lists):
    """Each program's watches expire once, and what it then lists is what was there when the lists were taken."""
    with contextlib.ExitStack() as stack:
        taken = []
        for program, bodies in lists.items():
            proxy = bench.proxies[program]
            for target, body in bodies.items():
                path = re.escape(path_of(target))
                stack.enter_context(proxy.rule("GET", rf"^{path}\?.*watch=true", actions.reply(410, reason="Expired"), times=1))
                taken.append(stack.enter_context(proxy.rule("GET", f"^{re.escape(target)}$", actions.reply(200, body=body), times=1)))
            proxy.cut_all()
        wait_until("all have taken the old lists", lambda: all(rule.hits for rule in taken), 90)
        yield


@pytest.mark.fault("F16", invariants="I4 I5 I7 I19")
@pytest.mark.parametrize("programs", [("controller",), ("webhook",), ("sidecar",), ("controller", "webhook", "sidecar")], ids="-".join)
def test_old_lists_lead_to_no_second_backup_and_to_no_step_back(bench, workload, clean_state, recovery, programs):
    kube, ns = bench.kube, workload.ns
    workload.configure()
    pod = workload.pod("web-1")

    def asked_by(program):
        return {target for target in watched_lists_of(bench.proxies[program]) if program != "sidecar" or f"/{ns}/" in target}
    wait_until("the sidecar has listed", lambda: asked_by("sidecar"), 30)
    with stopped(pod.pid):
        workload.session("by-hand")
        wait_until("the controller has offered its host", lambda: kube.get("backupsession", "by-hand", ns).get("status", {}).get("stats"), 60)
        workload.session("deleted")
        kube.wait_for_phase("backupsession", "deleted", ns, ("Skipped",), 60)
        # What each of them would see then: a session that waits, and one that is gone since.
        old = {program: {target: kube.raw(target) for target in asked_by(program)} for program in programs}
        kube.delete("backupsession", "deleted", ns)
    assert all(old.values())
    assert workload.finished("by-hand", 120)["status"]["phase"] == "Succeeded"
    wait_until("the state is that of a run without the fault", lambda: not state.differences(clean_state, workload.state()), 120)
    versions = api_ring.settled("the namespace", lambda: versions_of(kube, ns), same_for=2.0)

    with old_lists(bench, old):
        recovery.fault_ended()
        # Long enough for what an old list would set off: a look at everything, and a sidecar that lists.
        still = api_ring.settled("the namespace", lambda: versions_of(kube, ns), same_for=5.0)
    recovery.recovered()
    assert still == versions, "something was written"
    workload.require_one_snapshot()
    assert len(workload.snapshots()) == 1
    workload.session("next")
    assert workload.finished("next", 120)["status"]["phase"] == "Succeeded"
