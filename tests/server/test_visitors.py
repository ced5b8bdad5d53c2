"""Quick visitors notice nothing of it: HTTP as ever."""

from __future__ import annotations

import http.client
import socket
import time

import pytest

from coworking.server.limits import BODY_BYTES
from tests.server.conftest import GET, HALF_A_BODY, HALF_A_HEAD, LARGE, PATIENCE_S, rest, statuses, until


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


def test_expect_continue_is_answered_once(site):
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
