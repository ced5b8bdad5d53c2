"""PDFs of templates, made by WeasyPrint in a process of its own.

Its libraries take some 60 MB and are not thread-safe, so neither web nor worker loads them. A child starts at the first PDF,
makes one after the other, and ends after `MOST` PDFs or `IDLE_S` seconds without any. Not to be called inside a write unit:
it is slow.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app, has_request_context, render_template

from config import ROOT
from coworking.core.errors import N_, DomainError
from coworking.core.i18n import in_language

log = logging.getLogger(__name__)

TIMEOUT_S = 60.0
IDLE_S = 60.0
MOST = 200
BUSY_S = 3
"""After how many seconds to ask again while another PDF is being made."""

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class PdfUnavailable(DomainError):
    """The libraries that make PDFs are not installed; everything else works without them."""

    code = "pdf_unavailable"
    status = 503
    message = N_("This server cannot make PDFs yet. Its administrator can install: %(packages)s.")


class PdfBusy(DomainError):
    """Another PDF is being made in this process: the request is refused at once and holds no thread."""

    code = "pdf_busy"
    status = 503
    message = N_("Another PDF is being made just now. Yours comes next: this page reloads by itself.")


class PdfFailed(Exception):
    """A PDF could not be made: a fault of its template, or the process died over it."""


def html(template: str, *, locale: str, **context: Any) -> str:
    """The page that becomes the PDF, in ``locale``; the same with and without a request around it."""
    with in_language(locale):
        if has_request_context():
            return render_template(template, lang=locale, **context)
        with current_app.test_request_context("/"):  # for the addresses of static files
            return render_template(template, lang=locale, **context)


@contextmanager
def turn() -> Iterator[Callable[[str], bytes]]:
    """The turn to draw in this process: a function from a page (`html`) to its PDF.

    The same page gives the same document identifier. Only what no visitor waits for may queue: for a request the turn
    raises `PdfBusy` when another has it. Drawing raises `PdfUnavailable` or `PdfFailed`.
    """
    with _printer.turn(queue=not has_request_context()):
        yield _printer.make


class _Printer:
    """The child and the queue before it.

    `_turns` is held for a whole turn, and nothing else holds it: who finds it taken is told that a PDF is being made.
    `_child` is held by whoever writes to the child or ends it, so that a request may wait for the idle child to end, some
    milliseconds, and is not refused for it.
    """

    def __init__(self) -> None:
        self._turns = threading.Lock()
        self._child = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch = ""
        self._made = 0
        self._used = 0.0
        self._watch: threading.Timer | None = None
        self._owner = os.getpid()

    @contextmanager
    def turn(self, *, queue: bool) -> Iterator[None]:
        if not self._turns.acquire(blocking=queue):
            raise PdfBusy(extra={"retry_after": BUSY_S})
        try:
            yield
        finally:
            self._turns.release()

    def make(self, page: str) -> bytes:
        """Within a `turn`."""
        message = json.dumps({"html": page, "identifier": page}).encode()
        with self._child:
            mark, content = self._ask_again(message)
            self._made += 1
            self._used = time.monotonic()
            if self._made >= MOST or mark == b"!":
                self._end()
            else:
                self._watch_idle()
        if mark == b"!":
            log.warning("PDFs cannot be made: %s", content.decode(errors="replace"))
            raise PdfUnavailable(packages=PACKAGES)
        if mark == b"-":
            raise PdfFailed(content.decode(errors="replace"))
        return content

    def _ask_again(self, message: bytes) -> tuple[bytes, bytes]:
        """Ask the child; a new one when the old one turns out to be dead."""
        fresh = self._process is None
        try:
            return self._ask(message)
        except (BrokenPipeError, EOFError) as gone:
            self._end()
            if fresh:
                raise PdfFailed("the process that makes PDFs died") from gone
            return self._ask_again(message)
        except TimeoutError:
            self._end()
            raise PdfFailed(f"the PDF took longer than {TIMEOUT_S:.0f} s") from None

    def _ask(self, message: bytes) -> tuple[bytes, bytes]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(struct.pack(">I", len(message)) + message)
        process.stdin.flush()
        deadline = time.monotonic() + TIMEOUT_S
        (length,) = struct.unpack(">I", _read(process.stdout.fileno(), 4, deadline))
        answer = _read(process.stdout.fileno(), length + 1, deadline)
        return answer[:1], answer[1:]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():  # forked since: the child belongs to the parent
            self._owner, self._process = os.getpid(), None
        if self._process is None:
            static = str(current_app.static_folder or ROOT / "static")
            # A child that is killed leaves the fonts it unpacked: they go where they are found and removed.
            self._scratch = tempfile.mkdtemp(prefix="pdf-")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "coworking.core.pdf_worker", static],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env={**os.environ, "TMPDIR": self._scratch},
                bufsize=0,
            )
            self._made = 0
            atexit.register(self.close)
        return self._process

    def _watch_idle(self) -> None:
        if self._watch is None:
            self._watch = threading.Timer(IDLE_S, self._end_if_idle)
            self._watch.daemon = True
            self._watch.start()

    def _end_if_idle(self) -> None:
        with self._child:
            self._watch = None
            if time.monotonic() - self._used >= IDLE_S - 1:
                self._end()
            elif self._process is not None:
                self._watch_idle()

    def _end(self) -> None:
        process, self._process = self._process, None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if process is None or self._owner != os.getpid():
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.kill()
        process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def close(self) -> None:
        """End the child, if there is one."""
        with self._child:
            self._end()


def _read(descriptor: int, count: int, deadline: float) -> bytes:
    """Exactly ``count`` bytes; raises `EOFError` or `TimeoutError`."""
    found = bytearray()
    while len(found) < count:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise TimeoutError
        piece = os.read(descriptor, min(count - len(found), 1 << 16))
        if not piece:
            raise EOFError
        found += piece
    return bytes(found)


_printer = _Printer()
