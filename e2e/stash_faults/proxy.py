"""The fault proxy: stands before an API server or a repository's server and does to chosen calls what a rule says.

It ends TLS on both sides and passes on all headers, bearer tokens too. It lives in a thread of the test's process:

    with FaultProxy(server, directory, authority=ca) as proxy:
        with proxy.rule("PATCH", "/backupsessions/.*/status", actions.reply(503), times=2):
            ...
"""
import asyncio
import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from servers import certificate

from .http_wire import HEAD_LIMIT, LAST_CHUNK, Head, body, chunk


@dataclass(frozen=True)
class Called:
    at: float  # seconds, on the monotonic clock
    method: str
    target: str


class Rule:
    """What happens to the calls it is for: after `skip` of them, to the next `times`. `method` is one, "PUT|POST" or "*"."""

    def __init__(self, method, path, act, skip=0, times=None):
        self.method, self.path, self.act = method, re.compile(path), act
        self.skip, self.times = skip, times
        self.seen = self.hits = 0

    def takes(self, method, target) -> bool:
        if (self.method != "*" and method not in self.method.split("|")) or not self.path.search(target):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


def _reset(writer):
    with contextlib.suppress(OSError, AttributeError):  # closed meanwhile: nothing is left to be told
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Exchange:
    """One call on its way. An action calls these in the order that it wants; see actions.py."""

    def __init__(self, proxy, head, reader, writer):
        self.proxy, self.head, self.client_reader, self.client = proxy, head, reader, writer
        self.method, self.target, _ = head.line.split(" ", 2)
        self.upstream_reader = self.upstream = None

    async def send(self, target=None):
        """Passes the whole request on."""
        self.upstream_reader, self.upstream = await self.proxy.connect()
        head = self.head.without("Connection", "Expect")
        if target:
            head.line = f"{self.method} {target} HTTP/1.1"
        head.headers.append(("Connection", "close"))
        self.upstream.write(head.encode())
        async for piece in body(self.head, self.client_reader, of_reply=False):
            self.proxy.count(self.method, self.target, len(piece))
            self.upstream.write(chunk(piece) if self.head.is_chunked else piece)
            await self.upstream.drain()
        if self.head.is_chunked:
            self.upstream.write(LAST_CHUNK)
        await self.upstream.drain()

    async def swallow_request(self):
        async for _ in body(self.head, self.client_reader, of_reply=False):
            pass

    async def reply_head(self) -> Head:
        head = await Head.read(self.upstream_reader)
        if head is None:
            raise ConnectionError("the server ended the connection without a reply")
        return head.without("Connection")

    def reply_pieces(self, head: Head):
        status = int(head.line.split(" ", 2)[1])
        return body(head, self.upstream_reader, of_reply=True, may_have_one=self.method != "HEAD" and status not in (204, 304))

    async def write(self, data: bytes):
        self.client.write(data)
        await self.client.drain()

    async def pass_reply(self, pieces=None):
        """Passes the reply on: as it comes, or `pieces` of it instead. Ends early when the client goes away."""
        head = await self.reply_head()
        original = self.reply_pieces(head)
        is_stream = head.is_chunked or not head.get("Content-Length")
        may_be_framed = head.is_chunked or (pieces is not None)
        if may_be_framed and not head.is_chunked:
            head = head.without("Content-Length")
            head.headers.append(("Transfer-Encoding", "chunked"))
        if not may_be_framed and is_stream and self.method != "HEAD":
            head.headers.append(("Connection", "close"))
        await self.write(head.encode())
        async for piece in self._while_the_client_listens(pieces(original) if pieces else original):
            if piece:
                self.proxy.count(self.method, self.target, len(piece))
                await self.write(chunk(piece) if may_be_framed else piece)
        if may_be_framed and self.method != "HEAD":
            await self.write(LAST_CHUNK)
        return may_be_framed or not is_stream

    async def _while_the_client_listens(self, pieces):
        """Nothing may be read here to see whether the client left: it could be the first byte of its next request."""
        iterator = pieces.__aiter__()
        while True:
            piece = asyncio.ensure_future(iterator.__anext__())
            while not (await asyncio.wait({piece}, timeout=0.1))[0]:
                if self.client_reader.at_eof() or self.client_reader.exception():
                    piece.cancel()
                    raise ConnectionError("the client left")
            try:
                yield piece.result()
            except StopAsyncIteration:
                return

    def reset(self):
        """RST instead of an orderly end."""
        _reset(self.client)

    def close(self):
        if self.upstream is not None:
            self.upstream.close()


