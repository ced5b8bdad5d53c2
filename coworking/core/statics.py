"""Style sheets, scripts, fonts and icons: served beside the application, under an address that changes with them.

What a browser holds it never asks for again, and a page of a new release never meets the sheets of the old one. Sheets and
scripts name each other relatively, so all of them stand under the same version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask, request
from flask.typing import ResponseReturnValue
from whitenoise import WhiteNoise

from coworking.core.policy import public
from coworking.core.web import security_headers

STATIC = Path(__file__).resolve().parents[2] / "static"
_VERSION = re.compile(r"v[0-9a-f]{10}")
_AN_HOUR = 3600


@cache
def version() -> str:
    """« v0123456789 »: of the names and contents of all static files."""
    told = hashlib.sha256()
    for file in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        content = file.read_bytes()
        told.update(f"{file.relative_to(STATIC).as_posix()}\0{len(content)}\0".encode())
        told.update(content)
    return f"v{told.hexdigest()[:10]}"


def asset(name: str) -> str:
    """The address of the static file ``name``. Names need no quoting, and each icon of a page asks."""
    return f"{request.script_root}/static/{version()}/{name}"


def init_statics(app: Flask) -> None:
    """Serve the files under their version for ever, and under their plain names (PDFs, error pages) for an hour."""
    app.jinja_env.globals.update(asset=asset)
    app.view_functions["static"] = public(_of_another_release(app))
    if not STATIC.is_dir():
        return
    common = security_headers(secure=app.extensions["settings"].cookies_secure)

    def add_headers(headers: Headers, _path: str, _url: str) -> None:
        for name, value in common.items():
            headers[name] = value

    files = WhiteNoise(
        app.wsgi_app,
        max_age=_AN_HOUR,
        add_headers_function=add_headers,
        immutable_file_test=lambda _path, url: url.startswith(f"/static/{version()}/"),
    )
    files.add_files(str(STATIC), prefix="static/")
    files.add_files(str(STATIC), prefix=f"static/{version()}/")
    app.wsgi_app = files  # type: ignore[method-assign] - Flask documents this as the place for middleware


def _of_another_release(app: Flask) -> Callable[[str], ResponseReturnValue]:
    """A page made just before a release asks for files of the old version: serve the new ones."""

    def static(filename: str) -> ResponseReturnValue:
        first, _, rest = filename.partition("/")
        return app.send_static_file(rest if _VERSION.fullmatch(first) else filename)

    return static
