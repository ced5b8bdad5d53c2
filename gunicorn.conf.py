"""The web server: a few processes of eight threads. ``PORT``, ``WEB_CONCURRENCY`` and ``BIND_HOST`` are settings."""

from __future__ import annotations

import gc
from typing import Any

from config import environment
from coworking.server.process import TRIM_AFTER, give_free_memory_back, prepare, web_processes

prepare()  # the application is loaded afterwards, and what that frees goes back too
_environ = environment()
bind = f"{_environ.get('BIND_HOST') or '127.0.0.1'}:{_environ.get('PORT') or '8000'}"
workers = int(_environ.get("WEB_CONCURRENCY") or web_processes())
worker_class = "coworking.server.worker.Worker"
threads = 8
worker_connections = 300  # what half-sent requests and unread answers may hold is bounded by this number
sendfile = False  # answers go through the worker's own socket, which does not wait for slow readers
forwarder_headers = ""  # nobody outside says SCRIPT_NAME or PATH_INFO; what a proxy may say is TRUSTED_PROXIES' affair
secure_scheme_headers = {}
header_map = "drop"
keepalive = 5
timeout = 60
graceful_timeout = 10
preload_app = True  # loaded once and shared by fork: half the memory, and a broken setting stops the start at once
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = (_environ.get("LOG_LEVEL") or "info").lower()


def post_worker_init(worker: Any) -> None:
    """Print the code that the setup pages ask for, while there is no lieu. The first process does it for all.

    The bench serves its minimal version with these settings too: that has no setup.
    """
    if worker.age == 1 and worker.wsgi.import_name == "coworking.app":
        from coworking.frontdesk.setup_code import announce

        announce(worker.wsgi)


def when_ready(_server: Any) -> None:
    """Keep the collector off everything loaded so far: it lives as long as the process, and stays shared memory."""
    gc.collect()
    gc.freeze()


def post_request(worker: Any, _request: Any, _environment: Any, _response: Any) -> None:
    """Keep the process small, once in a while."""
    if worker.nr % TRIM_AFTER == 0:
        give_free_memory_back()
