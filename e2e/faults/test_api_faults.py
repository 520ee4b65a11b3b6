"""The whole backup story while the API server misbehaves. Whatever it does, the story ends as it does without a fault:
one snapshot, the session Succeeded, the same objects (I5 I7 I19), and nobody asks in a hot loop (I20)."""
import contextlib
import time
from collections import Counter

import pytest

from stash_e2e import api_ring
from stash_faults import actions, audit, state

WATCH, WRITES = "watch=true", "POST|PATCH|PUT|DELETE"
NOT_A_LEASE = r"^(?!.*/leases)"  # losing one ends the controller, as it should, and that is another test
HOT = 10.0  # calls a second of one program; a busy start stays well below


@contextlib.contextmanager
def all_of(bench, *rules):
    """Gives a function that says which of the rules no program has met yet. A later rule comes before an earlier one."""
    with contextlib.ExitStack() as stack:
        made = [(f"{method} {path}", stack.enter_context(bench.rule(method, path, act, **more))) for method, path, act, more in rules]
        yield lambda: [name for name, of_programs in made if not any(rule.hits for rule in of_programs)]


FAULTS = {
    "a-watch-begins-with-410": [("GET", WATCH, actions.reply(410, reason="Expired"), {"times": 2})],
    "an-error-event-ends-each-watch": [("GET", WATCH, actions.error_event(410, after=1), {"times": 4})],
    # Who must list again gets short pages, and one of them is gone by then.
    "a-page-of-a-list-has-expired": [("GET", WATCH, actions.reply(410, reason="Expired"), {"times": 2}),
                                     ("GET", "limit=100", actions.with_query("limit=100", "limit=1"), {"times": 12}),
                                     ("GET", "continue=", actions.reply(410, reason="Expired"), {"times": 2})],
    "watches-are-cut-by-rst-in-a-line": [("GET", WATCH, actions.half_event(), {"times": 4})],
    "watches-are-closed-in-a-line": [("GET", WATCH, actions.half_event(reset=False), {"times": 4})],
    "events-come-twice": [("GET", WATCH, actions.twice(), {})],
    "writes-meet-conflicts": [(WRITES, NOT_A_LEASE, actions.reply(409, reason="Conflict"), {"times": 4})],
    "the-server-is-busy": [("*", NOT_A_LEASE, actions.reply(429, [("Retry-After", "1")], reason="TooManyRequests"), {"times": 5})],
    "retry-after-is-junk": [("*", NOT_A_LEASE, actions.reply(503, [("Retry-After", "soon, -5, 1e9")], reason="ServiceUnavailable"), {"times": 5})],
    "writes-answer-500": [(WRITES, NOT_A_LEASE, actions.reply(500, reason="InternalError"), {"times": 4})],
    "every-call-answers-504-for-a-while": [("*", NOT_A_LEASE, actions.reply(504, reason="Timeout"), {"times": 5})],
    "answers-to-applied-writes-are-lost": [(WRITES, NOT_A_LEASE, actions.lose_reply(), {"times": 6})],
    "credentials-are-refused-for-a-while": [("*", NOT_A_LEASE, actions.reply(401, reason="Unauthorized"), {"times": 4})],
    "rights-are-refused-for-a-while": [("*", NOT_A_LEASE, actions.reply(403, reason="Forbidden"), {"times": 4})],
    "connections-are-refused": [("*", NOT_A_LEASE, actions.refuse(), {"times": 5})],
    "answers-trickle": [("GET", r"^(?!.*watch=true)", actions.trickle(500), {"times": 10})],
    "answers-come-late": [("*", r"^(?!.*(/leases|watch=true))", actions.delay(2), {"times": 10})],
}
NUMBERS = {"F14": ("410", "error-event", "expired"), "F15": ("watches-are",), "F16": ("twice",), "F17": ("conflicts",), "F18": ("busy", "junk"),
           "F19": ("500", "504", "lost"), "F20": ("refused-for",), "F11": ("connections-are",), "F21": ("trickle", "late")}
QUICK = ("an-error-event-ends-each-watch", "answers-to-applied-writes-are-lost")


