"""Comparing final states: what differs from run to run is not seen, everything else is."""
from stash_faults import state


class Listed:
    def __init__(self, *items):
        self.items = items

    def list(self, kind, ns):
        return list(self.items) if kind == "backupsessions" else []


def session(ns, uid, seconds, phase):
    return {"metadata": {"name": "by-hand", "namespace": ns, "uid": uid, "resourceVersion": uid},
            "status": {"phase": phase, "sessionDuration": f"{seconds}s", "stats": [{"hostname": "host-0", "duration": f"1m{seconds}s"}]}}


def test_times_uids_and_names_of_the_run_make_no_difference_and_a_phase_does():
    clean = state.of_namespace(Listed(session("one", "1", 3, "Succeeded")), "one")
    assert state.differences(clean, state.of_namespace(Listed(session("two", "2", 5.25, "Succeeded")), "two")) == []
    said = state.differences(clean, state.of_namespace(Listed(session("two", "2", 5, "Failed")), "two"))
    assert said == ["backupsessions/by-hand/status/phase: without the fault 'Succeeded', with it 'Failed'"]
    assert state.differences(clean, {}) != []
