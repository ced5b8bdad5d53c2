"""Nobody holds the site up by sending or reading slowly: real processes, real sockets on 127.0.0.1."""

from __future__ import annotations

import hashlib
import http.client
import inspect
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread

import gunicorn
import psutil
import pytest
from gunicorn.http.parser import Parser
from gunicorn.http.unreader import SocketUnreader, Unreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from coworking.server.limits import ANSWER_BYTES, BODY_BYTES, HEAD_BYTES
from coworking.server.worker import body_length
from tests.support.processes import Program
from tests.support.redis import free_port

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: lieu.test\r\n"
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: lieu.test\r\nContent-Length: 1000\r\n\r\nname="
GET = b"GET / HTTP/1.1\r\nHost: lieu.test\r\n\r\n"
PATIENCE_S = 8
"""Shorter than any deadline of the server, longer than a busy test machine needs to answer."""


class Site:
    """A web server with one worker of eight threads."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.port = free_port()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        command = [sys.executable, "-m", "gunicorn", "-c", "tests/server/quick_conf.py", "tests.server.hello:app"]
        self.program = Program(
            "web", command, kept | {"PORT": str(self.port), "WEB_CONCURRENCY": "1", **environ}, folder
        )
        self.program.wait_for("answering", self._answers)

    def _answers(self) -> bool:
        try:
            return self.get() == b"read 0"
        except OSError:
            return False

    def connect(self, sent: bytes = b"", receive_buffer: int = 0) -> socket.socket:
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(PATIENCE_S)
        connection.connect(("127.0.0.1", self.port))
        connection.sendall(sent)
        return connection

    def get(self, path: str = "/") -> bytes:
        """The body at ``path``, asked for on a connection of its own; raises when it takes longer than `PATIENCE_S`."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            client.request("GET", path)
            return client.getresponse().read()
        finally:
            client.close()

    def worker(self) -> psutil.Process:
        (child,) = psutil.Process(self.program.process.pid).children()
        return child


@contextmanager
def running(folder: Path, **environ: str) -> Iterator[Site]:
    site = Site(folder, **environ)
    try:
        yield site
    finally:
        site.program.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With the deadlines of every day."""
    with running(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With deadlines of a second."""
    with running(tmp_path_factory.mktemp("quick"), QUICK="yes") as site:
        yield site


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    said = b""
    try:
        while data := connection.recv(65536):
            said += data
    except ConnectionResetError:
        pass
    return said


def until(connection: socket.socket, end: bytes) -> bytes:
    """What comes up to ``end``."""
    said = b""
    while not said.endswith(end) and (data := connection.recv(65536)):
        said += data
    return said


def statuses(said: bytes) -> list[int]:
    return [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]


@contextmanager
def many(site: Site, count: int, sent: bytes, receive_buffer: int = 0) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(site.connect(sent, receive_buffer)) for _ in range(count)]


# Half-sent, unread, not closed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["nothing", "head", "body"])
def test_200_half_sent_requests_hold_nobody_up(site, sent):
    with many(site, 200, sent):
        assert {site.get() for _ in range(20)} == {b"read 0"}


def test_half_sent_requests_beyond_what_is_held_make_room(tmp_path):
    with running(tmp_path, CONNECTIONS="40") as site, many(site, 200, HALF_A_HEAD) as held:
        assert {site.get() for _ in range(20)} == {b"read 0"}
        assert held[0].recv(100) == b"", "the one that waited longest was dropped"


@pytest.mark.parametrize("sent", [HALF_A_HEAD + b"X: ", HALF_A_BODY], ids=["head", "body"])
def test_a_request_that_drips_is_cut(quick, sent):
    with quick.connect(sent) as connection:
        for _ in range(200):
            try:
                connection.sendall(b"x")
            except OSError:
                break
            time.sleep(0.05)
        else:
            pytest.fail("it could drip for ever")
        assert statuses(rest(connection)) in ([408], []), "said, unless the last drop came after the end"


def test_a_request_that_stops_half_way_is_told_so(quick):
    with quick.connect(HALF_A_HEAD) as connection:
        said = rest(connection)
    assert statuses(said) == [408]
    assert b"Connection: close" in said


def test_answers_that_nobody_reads_hold_nobody_up(site):
    large = f"GET /big/{ANSWER_BYTES} HTTP/1.1\r\nHost: lieu.test\r\n\r\n".encode()
    with many(site, 24, large, receive_buffer=2048):
        assert {site.get() for _ in range(20)} == {b"read 0"}


def test_an_answer_that_is_not_read_in_time_is_cut(quick):
    endless = b"GET /big/20000000 HTTP/1.1\r\nHost: lieu.test\r\n\r\n"
    with many(quick, 24, endless, receive_buffer=2048) as held:
        time.sleep(3.5)  # 24 answers, 8 at once, a second each
        assert quick.get() == b"read 0"
        assert len(rest(held[0])) < 20_000_000
    assert "Traceback" not in quick.program.said()


def test_an_answer_is_whole_for_who_reads_slowly(site):
    size = 1_000_000
    with site.connect(f"GET /big/{size} HTTP/1.0\r\n\r\n".encode(), receive_buffer=2048) as connection:
        time.sleep(0.5)
        assert rest(connection).endswith(b"\r\n\r\n" + b"x" * size)


