"""The soak's judges, on made-up samples and objects; the soak itself is `make soak`."""
import copy

from stash_soak import end_state, growth


def life(*medians, what="rss"):
    watched = growth.Watched("controller", 1)
    for median in medians:
        watched.phases.append([{"rss": 1, "threads": 1, "descriptors": 1, what: median}] * 3)
    return watched


def test_a_process_is_judged_by_the_first_and_the_last_third_of_its_quiet_phases_without_the_warm_up():
    found = growth.growth(life(5_000_000, 10_000_000, 10_100_000, 9_000_000, 10_200_000, 10_300_000, 10_400_000), "rss")
    assert (found.first, found.last, found.phases) == (10_050_000, 10_350_000, 7)
    assert not found.is_a_leak


def test_more_than_five_percent_is_a_leak_and_a_short_life_is_no_evidence():
    assert growth.growth(life(10e6, 10e6, 10.3e6, 10.6e6), "rss").is_a_leak
    assert growth.growth(life(10e6, 12e6, 14e6), "rss") is None
    assert growth.growth(life(30, 30, 32, 33, what="descriptors"), "descriptors").is_a_leak
    assert not growth.growth(life(30, 30, 31, 32, what="descriptors"), "descriptors").is_a_leak


def test_a_restarted_process_begins_another_life():
    book = growth.Book()
    for pid in (1, 1, 2):
        book.begin_phase({"webhook": pid})
        book.lives["webhook", pid].phases[-1].append({"rss": 1, "threads": 1, "descriptors": 1})
    assert book.longest("webhook").pid == 1 and len(book.longest("webhook").phases) == 2


def meta(name, uid, *owners, labels=None, **more):
    return dict({"namespace": "soak-1", "name": name, "uid": uid, "labels": labels or {},
                 "ownerReferences": [{"kind": kind, "name": owner, "uid": owner_uid} for kind, owner, owner_uid in owners]}, **more)


def in_order():
    """A Deployment with sidecar, configuration and one session, all of them well."""
    ours = {"app.kubernetes.io/managed-by": "stash.appscode.com"}
    configuration, workload = ("BackupConfiguration", "c", "u-c"), ("Deployment", "web", "u-web")
    target = {"ref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    found = {resource: [] for resource in end_state.READ}
    found["deployments"] = [{"metadata": meta("web", "u-web"), "spec": {"template": {"spec": {"containers": [{"name": "app"}, {"name": "stash"}]}}}}]
    found["backupconfigurations"] = [{"metadata": meta("c", "u-c"), "spec": {"schedule": "@daily", "target": target, "backupHistoryLimit": 1}}]
    found["cronjobs"] = [{"metadata": meta("stash-backup-c", "u-j", configuration, labels=ours), "spec": {"schedule": "@daily", "suspend": False}}]
    for resource in ("roles", "rolebindings"):
        found[resource] = [{"metadata": meta("stash-sidecar-deployment-web", f"u-{resource}", workload, labels=ours)}]
    found["backupsessions"] = [{"metadata": meta("s", "u-s", configuration), "spec": {"invoker": {"name": "c"}},
                                "status": {"phase": "Succeeded", "stats": [{"hostname": "host-0"}]}}]
    return found


def problems(objects):
    return {what for what, check in end_state.OF_OBJECTS.items() if check(objects)}


def test_what_is_in_order_is_not_complained_about():
    assert problems(in_order()) == set()


def test_each_check_finds_what_it_is_for():
    def without(resource):
        found = in_order()
        found[resource] = []
        return found

    def changed(resource, **more):
        found = in_order()
        found[resource][0].update(more)
        return found
    ended, deleted, sidecar, orphan, things, history = end_state.OF_OBJECTS
    assert problems(changed("backupsessions", status={"phase": "Running"})) == {ended}
    assert problems(changed("backupsessions", metadata=meta("s", "u-s", deletionTimestamp="now"))) == {deleted}
    assert problems(changed("cronjobs", spec={"schedule": "@hourly", "suspend": False})) == {things}
    assert problems(without("cronjobs")) == problems(without("roles")) == problems(without("rolebindings")) == {things}
    assert problems(without("backupconfigurations")) == {sidecar, orphan, things}
    assert problems(without("deployments")) == {orphan, things}
    of_another = {"metadata": meta("s", "u-s"), "spec": {"invoker": {"name": "gone"}}}
    told = {"phase": "Failed", "reason": end_state.CONFIGURATION_MISSING}
    assert problems(changed("backupsessions", **of_another)) == {orphan}
    assert problems(changed("backupsessions", **of_another, status=told)) == set()
    two = in_order()
    two["backupsessions"].append(copy.deepcopy(two["backupsessions"][0]))
    assert problems(two) == {history}
    nobodys = in_order()
    nobodys["roles"][0]["metadata"]["ownerReferences"] = []
    assert problems(nobodys) == {orphan}


def test_a_restore_may_wait_for_a_workload_that_is_scaled_to_zero_and_for_no_other():
    waiting = in_order()
    waiting["restoresessions"] = [{"metadata": meta("r", "u-r"), "status": {"phase": "Pending"},
                                   "spec": {"target": {"ref": {"kind": "Deployment", "name": "web"}}}}]
    assert len(end_state.unfinished_sessions(waiting)) == 1
    waiting["deployments"][0]["spec"]["replicas"] = 0
    assert end_state.unfinished_sessions(waiting) == []
    waiting["restoresessions"][0]["status"]["stats"] = [{"hostname": "host-0", "phase": "Pending"}]
    assert len(end_state.unfinished_sessions(waiting)) == 1
    waiting["restoresessions"][0]["status"]["phase"] = "Failed"
    assert end_state.unfinished_sessions(waiting) == []


def test_a_session_that_succeeded_without_its_snapshot_or_with_two_is_found():
    def judge(phase, *tags):
        session = in_order()["backupsessions"][0]
        session["status"]["phase"] = phase
        return end_state.snapshots([session], lambda _: [{"hostname": "host-0", "tags": [tag]} for tag in tags])
    mine = "stash-session=u-s"
    assert judge("Succeeded", mine, "stash-session=other") == [] == judge("Failed") == judge("Failed", mine)
    assert len(judge("Succeeded")) == len(judge("Succeeded", mine, mine)) == len(judge("Failed", mine, mine)) == 1