def parameters(words):
    return [pytest.param(name, id=name, marks=[] if name in QUICK else [pytest.mark.slow])
            for name in FAULTS if any(word in name for word in words)]


def the_story_ends_as_without(fault, bench, workload, clean_state, recovery):
    since = {name: len(proxy.calls) for name, proxy in bench.proxies.items()}
    with all_of(bench, *FAULTS[fault]) as without_a_call:
        # Running programs hold watches from before the fault; all connections begin anew.
        for proxy in bench.proxies.values():
            proxy.cut_all()
        session = workload.back_up()
        assert not without_a_call(), "the fault was not injected"
    recovery.fault_ended()
    assert session["status"]["phase"] == "Succeeded", session["status"]
    wait_for_the_same_state(workload, clean_state, recovery)
    workload.require_one_snapshot()
    workload.require_sound_repository()
    for name, proxy in bench.proxies.items():
        calls = about(workload.ns, proxy.calls[since[name]:])
        assert audit.busiest(calls) < HOT, (name, Counter((call.method, call.target.split("?")[0]) for call in calls).most_common(10))


def about(ns, calls):
    """No kubelet makes the pods of other tests' workloads ready, so these are looked at again and again."""
    return [call for call in calls if "/namespaces/" not in call.target or f"/namespaces/{ns}/" in call.target]


def wait_for_the_same_state(workload, clean_state, recovery):
    deadline = time.monotonic() + 120
    while (differing := state.differences(clean_state, workload.state())) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not differing, "\n".join(differing)
    recovery.recovered()


@pytest.mark.fault("F14", invariants="I5 I7 I19 I20")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F14"]))
def test_gone(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


@pytest.mark.fault("F15", invariants="I5 I7 I19 I20")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F15"]))
def test_a_cut_watch(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


@pytest.mark.fault("F16", invariants="I4 I7 I19")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F16"]))
def test_repeated_events(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


@pytest.mark.fault("F17", invariants="I5 I7 I19 I20")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F17"]))
def test_refused_writes(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


@pytest.mark.fault("F18", invariants="I5 I7 I19 I20")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F18"]))
def test_throttling(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


@pytest.mark.fault("F19", invariants="I5 I7 I19 I20")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F19"]))
def test_server_errors_and_lost_answers(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


@pytest.mark.fault("F20", invariants="I5 I6 I7 I19 I20")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F20"]))
def test_refused_credentials(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


@pytest.mark.fault("F11", invariants="I5 I7 I19 I20")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F11"]))
def test_refused_connections(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


@pytest.mark.fault("F21", invariants="I5 I6 I7 I19")
@pytest.mark.parametrize("fault", parameters(NUMBERS["F21"]))
def test_slow_answers(bench, workload, clean_state, recovery, fault):
    the_story_ends_as_without(fault, bench, workload, clean_state, recovery)


def test_every_fault_of_the_list_belongs_to_one_test():
    for name in FAULTS:
        assert sum(any(word in name for word in words) for words in NUMBERS.values()) == 1, name


@pytest.mark.slow
@pytest.mark.fault("F15", invariants="I19")
def test_a_watch_that_falls_silent_is_begun_anew(bench, workload, recovery):
    """The API server sends a bookmark a minute; two missed ones and a half are silence."""
    workload.configure()
    with bench.rule("GET", "backupsessions.*watch=true", actions.silence(), programs=["sidecar"]) as rules:
        workload.pod("web-1")
        api_ring.wait_until("the sidecar watches", lambda: rules[0].hits, 30)
    workload.session("by-hand")
    assert workload.finished("by-hand", 200)["status"]["phase"] == "Succeeded"
    recovery.recovered(within=200)


@pytest.mark.slow
@pytest.mark.fault("F18", invariants="I20 I6")
@pytest.mark.parametrize("value", ["1000000000", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_an_absurd_retry_after_is_a_minute_at_most(bench, workload, recovery, value):
    workload.configure()
    workload.session("by-hand")
    with bench.rule("GET", "backupsessions", actions.reply(429, [("Retry-After", value)], reason="TooManyRequests"), programs=["sidecar"], times=1):
        workload.pod("web-1")
        assert workload.finished("by-hand", 100)["status"]["phase"] == "Succeeded"
    recovery.recovered(within=100)
