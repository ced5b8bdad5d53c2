"""A web server with the worker that is tried: real processes, real sockets on 127.0.0.1."""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.processes import Program
from tests.support.redis import free_port

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: lieu.test\r\n"
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: lieu.test\r\nContent-Length: 1000\r\n\r\nname="
GET = b"GET / HTTP/1.1\r\nHost: lieu.test\r\n\r\n"
LARGE = b"POST / HTTP/1.1\r\nHost: lieu.test\r\nContent-Length: 1000000\r\n"
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


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With the deadlines of every day."""
    with running(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="package")
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
