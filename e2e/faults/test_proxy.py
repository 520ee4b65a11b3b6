"""The fault proxy itself: what it does to calls, seen by a plain client and a plain server."""
import http.client
import http.server
import json
import ssl
import threading
import time

import pytest

from stash_faults import actions
from stash_faults.proxy import FaultProxy


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if "watch" in self.path:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(3):
                event = json.dumps({"type": "ADDED", "object": {"n": i}}).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._answer(self.headers.get("Authorization", self.path).encode())

    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(b"stored")

    def _answer(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = Server()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def proxy(server, tmp_path):
    with FaultProxy(server.url, tmp_path / "proxy", tls=False) as made:
        yield made


def ask(proxy, path="/x", method="GET", body=None, headers=None, connection=None):
    connection = connection or http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    return reply.status, reply.read()


def test_without_a_rule_calls_pass_with_their_headers_on_one_connection(proxy):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    assert ask(proxy, headers={"Authorization": "Bearer x"}, connection=connection) == (200, b"Bearer x")
    assert ask(proxy, "/again", connection=connection) == (200, b"/again")
    assert ask(proxy, method="POST", body=b"1234", connection=connection) == (200, b"stored")
    assert [call.method for call in proxy.calls] == ["GET", "GET", "POST"]


def test_a_rule_takes_the_nth_calls_of_its_kind_and_no_others(proxy):
    with proxy.rule("GET", "^/x", actions.reply(503, [("Retry-After", "7")]), skip=1, times=2) as rule:
        assert [ask(proxy)[0] for _ in range(4)] == [200, 503, 503, 200]
        assert ask(proxy, "/y")[0] == 200 and ask(proxy, method="POST", body=b"")[0] == 200
        assert rule.hits == 2
    assert ask(proxy)[0] == 200


def test_a_lost_reply_is_work_done_and_a_refusal_is_not(proxy, server):
    with proxy.rule("POST", "", actions.lose_reply()), pytest.raises(ConnectionError):
        ask(proxy, method="POST", body=b"applied")
    with proxy.rule("POST", "", actions.refuse()), pytest.raises(ConnectionError):
        ask(proxy, method="POST", body=b"never seen")
    assert server.bodies == [b"applied"]


def test_a_watch_is_doubled_ended_by_an_error_or_cut_in_a_line(proxy):
    def events():
        return [json.loads(line)["type"] for line in ask(proxy, "/watch")[1].splitlines()]

    assert events() == ["ADDED"] * 3
    with proxy.rule("GET", "watch", actions.twice()):
        assert events() == ["ADDED"] * 6
    with proxy.rule("GET", "watch", actions.error_event(410, after=1)):
        assert events() == ["ADDED", "ERROR"]
    with proxy.rule("GET", "watch", actions.silence(after=2)):
        assert events() == ["ADDED"] * 2
    with proxy.rule("GET", "watch", actions.half_event()), pytest.raises((ConnectionError, http.client.IncompleteRead)):
        ask(proxy, "/watch")
    with proxy.rule("GET", "watch", actions.half_event(reset=False)), pytest.raises(http.client.IncompleteRead):
        ask(proxy, "/watch")


def test_a_reply_can_be_late_slow_or_cut(proxy):
    began = time.monotonic()
    with proxy.rule("GET", "", actions.delay(0.3)):
        assert ask(proxy)[0] == 200
    assert time.monotonic() - began >= 0.3
    with proxy.rule("GET", "", actions.trickle(2)):
        assert ask(proxy, "/abc") == (200, b"/abc")
    assert time.monotonic() - began >= 1.3
    with proxy.rule("GET", "", actions.cut_reply(2, reset=False)), pytest.raises(http.client.IncompleteRead) as cut:
        ask(proxy, "/abc")
    assert cut.value.partial == b"/a"


def test_bytes_are_counted_and_the_hook_is_called_once(proxy):
    called = []
    with proxy.at_byte(5, lambda: called.append(True), "POST", "^/data"):
        ask(proxy, "/other", "POST", b"123456")
        ask(proxy, "/data", "POST", b"1234")
        assert not called
        ask(proxy, "/data", "POST", b"5")
        ask(proxy, "/data", "POST", b"123456")
    assert called == [True]


def test_open_connections_can_be_cut(proxy):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    ask(proxy, connection=connection)
    proxy.cut_all()
    with pytest.raises(ConnectionError):
        connection.request("GET", "/x")
        connection.getresponse()
    assert ask(proxy)[0] == 200


def test_its_certificate_can_be_swapped(server, tmp_path):
    from servers import certificate
    with FaultProxy(server.url, tmp_path / "proxy") as proxy:
        def handshake():
            connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, timeout=10,
                                                     context=ssl.create_default_context(cadata=proxy.authority))
            return ask(proxy, connection=connection)
        assert handshake() == (200, b"/x")
        (tmp_path / "other").mkdir()
        proxy.use_certificate(certificate.make(tmp_path / "other", ["IP:127.0.0.1"]))
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake()
