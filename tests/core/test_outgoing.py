"""What leaves this machine ends at a deadline, reads so much and no more, and reaches no private network."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

import pytest

from coworking.core import outgoing
from coworking.core.outgoing import AddressNotAllowed, Unreachable, address_for, is_public, post, send_mail


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "fe80::1", "fe80::1%eth0",
        "fc00::1", "fd12::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::",
        "2001:db8::1", "localhost", "",
    ],
)  # fmt: skip
def test_addresses_that_are_not_called(address):
    assert not is_public(address)
    with pytest.raises(AddressNotAllowed):
        address_for("head.example", 443, allow_private=False, resolver=lambda _host, _port: [address])


@pytest.mark.parametrize("address", ["8.8.8.8", "172.15.0.1", "172.32.0.1", "::ffff:8.8.8.8", "2606:4700::1111"])
def test_addresses_of_the_internet(address):
    assert is_public(address)
    assert address_for("head.example", 443, allow_private=False, resolver=lambda _host, _port: [address]) == address


def test_a_name_with_one_private_address_among_others_is_not_called():
    with pytest.raises(AddressNotAllowed):
        address_for("head.example", 443, allow_private=False, resolver=lambda _h, _p: ["8.8.8.8", "10.0.0.1"])


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something that takes one connection after the other on 127.0.0.1 and calls ``answer`` with each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    with suppress(OSError):  # the other side has had enough
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def dripping(first: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    return answer


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    """Reads the request, then answers: who answers first and closes may cut its own answer off."""

    def read_and_answer(connection: socket.socket) -> None:
        said = b""
        while b"body" not in said and (data := connection.recv(65536)):
            said += data
        connection.sendall(answer)

    return read_and_answer


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def post_to(port: int, total_s: float = 5.0, host: str = "127.0.0.1") -> tuple[int, bytes]:
    resolver = lambda _host, _port: ["127.0.0.1"]  # noqa: E731
    return post(f"http://{host}:{port}/a?b", b"body", {}, allow_private=True, total_s=total_s, resolver=resolver)


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\nX: ", HEAD + b"Content-Length: 1000\r\n\r\n", HEAD + b"\r\n"]
)
def test_an_answer_that_drips_ends_at_the_deadline(first):
    with server(dripping(first)) as port:
        with pytest.raises(Unreachable, match="takes too long"):
            post_to(port, total_s=0.5)


def test_a_server_that_says_nothing_ends_at_the_deadline():
    with server(lambda connection: time.sleep(2)) as port, pytest.raises(Unreachable, match="takes too long"):
        post_to(port, total_s=0.3)


def test_an_answer_without_end_is_not_read():
    with server(answering(HEAD + b"\r\n" + b"x" * 10_000_000)) as port:
        with pytest.raises(Unreachable, match="too long"):
            post_to(port)


def test_the_address_that_was_checked_is_the_one_that_is_called_under_its_name():
    seen: list[bytes] = []
    asked: list[str] = []

    def answer(connection: socket.socket) -> None:
        while b"body" not in b"".join(seen):
            seen.append(connection.recv(65536))
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with server(answer) as port:
        url = f"http://head.example:{port}/a?b"
        assert post(url, b"body", {}, allow_private=True, resolver=resolver) == (200, b"{}")
        assert asked == ["head.example"]
        sent = b"".join(seen)
        assert sent.startswith(b"POST /a?b HTTP/1.1\r\n")
        assert f"Host: head.example:{port}\r\n".encode() in sent


def test_a_private_address_is_not_even_connected_to():
    touched: list[bool] = []
    with server(lambda _connection: touched.append(True)) as port:
        with pytest.raises(AddressNotAllowed):
            post(f"http://127.0.0.1:{port}/", b"", {}, allow_private=False)
    assert touched == []


def test_a_redirect_is_not_followed():
    touched: list[bool] = []
    with server(lambda _connection: touched.append(True)) as other:
        location = f"Location: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n".encode()
        with server(answering(b"HTTP/1.1 302 Found\r\n" + location)) as port:
            assert post_to(port)[0] == 302
    assert touched == []


def test_an_unreachable_server_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="Refused"):
        post_to(port)


@pytest.mark.parametrize("greeting", [b"", b"220 hello\r\n250-"])
def test_a_mail_server_that_drips_ends_at_the_deadline(greeting):
    message = EmailMessage()
    message["From"], message["To"] = "a@demo.example", "b@demo.example"
    started = time.monotonic()
    with server(dripping(greeting)) as port:
        with pytest.raises(OSError):
            send_mail(f"smtp://127.0.0.1:{port}", message, total_s=0.5)
        assert time.monotonic() - started < 5, "it would have gone on for ten seconds"


def test_tls_needs_the_certificate_of_the_name(monkeypatch):
    names: list[str | None] = []

    def wrap(_self: object, _sock: socket.socket, server_hostname: str | None = None) -> socket.socket:
        names.append(server_hostname)
        raise OSError("no certificate here")

    monkeypatch.setattr(outgoing.ssl.SSLContext, "wrap_socket", wrap)
    with server(lambda _connection: None) as port:
        with pytest.raises(Unreachable):
            post(f"https://head.example:{port}/", b"", {}, allow_private=True, resolver=lambda _h, _p: ["127.0.0.1"])
    assert names == ["head.example"]
