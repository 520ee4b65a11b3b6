"""Many Repositories with wipeOut that are deleted at once, by a slip of the hand or a GitOps tool that lost its head.

There is no Job controller behind this API server: to have a Job is to be wiped.
"""
import os
import re
import shlex
from datetime import datetime

import pytest
from conftest import make_namespace
from test_wipe_out import finish_job, repository

from stash_e2e import api_ring, objects, paths
from stash_e2e.kube import run, wait_until
from stash_faults import actions

LIMIT = 10  # the chart's default, and the controller's
WATCH = r"^/apis/stash\.appscode\.com/v1alpha1/repositories\?.*watch=true"


class Fleet:
    """Repositories of several namespaces whose data goes with them."""

    def __init__(self, bench, ns):
        self.bench, self.kube, self.ns, self.members = bench, bench.kube, ns, []

    def add(self, count, ns):
        made = [f"repo-{len(self.members) + i}" for i in range(count)]
        bodies = [repository(ns, {"s3": {"endpoint": "s3.demo.svc", "bucket": name}}, wipeOut=True) for name in made]
        for name, body in zip(made, bodies):
            body["metadata"]["name"] = name
        self.kube.apply(objects.secret(ns), *bodies)
        self.members += [(ns, name) for name in made]
        wait_until("all have the finalizer", lambda: all(self.get(*one)["metadata"].get("finalizers") for one in self.members), 30)

    def get(self, ns, name):
        return self.kube.get("repository", name, ns)

    def delete(self, *members):
        by_namespace = {}
        for ns, name in members or self.members:
            by_namespace.setdefault(ns, []).append(name)
        for ns, names in by_namespace.items():
            self.kube.kubectl("delete", "repository", *names, "-n", ns, "--wait=false")

    def jobs(self):
        found = self.kube.list("jobs", selector="app.kubernetes.io/component=stash-wipe-out")
        return {(job["metadata"]["namespace"], job["metadata"]["name"].removeprefix("stash-wipe-out-")): job for job in found}

    def reasons(self):
        conditions = {one: self.kube.condition("repository", one[1], one[0], "WipedOut") for one in self.members}
        return {one: condition["reason"] for one, condition in conditions.items() if condition}

    def wait_for_reason(self, reason, members):
        wait_until(f"{len(members)} Repositories say {reason}", lambda: {one: reason for one in members} == self.reasons(), 60)

    def keep_the_data_of(self, *members):
        for ns, name in members:
            if self.get(ns, name):
                self.kube.kubectl("patch", "repository", name, "-n", ns, "--type=merge", "-p", '{"spec":{"wipeOut":false}}')
                wait_until(f"{name} is gone", lambda ns=ns, name=name: self.get(ns, name) is None, 30)

    def paste(self, member, beginning):
        """Runs the command that the condition of that one names."""
        message = self.kube.condition("repository", member[1], member[0], "WipedOut")["message"]
        [command] = [part.partition(": ")[2] for part in message.split("; ") if part.startswith(beginning)]
        assert command.startswith("kubectl ")
        self.kube.kubectl(*shlex.split(command)[1:])

    def commands_of_the_page(self):
        """What docs/operations.md tells to type, to get the commands for all that are held."""
        page = (paths.ROOT / "docs/operations.md").read_text()
        [listing] = re.findall(r"^ +(kubectl get repositories .*MassDeletion.*)$", page, re.MULTILINE)
        [filtered] = re.findall(r"`(\| sed [^`]*its data[^`]*)`", page)
        line = listing.replace("| grep .", filtered)
        return run(["sh", "-c", line], env=self.kube.env | {"PATH": f"{paths.KUBECTL.parent}:{os.environ['PATH']}"}).splitlines()

    def clean_up(self):
        for ns, name in self.members:
            if found := self.get(ns, name):
                if not found["metadata"].get("deletionTimestamp"):
                    self.delete((ns, name))
        self.keep_the_data_of(*self.members)


