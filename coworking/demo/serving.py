"""Serving a double of a payment provider on this machine, quietly."""

from __future__ import annotations

import sys
from collections.abc import Callable

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the sign-ins of the demo should stay in sight."""


def serve_double(port: int, make: Callable[[], Flask]) -> int:
    """Serve what ``make`` makes on 127.0.0.1 until Ctrl-C; return the exit status."""
    try:
        make_server("127.0.0.1", port, make(), threaded=True, request_handler=_QuietHandler).serve_forever()
    except (ValueError, OSError) as trouble:
        print(f"The double cannot be served: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
