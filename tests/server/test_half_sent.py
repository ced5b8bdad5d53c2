"""Nobody holds the site up by sending, reading or closing slowly."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from coworking.server.limits import ANSWER_BYTES, BODY_BYTES, HEAD_BYTES
from tests.server.conftest import HALF_A_BODY, HALF_A_HEAD, many, rest, running, statuses


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["nothing", "head", "body"])
def test_200_half_sent_requests_do_not_delay_others(site, sent):
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


def test_a_half_sent_request_gets_408(quick):
    with quick.connect(HALF_A_HEAD) as connection:
        said = rest(connection)
    assert statuses(said) == [408]
    assert b"Connection: close" in said


def test_unread_answers_do_not_delay_other_requests(site):
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


def test_connections_left_open_do_not_delay_others(site):
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
