"""The smallest application: it says what it read, so that only the server is under test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    kind, _, number = environ["PATH_INFO"].strip("/").partition("/")
    match kind:
        case "big":
            answer = b"x" * int(number)
        case "slow":
            time.sleep(float(number))
            answer = b"slow"
        case "unread":
            answer = b"unread"
        case "script":
            answer = f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}|{environ['wsgi.url_scheme']}".encode()
        case _:
            try:
                answer = f"read {len(environ['wsgi.input'].read())}".encode()
            except OSError as error:
                answer = f"broken off {error}".encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
