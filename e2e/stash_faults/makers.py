"""Many objects at once, made as fast as one API server takes them."""
import concurrent.futures
import itertools
import json
import multiprocessing
import time

from stash_e2e import paths
from stash_e2e.rest import Client

CLIENTS = 8


class Administrator:
    """Makes objects as fast as one API server takes them, in processes of their own: kubectl would take as long to start as twenty
    creations do, and threads would hold up the proxies of the bench."""

    def __init__(self, kube):
        self.kube, self.client = kube, Client(paths.kubeconfig(kube.cluster))

    def makers(self):
        return concurrent.futures.ProcessPoolExecutor(CLIENTS, multiprocessing.get_context("forkserver"), _begin, (self.kube.cluster,))

    def make(self, path, made):
        """`path` is one for all, or a list with that of each."""
        paths_of_all = itertools.repeat(path) if isinstance(path, str) else path
        with self.makers() as pool:
            refused = [text for status, text in pool.map(post, paths_of_all, made, chunksize=20) if status != 201]
        assert not refused, refused[:3]

    def patch(self, paths, change):
        """The same merge patch for all of them."""
        with self.makers() as pool:
            refused = [text for status, text in pool.map(patch, paths, itertools.repeat(change), chunksize=20) if status != 200]
        assert not refused, refused[:3]

    def post(self, path, made):
        return _send(self.client, "POST", path, made)

    def delete_all(self, path):
        reply = self.client.pool.request("DELETE", f"{self.client.server}{path}?gracePeriodSeconds=0", timeout=300)
        assert reply.status == 200, reply.data


_client = None  # of a process that makes objects


def _begin(cluster):
    global _client
    _client = Client(paths.kubeconfig(cluster))


def _send(client, method, path, made, content="application/json"):
    reply = client.pool.request(method, client.server + path, body=json.dumps(made), headers={"Content-Type": content})
    return reply.status, reply.data


def post(path, made, not_before=0.0):
    """The status and what the server said. `not_before` is a time of time.monotonic()."""
    time.sleep(max(0.0, not_before - time.monotonic()))  # the rate itself
    return _send(_client, "POST", path, made)


def patch(path, change):
    return _send(_client, "PATCH", path, change, "application/merge-patch+json")
