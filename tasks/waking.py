"""Wake the workers without waiting for the broker.

A request sets a flag and goes on; a thread of the process sends the message, one for however many units were committed
meanwhile. Where the broker does not answer, the thread rests and the sweep does the work within its minute.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from config import Config
from coworking.core import health, outbox
from coworking.core.settings import settings
from tasks.app import celery, configure

log = logging.getLogger(__name__)

DRAIN = "outbox.drain"
EXPIRES_S = 120
"""The sweep has overtaken a message this old: a worker that comes back must not work through a backlog of them."""
PAUSE_S = 0.1
"""Calls within this time of a message become one more message: an import of thousands must not send thousands."""
REST_S = 5.0
"""How long to wait before the next message after the broker did not answer."""
EXIT_S = 1.0
"""How long a command that ends waits until its last message is sent."""


class Waker:
    """Calls ``send`` in its own thread soon after each call; ``send`` may be slow or fail."""

    def __init__(self, send: Callable[[], object], rest_s: float = REST_S) -> None:
        self._send = send
        self._rest_s = rest_s
        self._wanted = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        self._idle.clear()
        self._wanted.set()
        with self._start:  # at the first call, not before: a thread does not survive the fork of a web worker
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="wake", daemon=True)
                self._thread.start()

    def flush(self) -> bool:
        """Wait a moment until the last message is sent, because a command is about to end; False when it was not."""
        return self._idle.wait(EXIT_S)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._send()
            except Exception as error:
                log.warning("the broker took no message (%s); the sweep will do the work", error)
                time.sleep(self._rest_s)
            if not self._wanted.is_set():
                self._idle.set()
            time.sleep(PAUSE_S)


def connect(app: Flask) -> None:
    """Join ``app`` and this process's Celery: tasks run in it, and its outbox wakes the workers."""
    config: Config = app.extensions["settings"]
    configure(config)
    celery.flask_app = app
    waker = Waker(lambda: celery.send_task(DRAIN, expires=EXPIRES_S, retry=False))
    outbox.wake_with(waker)
    atexit.register(waker.flush)
    health.checks["broker"] = broker_problem


def broker_problem() -> str | None:
    """For ``/readyz``: why messages cannot be left at the broker, or None."""
    if settings().redis_url is None:
        folder = Path(celery.conf.broker_transport_options["data_folder_out"])
        return None if folder.is_dir() else f"{folder} is missing"
    try:
        with celery.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=1)
    except Exception as error:
        return type(error).__name__
    return None