class FaultProxy:
    """`server` is the URL of what it stands before, `authority` the PEM of its CA. With tls=False clients speak HTTP."""

    def __init__(self, server, directory, authority=None, tls=True):
        self._server, self._directory = urlsplit(server), directory
        self._upstream_tls = ssl.create_default_context(cadata=authority) if authority else None
        self._rules, self._lock = [], threading.Lock()
        self._counters = []
        self._open = set()
        self.calls = []  # oldest first
        self.authority, self._tls = "", None
        if tls:
            directory.mkdir(parents=True, exist_ok=True)
            made = certificate.make(directory, ["IP:127.0.0.1", "DNS:localhost"])
            self.authority = made.authority
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.use_certificate(made)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)

    def use_certificate(self, made):
        """For every handshake from now on."""
        self._tls.load_cert_chain(made.certificate, made.key)

    def __enter__(self):
        self._thread.start()
        self._listener = self._await(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, limit=HEAD_LIMIT))
        self.port = self._listener.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self._await(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @contextlib.contextmanager
    def rule(self, method, path, act, skip=0, times=None):
        rule = Rule(method, path, act, skip, times)
        with self._lock:
            self._rules.insert(0, rule)
        try:
            yield rule
        finally:
            with self._lock:
                self._rules.remove(rule)

    @contextlib.contextmanager
    def at_byte(self, count, hook, method="POST", path=""):
        """Calls hook() once, when so many bytes of bodies have gone to the server or from it in calls of this kind.

        Yields the counter: how many are "left"."""
        counter = {"left": count, "method": method, "path": re.compile(path), "hook": hook}
        with self._lock:
            self._counters.append(counter)
        try:
            yield counter
        finally:
            with self._lock:
                self._counters.remove(counter)

    def cut_all(self, reset=True):
        """Ends every connection that is open now."""
        self._await(self._cut_all(reset))

    def count(self, method, target, size):
        with self._lock:
            due = []
            for counter in self._counters:
                if counter["hook"] and counter["method"] in (method, "*") and counter["path"].search(target):
                    counter["left"] -= size
                    if counter["left"] <= 0:
                        due.append(counter["hook"])
                        counter["hook"] = None
        for hook in due:
            hook()

    async def connect(self):
        return await asyncio.open_connection(self._server.hostname, self._server.port, ssl=self._upstream_tls, limit=HEAD_LIMIT)

    def _await(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _cut_all(self, reset):
        for writer in list(self._open):
            if reset:
                _reset(writer)
            else:
                writer.close()

    async def _stop(self):
        self._listener.close()
        await self._cut_all(reset=True)
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._open.add(writer)
        try:
            while (head := await Head.read(reader)) is not None:
                exchange = Exchange(self, head, reader, writer)
                try:
                    if not await self._act(exchange):
                        break
                finally:
                    exchange.close()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ssl.SSLError):
            writer.transport.abort()  # one side left or spoke nonsense: the other one sees a broken connection too
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._open.discard(writer)
            writer.close()

    async def _act(self, exchange):
        with self._lock:
            self.calls.append(Called(time.monotonic(), exchange.method, exchange.target))
            act = next((rule.act for rule in self._rules if rule.takes(exchange.method, exchange.target)), None)
        if act is not None:
            return await act(exchange)
        await exchange.send()
        return await exchange.pass_reply()