def test_connections_that_the_visitor_does_not_close_hold_nobody_up(site):
    with many(site, 24, b"GET / HTTP/1.1\r\nHost: lieu.test\r\nConnection: close\r\n\r\n") as held:
        assert {site.get() for _ in range(20)} == {b"read 0"}
        assert statuses(rest(held[-1])) == [200]


def test_what_half_sent_requests_hold_is_bounded(tmp_path):
    with running(tmp_path) as site:
        before = site.worker().memory_info().rss
        head = b"POST / HTTP/1.1\r\nHost: lieu.test\r\nX-A: " + b"a" * (HEAD_BYTES - 200)
        sent = head + b"\r\nContent-Length: %d\r\n\r\n" % BODY_BYTES + b"b" * (BODY_BYTES - 1)
        with many(site, 600, b"") as held:
            for connection in held:
                with suppress(OSError):  # it made room
                    connection.sendall(sent)
            assert site.get() == b"read 0"
            grown = site.worker().memory_info().rss - before
        assert grown < 300 * (HEAD_BYTES + BODY_BYTES) * 1.5


def test_a_head_without_end_is_refused(site):
    with site.connect(b"GET / HTTP/1.1\r\nX: " + b"a" * 2 * HEAD_BYTES) as connection:
        assert statuses(rest(connection)) == [431]


def test_an_address_without_end_is_refused_in_the_same_words_as_the_rest(site):
    with site.connect(b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: lieu.test\r\n\r\n") as connection:
        answer = rest(connection)
    assert statuses(answer) == [414]
    assert b"text/plain" in answer and b"<html" not in answer


# Large bodies ---------------------------------------------------------------------------------------------------------

LARGE = b"POST / HTTP/1.1\r\nHost: lieu.test\r\nContent-Length: 1000000\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: lieu.test\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("head", [LARGE, CHUNKED], ids=["large", "chunked"])
def test_a_strangers_large_body_is_refused_before_it_is_read(site, head):
    with site.connect(head + b"\r\n") as connection:
        assert statuses(rest(connection)) == [413]


@pytest.mark.parametrize("credentials", [b"Cookie: lieu=a\r\n", b"Authorization: Bearer a\r\n"])
def test_a_large_body_is_read_from_who_shows_who_they_are(site, credentials):
    with site.connect(LARGE + credentials + b"\r\n" + b"x" * 1_000_000) as connection:
        assert rest(connection).endswith(b"read 1000000")
    with site.connect(CHUNKED + credentials + b"\r\n5\r\nhello\r\n0\r\n\r\n") as connection:
        assert rest(connection).endswith(b"read 5")


def test_half_sent_large_bodies_hold_two_threads_at_most(site):
    with many(site, 24, LARGE + b"Cookie: lieu=a\r\n\r\nx"):
        assert {site.get() for _ in range(20)} == {b"read 0"}


def test_a_large_body_that_drips_is_cut_and_the_next_one_has_its_turn(quick):
    with many(quick, 2, LARGE + b"Cookie: lieu=a\r\n\r\nx") as held:
        with quick.connect(LARGE + b"Cookie: lieu=a\r\n\r\n" + b"x" * 1_000_000) as connection:
            said = rest(connection)
        assert statuses(said) in ([200], [503])
        assert statuses(said) == [200] or b"Retry-After" in said
        assert [rest(connection)[-6:] for connection in held] == [b"read 1"] * 2
    with quick.connect(LARGE + b"Cookie: lieu=a\r\n\r\n" + b"x" * 1_000_000) as connection:
        assert rest(connection).endswith(b"read 1000000")


def test_what_was_not_read_of_a_body_is_not_taken_for_a_request(site):
    head = b"POST /unread HTTP/1.1\r\nHost: lieu.test\r\nCookie: a=b\r\nContent-Length: 100000\r\n\r\n"
    with site.connect(head + GET * 2000) as connection:
        said = rest(connection)
    assert statuses(said) == [200]
    assert b"Connection: close" in said


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 35\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nCookie: a=b\r\n",
        b"Content-Length : 5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"X: a\r\n Content-Length: 5\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
    ],
)
def test_a_body_of_doubtful_length_is_refused(site, headers):
    with site.connect(b"POST / HTTP/1.1\r\nHost: lieu.test\r\n" + headers + b"\r\n" + GET) as connection:
        said = statuses(rest(connection))
    assert said == [400]


def test_the_length_of_a_body_is_found_quickly_whatever_the_head():
    """The poller reads heads: a pattern that backtracks would stop everything."""
    spaces = b"GET / HTTP/1.1\r\nContent-Length:" + b" " * 64_000 + b"\r\nExpect:" + b" " * 64_000 + b"\r\n"
    started = time.process_time()
    assert body_length(spaces) == 0
    assert time.process_time() - started < 1


# A visitor like any other ---------------------------------------------------------------------------------------------


