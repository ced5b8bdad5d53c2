"""The web server's worker: a request gets a thread only when all of it has arrived; no thread waits for a slow client.

gunicorn's own threaded worker gives a thread to every connection that has sent its first byte and lets it wait for the
rest: a few dozen half-sent requests, or responses that no client reads, stop the site. Here the poller collects the bytes
that arrive and sends the rest of a response, each until a deadline; waiting there occupies no thread. A thread still reads
bodies above `BODY_BYTES` and those of unknown length: only from clients with a cookie or a token, a few at a time, and until
a deadline too. The application checks the cookie before it reads.

Only gunicorn's parser decides what a request contains and where the next one starts. This module reads a head only to know
how long to wait: where the two differ, the parser reaches the end of its input and the connection is closed.
"""

from __future__ import annotations

import re
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from enum import Enum, auto
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import TConn, ThreadWorker

from coworking.server.client_socket import ClientSocket
from coworking.server.limits import (
    ANSWER_S,
    BODY_BYTES,
    BODY_S,
    HEAD_BYTES,
    HEAD_S,
    LARGE_AT_ONCE,
    LARGE_S,
)

_LINGER_S, _LINGER_BYTES = 2.0, 4 * 1024 * 1024
_STOPPING_S = 2.0

_LENGTH = re.compile(rb"\r\ncontent-length:([^\r\n]*)", re.I)
_CODED = re.compile(rb"\r\ntransfer-encoding:", re.I)
_CREDENTIALS = re.compile(rb"\r\n(?:cookie|authorization):", re.I)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.I)


def body_length(head: bytes) -> int | None:
    """How many bytes follow ``head`` (up to the empty line); None where only the body itself shows where it ends.

    A head that cannot be parsed has 0: gunicorn's parser will refuse it.
    """
    if _CODED.search(head):
        return None
    lengths = [length.strip(b" \t") for length in _LENGTH.findall(head)]
    return int(lengths[0]) if len(lengths) == 1 and re.fullmatch(rb"[0-9]{1,18}", lengths[0]) else 0


class Stage(Enum):
    """What a connection without a thread is waiting for."""

    REQUEST = auto()
    TURN = auto()
    READER = auto()
    FAREWELL = auto()


