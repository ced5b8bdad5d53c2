"""The worker rests on parts of gunicorn that may change."""

from __future__ import annotations

import hashlib
import inspect

import gunicorn
from gunicorn.http.parser import Parser
from gunicorn.http.unreader import SocketUnreader, Unreader
from gunicorn.workers.gthread import TConn, ThreadWorker

STANDS_ON = {
    "gunicorn": "27.0.1",
    "TConn": "e3a2878ba952710a",
    "ThreadWorker": "2cde92a57d7bae10",
    "Parser": "3a9c06e348c7e3b5",
    "Unreader": "84aaa8f91fcdbbae",
    "SocketUnreader": "786a257be09ea8dd",
}


def test_gunicorn_is_the_one_the_worker_was_written_for():
    """After an upgrade read what changed in these, adapt `coworking.server`, then put the new sums here."""
    read = [
        TConn,
        ThreadWorker,
        Parser,
        Unreader,
        SocketUnreader,
    ]
    sums = {part.__qualname__: hashlib.sha256(inspect.getsource(part).encode()).hexdigest()[:16] for part in read}
    assert {"gunicorn": gunicorn.__version__} | sums == STANDS_ON
