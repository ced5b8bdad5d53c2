"""The process that makes PDFs from HTML until its input ends. `coworking.core.pdf` starts it; nothing imports it.

Each message is its length (four bytes, big-endian) and that many bytes. The input is JSON ``{"html", "identifier"}``. The
output has one byte before the content: ``+`` for a PDF, ``-`` for an error message, ``!`` when the libraries are missing.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import mimetypes
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

BASE = "http://pdf.invalid/"
"""The base of relative addresses: a name that never resolves (RFC 6761)."""


def main(static: Path) -> None:
    """Answer messages of standard input until it ends."""
    given, told = sys.stdin.buffer, sys.stdout.buffer
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    while (message := _read(given)) is not None:
        try:
            mark, content = b"+", _pdf(json.loads(message), static)
        except (OSError, ImportError) as missing:  # what cffi raises when a library is not there
            mark, content = b"!", str(missing).encode()
        except Exception as error:
            mark, content = b"-", f"{type(error).__name__}: {error}".encode()
        told.write(struct.pack(">I", len(content)) + mark + content)
        told.flush()


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack(">I", head)
    return source.read(length)


def _pdf(order: dict[str, str], static: Path) -> bytes:
    from weasyprint import HTML
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class Fetcher(URLFetcher):
        """Reads files below ``static/`` and ``data:`` URLs only: no network, no other file."""

        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            if url.startswith("data:"):
                return super().fetch(url, headers)
            file = allowed(url, static)
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            return URLFetcherResponse(url, body=file.read_bytes(), headers={"Content-Type": kind})

    document = HTML(string=order["html"], base_url=BASE, url_fetcher=Fetcher(fail_on_errors=True))
    made = io.BytesIO()
    try:
        document.write_pdf(made, pdf_identifier=hashlib.sha256(order["identifier"].encode()).digest()[:16])
        return made.getvalue()
    except FatalURLFetchingError as refused:  # no Exception: it would end this process
        raise ValueError(str(refused.__cause__ or refused)) from None


def allowed(url: str, static: Path) -> Path:
    """The file that ``url`` names below ``static``; raises `ValueError` for any other address."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if not url.startswith(BASE) or not path.startswith("/static/"):
        raise ValueError(f"a PDF may not read {url[:80]}")
    file = (static / path.removeprefix("/static/")).resolve()
    if not file.is_relative_to(static.resolve()) or not file.is_file():
        raise ValueError(f"a PDF may not read {url[:80]}")
    return file


if __name__ == "__main__":
    main(Path(sys.argv[1]))