@pytest.fixture
def fleet(bench, ns):
    made = Fleet(bench, ns)
    yield made
    made.clean_up()


@pytest.mark.fault("F82", "F2", "F23", invariants="I8 I11")
def test_of_eleven_repositories_deleted_at_once_none_is_wiped_but_the_one_that_is_confirmed(bench, ns, fleet):
    kube, other = bench.kube, f"{ns}-2"
    make_namespace(kube, other)
    fleet.add(LIMIT - 4, ns)
    fleet.add(5, other)
    fleet.delete()
    fleet.wait_for_reason("MassDeletion", fleet.members)
    confirmed, kept, *rest = fleet.members[:-5]
    message = kube.condition("repository", confirmed[1], ns, "WipedOut")["message"]
    assert message.startswith("11 Repositories with wipeOut are being deleted at once"), message
    kube.wait_for_event(ns, confirmed[1], "Warning MassDeletion: 11 Repositories")

    commands = fleet.commands_of_the_page()
    assert len(commands) == 11 and all(any(f" repository {name} -n {of} " in command for command in commands) for of, name in fleet.members), commands

    # Fewer than too many, and a controller that remembers nothing: what is held stays held.
    fleet.paste(kept, "to delete it and keep its data")
    wait_until("it is gone", lambda: fleet.get(*kept) is None, 30)
    bench.controller.kill()
    bench.restart("controller")
    kube.kubectl("annotate", "repository", rest[0][1], "-n", ns, "stash.appscode.com/confirm-wipe-out=true")
    fleet.paste(confirmed, "to remove its data")
    wait_until("its Job is there", fleet.jobs, 60)
    assert set(api_ring.settled("the Jobs", lambda: sorted(fleet.jobs()))) == {confirmed}
    assert set(fleet.reasons()) == {one for one in fleet.members if one != kept}, "all others must wait"
    finish_job(kube, ns, fleet.jobs()[confirmed], 0, "1 snapshot and all its data were removed")
    wait_until("it is gone", lambda: fleet.get(*confirmed) is None, 30)

    # A namespace that goes takes them along without their data.
    kube.kubectl("delete", "namespace", other, "--wait=false")
    wait_until("those of the other namespace are gone", lambda: not kube.list("repositories", other), 60)
    assert not fleet.jobs()


@pytest.mark.fault("F82", invariants="I11")
def test_ten_repositories_deleted_at_once_are_all_wiped_ten_seconds_later(bench, ns, fleet):
    fleet.add(LIMIT, ns)
    fleet.delete()
    deleted = {one: fleet.get(*one)["metadata"]["deletionTimestamp"] for one in fleet.members}
    wait_until("each has its Job", lambda: set(fleet.jobs()) == set(fleet.members), 60)
    for one, job in fleet.jobs().items():
        waited = datetime.fromisoformat(job["metadata"]["creationTimestamp"]) - datetime.fromisoformat(deleted[one])
        assert waited.total_seconds() >= 10, f"{one} was wiped after {waited}"
        finish_job(bench.kube, ns, job, 0, "1 snapshot and all its data were removed")
    wait_until("all are gone", lambda: not bench.kube.list("repositories", ns), 60)


@pytest.mark.fault("F82", "F15", invariants="I11")
def test_a_controller_whose_watch_is_late_asks_how_many_are_deleted_before_it_wipes_one(bench, ns, fleet):
    proxy = bench.proxies["controller"]
    fleet.add(LIMIT + 1, ns)
    api_ring.settled("the Repositories", lambda: [fleet.get(*one)["metadata"]["resourceVersion"] for one in fleet.members], same_for=2.0)
    with proxy.rule("GET", WATCH, actions.silence(after=1)) as silent:
        proxy.cut_all()
        wait_until("it watches again", lambda: silent.hits, 30)
        fleet.delete()
        fleet.wait_for_reason("MassDeletion", fleet.members[:1])
        assert not fleet.jobs()
    proxy.cut_all()
    fleet.wait_for_reason("MassDeletion", fleet.members)
    assert not fleet.jobs()
