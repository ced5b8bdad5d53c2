"""The settings of `gunicorn.conf.py` with deadlines a test can wait for, few connections and small buffers."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from coworking.server import client_socket, worker

exec((Path(__file__).parents[2] / "gunicorn.conf.py").read_text())  # its names are the settings

if os.environ.get("QUICK"):
    worker.HEAD_S = worker.BODY_S = worker.LARGE_S = 1.0
    worker.ANSWER_S = client_socket.ANSWER_S = 1.0
worker_connections = int(os.environ.get("CONNECTIONS", "300"))


def post_worker_init(_worker: Any) -> None:
    """No lieu stands behind the application of these tests."""


def when_ready(server: Any) -> None:
    """Let the system buffer little, as it does towards a far visitor: what is not read is soon felt here."""
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