class Connection(TConn):
    """One connection, and the bytes that arrived on it and that no thread has read."""

    sock: ClientSocket  # pyright: ignore[reportIncompatibleVariableOverride] - what it is made with
    parser: Any

    def __init__(self, cfg: Any, sock: ClientSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.data_ready = self.initialized = True  # what gunicorn would wait for and make in the thread is done here
        self.parser = get_parser(cfg, sock, client)
        self.stage = Stage.REQUEST
        self.until = 0.0
        self.arrived = bytearray()
        self.whole = 0  # size of the request, as soon as its head says so
        self.large = self.keep = False
        self.discarded = 0


class Worker(ThreadWorker):
    """gunicorn's threaded worker, which collects requests before they get a thread. A proxy handles TLS and HTTP/2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: dict[Connection, None] = {}  # all that have no thread, the one that waits longest first
        self.queue: deque[Connection] = deque()
        self.large = 0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if cfg.is_ssl or cfg.http2_cleartext != "off" or cfg.proxy_protocol != "off":
            raise RuntimeError("TLS, HTTP/2 and the PROXY protocol are not spoken here: put a proxy in front.")

    # What gunicorn calls ----------------------------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        """Accept a new connection; where there are too many, close the one that has waited longest."""
        try:
            accepted, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections and self.waiting:
            self._drop(next(iter(self.waiting)))
        connection = Connection(self.cfg, ClientSocket(accepted), client, listener.getsockname())
        self._wait(connection, Stage.REQUEST, HEAD_S)

    def handle_request(self, req: Any, conn: Any) -> bool:
        if conn.large:
            req.force_close()  # whatever of the body was not read must not be taken for the next request
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        unread = not super()._keepalive_after(conn, keepalive)  # pyright: ignore[reportAttributeAccessIssue]
        return not (unread or conn.sock.starved)

    def finish_request(self, conn: Any, fs: Future[bool]) -> None:
        """Called when the thread is free again: send the rest of its response, then keep or close the connection."""
        if conn.large:
            self.large -= 1
            self._next_large()
        conn.keep = not fs.cancelled() and fs.exception() is None and fs.result() is True
        if conn.sock.fileno() < 0:
            self._drop(conn)
        else:
            self._send_rest(conn)

    def murder_pending(self) -> None:
        """Close connections that have waited too long. gunicorn calls this at least once a second."""
        now = time.monotonic()
        for conn in [conn for conn in self.waiting if conn.until <= now]:
            if conn.stage is Stage.TURN:
                self._refuse(conn, 503, "Service Unavailable", "Others are uploading. Try again in a minute.")
            elif conn.stage is Stage.REQUEST and conn.arrived:
                self._refuse(conn, 408, "Request Timeout", "The request did not arrive in time.")
            else:
                self._drop(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """Do nothing, as `murder_pending` also ends connections between two requests; with ``force`` close them all."""
        for conn in list(self.waiting) if force else ():
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Stop waiting for input at ``deadline``, because the worker is about to stop."""
        for conn in self.waiting:
            if conn.stage is Stage.REQUEST:
                conn.until = min(conn.until, deadline)

    # Waiting ----------------------------------------------------------------------------------------------------------

    def _wait(self, conn: Connection, stage: Stage, seconds: float) -> None:
        """Let ``conn`` wait in ``stage`` without a thread."""
        self._stop_waiting(conn)
        conn.stage, conn.until = stage, time.monotonic() + seconds
        self.waiting[conn] = None
        callbacks: dict[Stage, Callable[[Connection], None]] = {
            Stage.REQUEST: self._arrive,
            Stage.READER: self._send_rest,
            Stage.FAREWELL: self._discard,
        }
        if callback := callbacks.get(stage):
            events = EVENT_WRITE if stage is Stage.READER else EVENT_READ
            self.poller.register(conn.sock, events, partial(self._if_waiting, callback, conn))

    def _if_waiting(self, callback: Callable[[Connection], None], conn: Connection, _sock: object) -> None:
        if conn in self.waiting:  # and not ended by what else happened at the same moment
            callback(conn)

    def _stop_waiting(self, conn: Connection) -> None:
        if conn in self.waiting:
            del self.waiting[conn]
            if conn.stage is not Stage.TURN:
                self.poller.unregister(conn.sock)
            elif conn in self.queue:
                self.queue.remove(conn)

    def _drop(self, conn: Connection) -> None:
        self._stop_waiting(conn)
        self.nr_conns -= 1
        conn.close()

    # A request on its way in ------------------------------------------------------------------------------------------

    def _arrive(self, conn: Connection) -> None:
        data = conn.sock.recv_now()
        if data is None:
            return
        if not data:
            self._drop(conn)
            return
        if not conn.arrived:
            conn.until = time.monotonic() + HEAD_S
        conn.arrived += data
        self._consider(conn, len(data))

    def _consider(self, conn: Connection, added: int) -> None:
        """Give ``conn`` a thread if its request has arrived; ``added``: how many bytes are new."""
        if not conn.whole and not self._read_head(conn, added):
            return
        if conn.large:
            self._wait(conn, Stage.TURN, LARGE_S)
            self.queue.append(conn)
            self._next_large()
        elif len(conn.arrived) >= conn.whole:
            self._give_thread(conn)

    def _read_head(self, conn: Connection, added: int) -> bool:
        """Find out from the head how long the request is; False when the head has not arrived yet or was refused."""
        arrived = conn.arrived
        end = arrived.find(b"\r\n\r\n", max(0, len(arrived) - added - 3))
        if end > HEAD_BYTES or (end < 0 and len(arrived) > HEAD_BYTES):
            self._refuse(conn, 431, "Request Header Fields Too Large", "The headers are too large.")
            return False
        if end < 0:
            return False
        if arrived.find(b"\r\n") > self.cfg.limit_request_line:
            self._refuse(conn, 414, "URI Too Long", "The address is too long.")
            return False
        head = bytes(arrived[: end + 2])
        length = body_length(head)
        conn.large = length is None or length > BODY_BYTES
        conn.whole = end + 4 + (length or 0)
        if conn.large and not _CREDENTIALS.search(head):
            self._refuse(conn, 413, "Content Too Large", "More than 64 kB, or in chunks: sign in first.")
            return False
        if not conn.large and len(arrived) < conn.whole:
            conn.until = time.monotonic() + BODY_S
            if (said := _EXPECTS.search(head)) and b" HTTP/1.1\r\n" in head:
                conn.sock.unsent += b"HTTP/1.1 100 Continue\r\n\r\n"
                with suppress(OSError):  # whoever has left is noticed by the next read
                    conn.sock.flush()
                del arrived[said.start() : said.end()]  # or the thread would say it a second time
                conn.whole -= said.end() - said.start()
        return True

    def _next_large(self) -> None:
        while self.queue and self.large < LARGE_AT_ONCE:
            self.large += 1
            self._give_thread(self.queue[0], LARGE_S)

    def _give_thread(self, conn: Connection, read_s: float = 0.0) -> None:
        self._stop_waiting(conn)
        conn.sock.lend(read_s)
        conn.parser.unreader.unread(bytes(conn.arrived))
        conn.arrived.clear()
        conn.whole = 0
        self.enqueue_req(conn)

    # An answer on its way out -----------------------------------------------------------------------------------------

    def _refuse(self, conn: Connection, status: int, phrase: str, text: str) -> None:
        conn.keep = False
        again = "Retry-After: 60\r\n" if status == 503 else ""
        answer = (
            f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(text) + 1}\r\n"
            f"{again}\r\n{text}\n"
        )
        conn.sock.unsent += answer.encode("ascii")
        self._send_rest(conn)

    def _send_rest(self, conn: Connection) -> None:
        """Send the rest of the response as fast as the client reads it; then wait for the next request, or close."""
        try:
            sent = conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        if not sent:
            if conn.stage is not Stage.READER or conn not in self.waiting:
                self._wait(conn, Stage.READER, ANSWER_S)
        elif conn.keep:
            conn.large = False
            conn.arrived += conn.parser.unreader.take_buffered()  # the client did not wait with its next request
            idle_s = self.cfg.keepalive if self.alive else _STOPPING_S
            self._wait(conn, Stage.REQUEST, HEAD_S if conn.arrived else idle_s)
            if conn.arrived:
                self._consider(conn, len(conn.arrived))
        else:
            self._part(conn)

    def _part(self, conn: Connection) -> None:
        """Shut down sending and wait a moment for the other side: closing at once could cut off the response."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
        else:
            self._wait(conn, Stage.FAREWELL, _LINGER_S)

    def _discard(self, conn: Connection) -> None:
        data = conn.sock.recv_now()
        conn.discarded += len(data or b"")
        if data == b"" or conn.discarded > _LINGER_BYTES:
            self._drop(conn)
