"""Daylight saving time (F53). Slots are computed by Kubernetes' CronJob controller: in its own zone, which the chart cannot know
and which is UTC wherever Kubernetes is installed as documented; in UTC no slot comes twice or never. What is ours is to say so
where somebody asks for a zone, and not to run a schedule at another hour than its author meant."""
import json

import pytest

from stash_e2e import objects
from stash_e2e.kube import wait_until
from stash_faults.bench import containers

ZONES = ["CRON_TZ=Europe/Berlin 30 2 * * *", "TZ=America/New_York 30 1 * * *"]


def schedule_of(kube, ns):
    cron_job = kube.get("cronjob", "stash-backup-web-backup", ns)
    return cron_job and cron_job["spec"]


def reschedule(kube, ns, schedule):
    return kube.apply(objects.backup_configuration(ns, schedule=schedule))


@pytest.mark.fault("F53", invariants="I1 I8")
@pytest.mark.parametrize("schedule", ZONES)
def test_a_zone_in_the_schedule_is_warned_of_and_makes_no_cronjob_until_it_is_gone(bench, workload, ns, schedule):
    """Kubernetes refuses it: a CronJob controller of another version would run the same line in another zone."""
    kube = bench.kube
    assert "a time zone cannot be part of the schedule" in reschedule(kube, ns, schedule)
    created = wait_until("the condition says why", lambda: (found := kube.condition("backupconfiguration", "web-backup", ns, "CronJobCreated"))
                         and found["status"] == "False" and found, 60)
    assert "TZ" in created["message"], created
    assert (kube.condition("backupconfiguration", "web-backup", ns, "Ready") or {})["status"] == "False"
    assert schedule_of(kube, ns) is None
    wait_until("the sidecar is there all the same, for sessions by hand", lambda: containers(kube, ns) == ["app", "stash"], 30)
    reschedule(kube, ns, "30 2 * * *")
    wait_until("the CronJob is made", lambda: schedule_of(kube, ns), 60)
    wait_until("all is well", lambda: (kube.condition("backupconfiguration", "web-backup", ns, "CronJobCreated") or {}).get("status") == "True", 60)


@pytest.mark.fault("F53", invariants="I4 I8")
def test_a_zone_that_is_added_to_a_schedule_leaves_the_former_one_at_work_and_says_so(bench, workload, ns):
    kube = bench.kube
    reschedule(kube, ns, "30 2 * * *")
    wait_until("the CronJob is made", lambda: schedule_of(kube, ns), 60)
    reschedule(kube, ns, ZONES[0])
    wait_until("the condition says why", lambda: (kube.condition("backupconfiguration", "web-backup", ns, "CronJobCreated") or {}).get("status") == "False", 60)
    assert schedule_of(kube, ns)["schedule"] == "30 2 * * *"


@pytest.mark.fault("F53", invariants="I4")
def test_a_zone_that_somebody_gives_the_cronjob_itself_stays(bench, workload, ns):
    """The way to a schedule in local time: Kubernetes then skips the hour that does not exist, and runs the doubled one once."""
    kube = bench.kube
    reschedule(kube, ns, "30 2 * * *")
    wait_until("the CronJob is made", lambda: schedule_of(kube, ns), 60)
    kube.kubectl("patch", "cronjob", "stash-backup-web-backup", "-n", ns, "--type=merge", "-p", json.dumps({"spec": {"timeZone": "Europe/Berlin"}}))
    reschedule(kube, ns, "45 2 29 2 *")
    wait_until("the new schedule is there", lambda: schedule_of(kube, ns)["schedule"] == "45 2 29 2 *", 60)
    assert schedule_of(kube, ns)["timeZone"] == "Europe/Berlin"
