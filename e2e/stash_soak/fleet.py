"""The workloads of the soak: some that stay from beginning to end, and many that come, change and go at random."""
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from stash_e2e import objects

from .api import Outage, Refused, path_of

KEPT = "soak-kept"
KINDS = ["Deployment"] * 5 + ["StatefulSet"] * 2 + ["DaemonSet", "ReplicaSet", "ReplicationController"]
KEPT_REAL, KEPT_PLAYED = 6, 34
FEWEST, MOST, MOST_REAL, NAMESPACES = 12, 32, 8, 5
PASSWORD = "correct horse battery staple"
YEARLY, EACH_MINUTE = "0 0 1 1 *", "* * * * *"


def plural(kind):
    return kind.lower() + "s"


@dataclass
class Workload:
    ns: str
    name: str
    kind: str
    real: bool
    kept: bool = False
    exists: bool = False
    configurations: list = field(default_factory=list)  # their numbers
    restore: str = ""
    sessions: int = 0

    def configuration(self, number):
        return f"{self.name}-backup-{number}"

    def repository(self, number):
        return f"{self.name}-repository-{number}"


class Fleet:
    def __init__(self, api, directory, seed):
        self.api, self.directory, self.random = api, directory, random.Random(f"{seed} load")
        self.workloads = {}  # (ns, name)
        self.namespaces = set()
        self.numbers = 0
        self.done = Counter()
        self.said = Counter()  # refusals that an author may see
        self.repositories = set()  # directories of all that ever were real
        self.scheduled = []

    # What stays.

    def make_kept(self):
        self._namespace(KEPT)
        for number in range(KEPT_REAL + KEPT_PLAYED):
            real = number < KEPT_REAL
            kind = "Deployment" if real else KINDS[number % len(KINDS)]
            made = self._new(KEPT, kind, real, kept=True)
            self._create(made)
            # Full from the beginning, or nearly: what is kept of sessions would be growth for a quarter of an hour else.
            self._configure(made, schedule=EACH_MINUTE if number < 2 else YEARLY, backupHistoryLimit=2 if real else 1)
            self._start_session(made, 1)
            if number < 2:
                self.scheduled.append(made)

    def pause_schedules(self, paused):
        for workload in self.scheduled:
            self.api.merge("backupconfigurations", KEPT, workload.configuration(1), {"spec": {"paused": paused}})

    # What comes and goes.

    def act(self):
        """One change, chosen at random."""
        if len(self._passing()) < FEWEST:
            self.create_workload()
            return
        names = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
        try:
            getattr(self, self.random.choice(names))()
        except Refused as refusal:
            self.said[f"{refusal.status} {refusal.text[:160]}"] += 1
        except Outage:
            self.said["no answer for 150 s"] += 1

    def drain(self):
        """All that passes goes, with its namespaces."""
        for ns in sorted(self.namespaces - {KEPT}):
            self._delete_namespace(ns)

    def create_workload(self):
        if len(self._passing()) >= MOST:
            self.drop_workload()
            return
        ns = f"soak-{self.random.randrange(NAMESPACES)}-{self.done['delete_namespace']}"
        if ns not in self.namespaces:
            self._namespace(ns)
        real = self.random.random() < 0.35 and sum(w.real for w in self._passing()) < MOST_REAL
        made = self._new(ns, self.random.choice(KINDS), real)
        first_the_configuration = self.random.random() < 0.3
        if first_the_configuration:
            self._configure(made)
        self._create(made)
        if not first_the_configuration and self.random.random() < 0.9:
            self._configure(made)

    def configure(self):
        if found := self._choose(lambda w: len(w.configurations) < 2):
            self._configure(found)

    def change_configuration(self):
        if not (found := self._choose(lambda w: w.configurations, kept=True)):
            return
        changes = [{"retentionPolicy": {"name": "other", "keepLast": self.random.randrange(20, 40), "prune": True}}, {"timeOut": "5m"}]
        if not found.kept:
            changes += [{"schedule": f"{self.random.randrange(60)} 0 1 1 *"}, {"backupHistoryLimit": self.random.randrange(1, 5)},
                        {"paused": True}, {"paused": False}, {"schedule": EACH_MINUTE}]
        self.api.merge("backupconfigurations", found.ns, found.configuration(self.random.choice(found.configurations)),
                       {"spec": self.random.choice(changes)})
        self.done["change_configuration"] += 1

    def change_template(self):
        """A rollout."""
        if found := self._choose(lambda w: True):
            self.api.merge(plural(found.kind), found.ns, found.name,
                           {"spec": {"template": {"metadata": {"annotations": {"soak/change": str(self.random.random())}}}}})
            self.done["change_template"] += 1

    def scale(self):
        if found := self._choose(lambda w: w.kind != "DaemonSet"):
            self.api.merge(plural(found.kind), found.ns, found.name, {"spec": {"replicas": self.random.randrange(0, 3)}})
            self.done["scale"] += 1

    def write_again(self):
        """As `kubectl replace` of a manifest that knows no sidecar."""
        if found := self._choose(lambda w: True):
            self.api.patiently("PUT", path_of(plural(found.kind), found.ns, found.name), self._manifest(found), ok=(404, 409))
            self.done["write_again"] += 1

    def start_session(self):
        if not (found := self._choose(lambda w: w.configurations, kept=True, prefer_real=True)):
            return
        self._start_session(found, self.random.choice(found.configurations))
        self.done["start_session"] += 1

    def restore(self):
        def has_a_backup(workload):
            return workload.real and not workload.restore and 1 in workload.configurations and any(
                (self._home(workload) / "repository-1" / "snapshots").glob("*"))
        if found := self._choose(has_a_backup):
            found.restore = f"{found.name}-restore-{self._next()}"
            made = objects.restore_session(found.ns, found.restore, found.name, found.repository(1), self._home(found) / "source")
            self.api.create("restoresessions", found.ns, objects.aimed_at(made, found.kind))
            self.done["restore"] += 1

    def drop_restore(self):
        if found := self._choose(lambda w: w.restore):
            self.api.delete("restoresessions", found.ns, found.restore)
            found.restore = ""
            self.done["drop_restore"] += 1

    def drop_configuration(self):
        if found := self._choose(lambda w: w.configurations):
            number = found.configurations.pop()
            self.api.delete("backupconfigurations", found.ns, found.configuration(number))
            self.done["drop_configuration"] += 1
            self._drop_repository(found, number)

    def drop_workload(self):
        if not (found := self._choose(lambda w: True)):
            return
        parts = [lambda: self.api.delete(plural(found.kind), found.ns, found.name)]
        parts += [lambda number=number: self.api.delete("backupconfigurations", found.ns, found.configuration(number)) for number in found.configurations]
        if found.restore:
            parts.append(lambda: self.api.delete("restoresessions", found.ns, found.restore))
        self.random.shuffle(parts)
        for part in parts:
            part()
        del self.workloads[found.ns, found.name]
        self.done["drop_workload"] += 1
        for number in found.configurations:
            self._drop_repository(found, number)

    def drop_namespace(self):
        others = sorted(self.namespaces - {KEPT})
        if len(others) > 2:
            self._delete_namespace(self.random.choice(others))

    # Parts.

    def _start_session(self, workload, number):
        workload.sessions += 1
        if workload.real:
            (self._home(workload) / "source" / "changing").write_bytes(os.urandom(50_000))
        self.api.create("backupsessions", workload.ns, objects.backup_session(workload.ns, f"{workload.name}-by-hand-{workload.sessions}",
                                                                              workload.configuration(number)))

    def _passing(self):
        return [w for w in self.workloads.values() if not w.kept]

    def _choose(self, fits, kept=False, prefer_real=False):
        found = [w for w in self.workloads.values() if w.exists and (kept or not w.kept) and fits(w)]
        real = [w for w in found if w.real]
        if prefer_real and real and self.random.random() < 0.8:
            found = real
        return self.random.choice(found) if found else None

    def _next(self):
        self.numbers += 1
        return self.numbers

    def _home(self, workload):
        return self.directory / workload.ns / workload.name

    def _namespace(self, ns):
        self.api.create("namespaces", None, objects.namespace(ns))
        self.api.create("secrets", ns, objects.secret(ns, password=PASSWORD))
        self.namespaces.add(ns)
        self.done["namespace"] += 1

    def _delete_namespace(self, ns):
        self.api.delete("namespaces", None, ns)
        self.namespaces.discard(ns)
        for key in [key for key in self.workloads if key[0] == ns]:
            del self.workloads[key]
        self.done["delete_namespace"] += 1

    def _new(self, ns, kind, real, kept=False):
        made = Workload(ns, f"{kind.lower()}-{self._next()}", kind, real, kept)
        if real:
            for name in ("source", "secret"):
                (self._home(made) / name).mkdir(parents=True)
            (self._home(made) / "secret" / "RESTIC_PASSWORD").write_text(PASSWORD)
            for number in range(3):
                (self._home(made) / "source" / f"file-{number}").write_bytes(os.urandom(150_000))
        self.workloads[ns, made.name] = made
        return made

    def _manifest(self, workload):
        made = objects.workload(workload.ns, workload.kind, self._home(workload) / "source", name=workload.name)
        template = made["spec"]["template"]
        template["metadata"]["labels"]["stash-soak"] = "real" if workload.real else "played"
        template["spec"]["containers"][0]["volumeMounts"] = [{"name": "source-data", "mountPath": str(self._home(workload) / "source")}]
        if workload.kind in ("Deployment", "StatefulSet", "DaemonSet"):
            made["spec"]["revisionHistoryLimit"] = 1
        return made

    def _create(self, workload):
        self.api.create(plural(workload.kind), workload.ns, self._manifest(workload))
        workload.exists = True
        self.done["create_workload"] += 1

    def _configure(self, workload, **spec):
        number = next(n for n in (1, 2) if n not in workload.configurations)
        directory = self._home(workload) / f"repository-{number}"
        if workload.real:
            directory.mkdir(exist_ok=True)
            self.repositories.add(directory)
        repository = objects.repository(workload.ns, directory, name=workload.repository(number))
        repository["spec"]["backend"]["local"]["mountPath"] = str(directory)
        source = self._home(workload) / "source"
        configuration = objects.backup_configuration(
            workload.ns, workload.configuration(number), workload.name, mount_path=source, repository=workload.repository(number),
            **dict({"schedule": YEARLY, "paths": [str(source)], "backupHistoryLimit": self.random.randrange(1, 4),
                    "retentionPolicy": {"name": "many", "keepLast": 30, "prune": True}}, **spec))
        self.api.create("repositories", workload.ns, repository)
        self.api.create("backupconfigurations", workload.ns, objects.aimed_at(configuration, workload.kind))
        workload.configurations.append(number)
        self.done["configure"] += 1

    def _drop_repository(self, workload, number):
        """Refused while something uses it, as long as the webhook's view is older than the deletion of its user."""
        deadline = time.monotonic() + 20
        while True:
            try:
                self.api.delete("repositories", workload.ns, workload.repository(number))
                return
            except Refused:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)


WEIGHTS = {"create_workload": 6, "configure": 1, "change_configuration": 4, "change_template": 3, "scale": 2, "write_again": 2, "start_session": 8,
           "restore": 2, "drop_restore": 1, "drop_configuration": 2, "drop_workload": 4, "drop_namespace": 1}
