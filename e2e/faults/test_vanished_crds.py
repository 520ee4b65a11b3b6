"""A CRD of ours is deleted and made again while everything runs (F23): as by an uninstallation that was thought better of."""
import contextlib
import json
import time

import pytest
import yaml

from stash_e2e import api_ring, installation, objects, paths
from stash_e2e.kube import wait_until

from test_programs import containers

OURS = ("backupconfigurations", "backupsessions", "restoresessions", "repositories")
HOT = 5.0  # calls a second of one program


def crds_of(kube, kinds):
    rendered = kube.helm("template", "stash", str(paths.CHART), "-n", "stash", "-f", str(installation.VALUES))
    found = [made for made in yaml.safe_load_all(rendered) if made and made["kind"] == "CustomResourceDefinition"
             and made["spec"]["names"]["plural"] in kinds]
    assert len(found) == len(kinds)
    return found


@contextlib.contextmanager
def deleted(kube, kinds):
    """With all objects of those kinds, which the API server sees to."""
    crds = crds_of(kube, kinds)
    names = [crd["metadata"]["name"] for crd in crds]
    kube.kubectl("delete", "crd", *names, "--wait=true", timeout=180)
    try:
        yield
    finally:
        kube.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": crds}))
        kube.wait_for_crds(*names)


class Caller:
    """A program that shall live, say what it misses, and ask for it without hurry."""

    def __init__(self, name, program, proxy):
        self.name, self.program, self.proxy = name, program, proxy
        self.began, self.calls, self.said = time.monotonic(), len(proxy.calls), len(program.output())

    def has_asked_in_vain_for(self, kind):
        asked = [call for call in self.proxy.calls[self.calls:] if call.method == "GET" and f"/{kind}?" in call.target]
        return len(asked) >= 4

    def require_patience(self):
        assert self.program.process.poll() is None, self.name
        assert (len(self.proxy.calls) - self.calls) / (time.monotonic() - self.began) < HOT, self.name

    def says(self, word):
        return word in self.program.output()[self.said:]


@pytest.mark.fault("F23", invariants="I1 I3 I10 I14 I19 I20")
@pytest.mark.parametrize("kinds", [("backupsessions",), ("backupconfigurations",), OURS], ids=["sessions", "configurations", "all"])
def test_programs_outlive_a_crd_that_is_deleted_and_go_on_by_themselves_when_it_is_back(bench, workload, ns, recovery, kinds):
    kube = bench.kube
    assert workload.back_up("first")["status"]["phase"] == "Succeeded"
    api_ring.settled("the namespace", workload.state, same_for=1.0)
    callers = {"backupsessions": [Caller("controller", bench.controller, bench.proxies["controller"]),
                                  Caller("sidecar", workload.programs[-1], bench.proxies["sidecar"])],
               "backupconfigurations": [Caller("controller", bench.controller, bench.proxies["controller"]),
                                        Caller("webhook", bench.webhook, bench.proxies["webhook"])]}
    with deleted(kube, kinds):
        kube.apply(objects.deployment(ns, workload.source, name="meanwhile"))
        assert kube.get("deployment", "meanwhile", ns)
        for kind, those in callers.items():
            for caller in those if kind in kinds else ():
                wait_until(f"the {caller.name} asks for {kind} in vain", lambda c=caller, k=kind: c.has_asked_in_vain_for(k) and c.says(k), 90)
                caller.require_patience()
        for name in ("controller", "webhook"):
            assert api_ring.answers(f"http://127.0.0.1:{getattr(bench, name).health}/readyz"), name
        if kinds == ("backupsessions",):  # what needs none of them goes on
            kube.apply(objects.backup_configuration(ns, name="meanwhile-backup", workload="meanwhile", schedule="0 0 1 1 *"))
            wait_until("it is injected", lambda: containers(kube, ns, "meanwhile") == ["app", "stash"], 30)
            wait_until("its CronJob is there", lambda: kube.get("cronjob", "stash-backup-meanwhile-backup", ns), 30)
    recovery.fault_ended()
    kube.apply(workload.repository_object())
    workload.configure()
    workload.session("second")
    assert workload.finished("second", 120)["status"]["phase"] == "Succeeded"
    recovery.recovered()
    workload.require_one_snapshot("second")
    assert len(workload.snapshots()) == 2, "a repository that was there was made again"
    workload.require_sound_repository()
