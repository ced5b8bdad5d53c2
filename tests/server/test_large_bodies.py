"""Large bodies are read from people who show who they are, two at a time, and never for ever."""

from __future__ import annotations

import time

import pytest

from coworking.server.worker import body_length
from tests.server.conftest import GET, LARGE, many, rest, statuses

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
