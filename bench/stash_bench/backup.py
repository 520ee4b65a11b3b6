"""A whole backup beside the same restic commands by hand; and how soon restic runs after a session is made."""
import contextlib
import json
import os
import shutil
import subprocess
import time

from stash_e2e import objects
from stash_e2e.kube import wait_until

from . import hosts, ring, sidecar
from .figures import Figure

RUNS = 3
AGAIN = 3  # unchanged backups of each run: they take seconds, in which a busy neighbour of the machine weighs much
RECORDER = r"""#!/bin/sh
date +%s.%N >> "{directory}/started"
for word in "$@"; do printf '%s\0' "$word"; done >> "{directory}/commands"
printf '\n\0' >> "{directory}/commands"
exec /usr/bin/restic "$@"
"""


def recorder(directory):
    """A PATH with a restic that notes when it is started, and its arguments, before it is restic."""
    directory.mkdir()
    (directory / "restic").write_text(RECORDER.replace("{directory}", str(directory)))
    (directory / "restic").chmod(0o755)
    return f"{directory}:/usr/bin:/bin"


def recorded(directory):
    calls, call = [], []
    for word in (directory / "commands").read_bytes().split(b"\0"):
        if word == b"\n":
            calls.append([os.fsdecode(part) for part in call])
            call = []
        else:
            call.append(word)
    return [call for call in calls if "version" not in call]


def make_files(directory, count=10_000, size=100_000):
    """1 GB of what does not compress."""
    for i in range(count):
        place = directory / f"directory-{i // 500}"
        place.mkdir(exist_ok=True)
        (place / f"file-{i}").write_bytes(os.urandom(size))


def by_hand(here, calls, paths):
    """Seconds that these commands take one after the other, in another repository. `paths` are those of the place where they were recorded."""
    repository, directory = here.directory / "by-hand", here.directory / "by-hand-tmp"
    directory.mkdir(exist_ok=True)
    env = {"RESTIC_PASSWORD": "bench", "PATH": "/usr/bin:/bin", "RESTIC_REPOSITORY": str(repository), "RESTIC_PROGRESS_FPS": "1", "HOME": str(directory),
           "TMPDIR": str(directory)}
    instead = {str(paths[0]): str(here.source), str(paths[1]): str(repository)}
    before = snapshots(env)
    ring.settle_disk()
    began = time.monotonic()
    for call in calls:
        for found, other in instead.items():
            call = [word.replace(found, other) for word in call]
        subprocess.run(["restic", *call], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.monotonic() - began
    assert snapshots(env) == before + 1, "the commands by hand made no snapshot"
    return took


def snapshots(env):
    listed = subprocess.run(["restic", "--no-cache", "--no-lock", "snapshots", "--json"], env=env, capture_output=True, text=True)
    return len(json.loads(listed.stdout)) if listed.returncode == 0 else 0


def by_sidecar(here, session):
    ring.settle_disk()
    (here.directory / "bin/commands").write_bytes(b"")
    began = here.begin_session(session)
    here.wait_until_backed_up(session, 600)
    return time.time() - began


def beside_restic(the_ring, count=10_000):
    """The first backup of so many files, and one of the same files unchanged. Sidecar and restic by hand take turns in going first."""
    ratios, told, recordings = {"first": [], "again": []}, {}, {}
    for run in range(RUNS):
        here = sidecar.Place(the_ring.kube, the_ring.directory / f"run-{run}", f"bench-whole-{run}")
        make_files(here.source, count)
        program = here.start(recorder(here.directory / "bin"))
        try:
            for number, kind in enumerate(["first"] + ["again"] * AGAIN):
                theirs = by_hand(here, *recordings[kind]) if (run + number) % 2 and kind in recordings else None
                ours = by_sidecar(here, f"session-{number}")
                if kind not in recordings:
                    recordings[kind] = (recorded(here.directory / "bin"), (here.source, here.repository))
                theirs = theirs or by_hand(here, *recordings[kind])
                ratios[kind].append(ours / theirs)
                told[kind] = f"{ours:.3g} s and {theirs:.3g} s by hand, {len(recordings[kind][0])} commands"
        finally:
            program.stop()
            shutil.rmtree(here.directory, ignore_errors=True)
    return [Figure(f"first backup of {count} files, 1 GB, beside the same restic commands by hand", ratios["first"], "×", 1.02, beside=told["first"]),
            Figure(f"backup of {count} files of which none has changed, beside the same commands", ratios["again"], "×", 1.10, beside=told["again"])]


def until_restic(the_ring, runs=20):
    """Each session is made as soon as the last one has ended. Once from its offer, which the bench writes, and once from its creation, with the controller."""
    return [Figure("session offered → restic started", offered_to_restic(the_ring, runs), "ms", 100,
                   beside=f"{runs} sessions, each as soon as the last one has its result; without a node"),
            Figure("session created → restic started", created_to_restic(the_ring, runs), "ms", 100,
                   beside=f"{runs} sessions, each as soon as the last one has ended; the controller offers them; without a node")]


def to_first_restic(started, runs, begin, end):
    """Milliseconds, of each session: `begin` makes it and returns when that was, `end` waits for its end."""
    took = []
    for run in range(runs):
        started.write_text("")
        began = begin(f"session-{run}")
        end(f"session-{run}")
        took.append(1000 * (float(started.read_text().split()[0]) - began))
    return took


def offered_to_restic(the_ring, runs):
    here = sidecar.Place(the_ring.kube, the_ring.directory / "offered", "bench-offered")
    (here.source / "file").write_text("data")
    program = here.start(recorder(here.directory / "bin"))
    try:
        here.back_up("warm-up")
        return to_first_restic(here.directory / "bin/started", runs, here.begin_session, here.wait_until_backed_up)
    finally:
        program.stop()


def created_to_restic(the_ring, runs):
    with contextlib.ExitStack() as stack:
        stack.callback(the_ring.start_controller().stop)
        here = hosts.Crowd(the_ring.kube, the_ring.directory / "created", "bench-created", 1)
        stack.callback(here.stop_all)
        here.programs[0].env["PATH"] = recorder(here.directory / "recorder")
        here.start_all()

        def begin(name):
            began = time.time()
            here.kube.apply(objects.backup_session(here.ns, name))
            return began

        def end(name):
            status = wait_until(f"{name} has ended", lambda: here.final_status(name), every=0.05)
            assert status["phase"] == "Succeeded", f"{status}: {here.log_of_one_that_failed()}"
        begin("warm-up")
        end("warm-up")
        return to_first_restic(here.directory / "recorder/started", runs, begin, end)
