"""Listens on 127.0.0.1 and keeps every request it gets; answers with the status it was told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, request

from tests.support.live import Live
from tests.support.redis import free_port


class Listener:
    """What came, oldest first: body and headers. Set ``status`` to answer otherwise."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, dict[str, str]]] = []
        self.status = 200
        self._app = Flask("listener")
        self._app.post("/<path:path>")(self._take)
        self.live = Live(self._app, free_port())

    @property
    def url(self) -> str:
        return f"{self.live.url}/pay/notifications/stripe"

    def _take(self, path: str) -> tuple[str, int]:
        self.received.append((request.get_data(), dict(request.headers)))
        return "", self.status


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener, until the block ends."""
    listener = Listener()
    listener.live.start()
    try:
        yield listener
    finally:
        listener.live.stop()