def test_a_connection_serves_many_requests(site):
    client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE_S)
    client.connect()
    first = client.sock
    for body in (None, b"five!", None, b"x" * BODY_BYTES):
        client.request("POST" if body else "GET", "/", body)
        assert client.getresponse().read() == b"read %d" % len(body or b"")
    assert client.sock is first
    client.close()


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_requests_sent_ahead_are_answered_in_order(site, piece):
    post = b"POST / HTTP/1.1\r\nHost: lieu.test\r\nContent-Length: 5\r\n\r\nhello"
    last = b"GET /big/3 HTTP/1.1\r\nHost: lieu.test\r\nConnection: close\r\n\r\n"
    together = GET + post + GET + post + last
    with site.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(together), piece):
            connection.sendall(together[start : start + piece])
        bodies = [part.rpartition(b"\r\n\r\n")[2] for part in rest(connection).split(b"HTTP/1.1 ")[1:]]
    assert bodies == [b"read 0", b"read 5", b"read 0", b"read 5", b"xxx"]


def test_who_asks_first_whether_to_send_is_told_once(site):
    head = (
        b"POST / HTTP/1.1\r\nHost: lieu.test\r\nContent-Length: 5\r\nExpect: 100-Continue\r\nConnection: close\r\n\r\n"
    )
    with site.connect(head) as connection:
        assert until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        said = rest(connection)
    assert statuses(said) == [200]
    assert said.endswith(b"read 5")


def test_old_clients_get_one_answer_or_keep_the_connection_when_they_ask_to(site):
    with site.connect(b"GET / HTTP/1.0\r\n\r\n") as connection:
        assert rest(connection).endswith(b"read 0")
    with site.connect(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") as connection:
        assert until(connection, b"read 0").endswith(b"read 0")
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert rest(connection).endswith(b"read 0")


def test_who_half_closes_after_the_request_still_gets_the_answer(site):
    with site.connect(GET) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection).endswith(b"read 0")


def test_visitors_who_leave_in_the_middle_are_forgotten(quick):
    for sent in (b"", HALF_A_HEAD, HALF_A_BODY, GET, LARGE + b"Cookie: a=b\r\n\r\nx"):
        for _ in range(20):
            connection = quick.connect(sent)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset, do not part
            connection.close()
    assert {quick.get() for _ in range(20)} == {b"read 0"}
    deadline = time.monotonic() + 30
    while len(quick.worker().net_connections()) > 2:  # the listener, and the last one just now
        assert time.monotonic() < deadline, quick.worker().net_connections()
        time.sleep(0.1)
    assert "Traceback" not in quick.program.said()


def test_what_belongs_to_the_server_is_not_believed_from_outside(site):
    headers = b"SCRIPT_NAME: /script\r\nScript-Name: /script\r\nPATH_INFO: /\r\nX-Forwarded-Proto: https\r\n"
    with site.connect(b"GET /script HTTP/1.0\r\n" + headers + b"\r\n") as connection:
        assert rest(connection).endswith(b"|/script|http")


# Stopping and starting again ------------------------------------------------------------------------------------------


def test_a_stopping_server_finishes_what_it_has_begun(tmp_path):
    with running(tmp_path) as site, site.connect(HALF_A_HEAD), site.connect(GET) as idle:
        assert statuses(until(idle, b"read 0")) == [200]
        with site.connect(b"GET /slow/1.5 HTTP/1.1\r\nHost: lieu.test\r\n\r\n") as connection:
            time.sleep(0.5)
            os.kill(site.program.process.pid, signal.SIGTERM)
            said = rest(connection)
        assert said.endswith(b"slow")
        assert rest(idle) == b""
        assert site.program.process.wait(20) == 0


def test_a_reload_loses_no_request(tmp_path):
    with running(tmp_path) as site:
        old = site.worker().pid
        answers: list[bytes] = []
        stop: list[bool] = []

        def ask() -> None:
            while not stop:
                answers.append(site.get("/slow/0.01"))

        visitors = [Thread(target=ask) for _ in range(4)]
        for visitor in visitors:
            visitor.start()
        os.kill(site.program.process.pid, signal.SIGHUP)
        site.program.wait_for("reloading", lambda: not psutil.pid_exists(old))
        stop.append(True)
        for visitor in visitors:
            visitor.join()
        assert len(answers) > 4
        assert set(answers) == {b"slow"}


# What it stands on ----------------------------------------------------------------------------------------------------

STANDS_ON = {
    "gunicorn": "27.0.1",
    "TConn": "e3a2878ba952710a",
    "ThreadWorker": "2cde92a57d7bae10",
    "Parser": "3a9c06e348c7e3b5",
    "Unreader": "84aaa8f91fcdbbae",
    "SocketUnreader": "786a257be09ea8dd",
}


def test_gunicorn_is_the_one_the_worker_was_written_for():
    """After an upgrade read what changed in these, adapt `coworking.server`, then put the new sums here."""
    read = [
        TConn,
        ThreadWorker,
        Parser,
        Unreader,
        SocketUnreader,
    ]
    sums = {part.__qualname__: hashlib.sha256(inspect.getsource(part).encode()).hexdigest()[:16] for part in read}
    assert {"gunicorn": gunicorn.__version__} | sums == STANDS_ON
