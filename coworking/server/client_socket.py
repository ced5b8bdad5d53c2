"""A visitor's connection as a thread uses it: neither reading nor writing waits for a slow visitor beyond a deadline."""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

from coworking.server.limits import ANSWER_BYTES, ANSWER_S

_PIECE = 64 * 1024


class ClientSocket(socket.socket):
    """A connection as a thread uses it: reading ends at a deadline, and writing leaves the rest to the poller."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self.setblocking(False)
        self.unsent = bytearray()
        self.lend()

    def lend(self, read_s: float = 0.0) -> None:
        """Before a thread gets it: ``read_s`` is how long reading may take, 0 where everything has arrived."""
        self._read_by = time.monotonic() + read_s if read_s else 0.0
        self._write_by = 0.0
        self.starved = False

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """What comes next; nothing, as if the visitor had left, when the deadline has passed."""
        left = self._read_by - time.monotonic()
        if left > 0:
            self.settimeout(left)
            try:
                return super().recv(bufsize, flags)
            except TimeoutError:
                pass
        self.starved = True
        return b""

    def recv_now(self) -> bytes | None:
        """What has arrived: None when nothing has, no bytes when the visitor has left."""
        try:
            self.setblocking(False)
            return super().recv(_PIECE)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send what the visitor takes at once and keep the rest for `flush`; waits only with what would be too much."""
        if len(self.unsent) + len(data) > ANSWER_BYTES:
            self._send_waiting(self.unsent)
            self.unsent.clear()
            self._send_waiting(memoryview(data)[:-ANSWER_BYTES])
            data = memoryview(data)[-ANSWER_BYTES:]
        self.unsent += data
        self.flush()

    def _send_waiting(self, data: bytearray | memoryview) -> None:
        now = time.monotonic()
        self._write_by = self._write_by or now + ANSWER_S
        self.settimeout(max(self._write_by - now, 0.001))
        try:
            super().sendall(data)
        except TimeoutError as error:
            self.unsent.clear()
            raise BrokenPipeError(errno.EPIPE, "the answer was not read in time") from error

    def flush(self) -> bool:
        """Send what the visitor takes without waiting; whether nothing is left."""
        self.setblocking(False)
        try:
            while self.unsent:
                del self.unsent[: self.send(self.unsent)]
        except BlockingIOError:
            return False
        return True
