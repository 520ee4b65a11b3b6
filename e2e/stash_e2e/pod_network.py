"""Ways into the network of pods."""
import contextlib
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from servers.built import Failure  # noqa: E402
from servers.running import reached_at  # noqa: E402

from . import pod_process  # noqa: E402


@contextlib.contextmanager
def reached_by_pods(kube, ns, server, port, directory):
    """What listens at 127.0.0.1:`port` in the server's own network does so in each pod of the namespace, from its start: for
    clients that have this address built in."""
    ended, failures = threading.Event(), []

    def watch():
        with contextlib.ExitStack() as relays:
            reached = set()
            while not ended.wait(0.2):
                for pod in kube.list("pod", ns):
                    # The one that holds the pod's network: others may still be in the node's when they are seen.
                    process = pod["metadata"]["uid"] not in reached and pod_process.of_pod(pod, "pause")
                    if process:
                        reached.add(pod["metadata"]["uid"])
                        logs = directory / f"relay-{pod['metadata']['name']}"
                        logs.mkdir()
                        enter = ["nsenter", f"--net=/proc/{process.pid}/ns/net"]
                        try:
                            relays.enter_context(reached_at("127.0.0.1", port, server.enter, logs, enter))
                        except Failure:
                            if process.status("State"):
                                raise  # else the pod ended meanwhile
                        process.close()

    def watch_and_tell():
        try:
            watch()
        except BaseException as failure:  # noqa: BLE001 (told below)
            failures.append(failure)
    thread = threading.Thread(target=watch_and_tell)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if failures:
            raise failures[0]
