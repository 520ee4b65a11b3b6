"""What must be true when load and faults are over. Each check takes the objects and says what is wrong, as sentences."""
from collections import defaultdict

from stash_e2e.objects import FINAL

OURS = "stash.appscode.com"
WORKLOADS = ("deployments", "statefulsets", "daemonsets", "replicasets", "replicationcontrollers")
MADE_BY_US = ("cronjobs", "roles", "rolebindings", "serviceaccounts")
READ = (*WORKLOADS, *MADE_BY_US, "namespaces", "pods", "jobs", "repositories", "backupconfigurations", "backupsessions", "restoresessions")


def gather(api, begins):
    """{resource: objects} of the namespaces whose names begin so."""
    def wanted(item):
        return (item["metadata"].get("namespace") or item["metadata"]["name"]).startswith(begins)
    return {resource: [item for item in api.list(resource) if wanted(item)] for resource in READ}


def name_of(item):
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}".strip("/")


def phase_of(item):
    return item.get("status", {}).get("phase", "")


def target_of(item):
    ref = item["spec"].get("target", {}).get("ref", {})
    return item["metadata"]["namespace"], ref.get("kind", "").lower(), ref.get("name")


def workloads_of(objects):
    """{(namespace, kind, name): workload}, but for those that another one makes."""
    return {(item["metadata"]["namespace"], resource[:-1], item["metadata"]["name"]): item for resource in WORKLOADS for item in objects[resource]
            if not any(owner.get("controller") for owner in item["metadata"].get("ownerReferences", []))}


def by_target(objects, resource):
    found = defaultdict(list)
    for item in objects[resource]:
        found[target_of(item)].append(item)
    return found


def unfinished_sessions(objects):
    """A RestoreSession may wait for a workload that is scaled to zero or gone, but one that has named its hosts before fails after a while."""
    said = [f"BackupSession {name_of(item)} is {phase_of(item) or 'without a phase'}" for item in objects["backupsessions"] if phase_of(item) not in FINAL]
    workloads = workloads_of(objects)
    for item in objects["restoresessions"]:
        workload = workloads.get(target_of(item))
        without_pods = workload is None or workload["spec"].get("replicas", 1) == 0
        waits = without_pods and (phase_of(item) == "Failed" or not item.get("status", {}).get("stats"))
        if phase_of(item) != "Succeeded" and not waits:
            said.append(f"RestoreSession {name_of(item)} is {phase_of(item) or 'without a phase'}: {item.get('status', {}).get('conditions')}")
    return said


def going_objects(objects):
    return [f"{resource} {name_of(item)} is being deleted for ever" for resource in READ for item in objects[resource]
            if item["metadata"].get("deletionTimestamp")]


def sidecars(objects):
    """A workload has one exactly while a configuration names it."""
    said, configured = [], by_target(objects, "backupconfigurations")
    for key, workload in workloads_of(objects).items():
        has = any(c["name"] == "stash" for c in workload["spec"]["template"]["spec"]["containers"])
        if has != (key in configured):
            said.append(f"{key[1]} {key[0]}/{key[2]} has {'a' if has else 'no'} sidecar and "
                        f"{len(configured.get(key, []))} BackupConfigurations")
    return said


CONFIGURATION_MISSING = "BackupConfigurationNotAvailable"


def orphans(objects):
    """What names an owner that is gone, and what is ours and names none."""
    uids = {item["metadata"]["uid"] for resource in READ for item in objects[resource]}
    said = []
    for resource in READ:
        for item in objects[resource]:
            owners = item["metadata"].get("ownerReferences", [])
            said += [f"{resource} {name_of(item)}: its owner {owner['kind']} {owner['name']} is gone" for owner in owners if owner["uid"] not in uids]
            if resource in MADE_BY_US and item["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == OURS and not owners:
                said.append(f"{resource} {name_of(item)} has no owner")
    known = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in objects["backupconfigurations"]}
    said += [f"BackupSession {name_of(item)} outlives BackupConfiguration {item['spec']['invoker']['name']}" for item in objects["backupsessions"]
             if (item["metadata"]["namespace"], item["spec"]["invoker"]["name"]) not in known
             # Its author made it, and the configuration went before anybody could make that its owner: he is told, and it is his.
             and (item.get("status", {}).get("reason") != CONFIGURATION_MISSING or item["metadata"].get("ownerReferences"))]
    return said


def things_of_configurations(objects):
    """Each BackupConfiguration has its CronJob and its workload the sidecar's rights, and nobody else has."""
    said = []
    wanted = {(item["metadata"]["namespace"], f"stash-backup-{item['metadata']['name']}"): item for item in objects["backupconfigurations"]}
    found = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in objects["cronjobs"]}
    said += [f"CronJob {'/'.join(key)} is missing" for key in wanted.keys() - found.keys()]
    said += [f"CronJob {'/'.join(key)} belongs to nothing" for key in found.keys() - wanted.keys()]
    for key in wanted.keys() & found.keys():
        spec, job = wanted[key]["spec"], found[key]["spec"]
        if (bool(spec.get("paused")), spec["schedule"]) != (bool(job.get("suspend")), job["schedule"]):
            said.append(f"CronJob {'/'.join(key)} is {job['schedule']}, suspended {job.get('suspend')}; "
                        f"its BackupConfiguration is {spec['schedule']}, paused {spec.get('paused')}")
    workloads = workloads_of(objects)
    entitled = {(ns, f"stash-sidecar-{kind}-{name}") for ns, kind, name in by_target(objects, "backupconfigurations") if (ns, kind, name) in workloads}
    for resource in ("roles", "rolebindings"):
        have = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in objects[resource]
                if item["metadata"]["name"].startswith("stash-sidecar-")}
        said += [f"{resource} {'/'.join(key)} is missing" for key in entitled - have]
        said += [f"{resource} {'/'.join(key)} belongs to nothing" for key in have - entitled]
    return said


def histories(objects):
    said, sessions = [], defaultdict(list)
    for item in objects["backupsessions"]:
        sessions[item["metadata"]["namespace"], item["spec"]["invoker"]["name"]].append(phase_of(item))
    for item in objects["backupconfigurations"]:
        phases = sessions[item["metadata"]["namespace"], item["metadata"]["name"]]
        skipped = phases.count("Skipped")
        limit = item["spec"].get("backupHistoryLimit", 1)
        if max(skipped, len(phases) - skipped) > limit:
            said.append(f"BackupConfiguration {name_of(item)} keeps {limit} sessions and has {sorted(phases)}")
    return said


def snapshots(sessions, snapshots_of):
    """Succeeded: one snapshot of each host with the session's tag; any other phase: at most one."""
    said = []
    for session in sessions:
        found = snapshots_of(session)
        if found is None:
            continue
        tag = f"stash-session={session['metadata']['uid']}"
        hosts = [snapshot["hostname"] for snapshot in found if tag in snapshot.get("tags", [])]
        expected = [host["hostname"] for host in session.get("status", {}).get("stats", [])]
        if len(hosts) != len(set(hosts)) or (phase_of(session) == "Succeeded" and sorted(hosts) != sorted(expected)):
            said.append(f"BackupSession {name_of(session)} is {phase_of(session)} for the hosts {expected}; snapshots are of {hosts}")
    return said


OF_OBJECTS = {  # what the table at the end says: check
    "every session has ended": unfinished_sessions,
    "nothing is stuck in deletion": going_objects,
    "a sidecar exactly where a configuration is": sidecars,
    "no orphan, no session of a deleted configuration": orphans,
    "CronJobs and rights are those of the configurations": things_of_configurations,
    "no history is longer than its limit": histories,
}
