"""PDFs are made by a process of their own that reads nothing but our own files, and comes back whatever befalls it."""

from __future__ import annotations

import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jinja2
import pytest

from config import ROOT
from coworking.core import pdf, pdf_worker
from coworking.core.pdf import PdfBusy, PdfFailed, PdfUnavailable

PAGE = """{% extends "_layout/pdf.html" %}{% block title %}{{ words }}{% endblock %}
{% block main %}<h1>{{ words }}</h1>{{ more|default("")|safe }}{% endblock %}"""
PLACE = {"name": "La Fabrique du Pont"}


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """No PDF asks the database anything: once is enough."""
    return request.param


@pytest.fixture(autouse=True)
def template(app, inside):
    kept = app.jinja_env.loader
    app.jinja_env.loader = jinja2.ChoiceLoader([jinja2.DictLoader({"page.html": PAGE}), kept])
    yield
    app.jinja_env.loader = kept
    pdf._printer.close()


def make(words: str = "Attestation", **more: str) -> bytes:
    page = pdf.html("page.html", locale="fr", place=PLACE, words=words, **more)
    with pdf.turn() as draw:
        return draw(page)


def test_a_pdf_is_made_without_loading_weasyprint_here():
    assert make().startswith(b"%PDF-1.7")
    assert "weasyprint" not in sys.modules


def test_nothing_it_unpacked_stays_behind(tmp_path, monkeypatch):
    pdf._printer.close()
    monkeypatch.setattr(pdf.tempfile, "tempdir", str(tmp_path))
    make()
    assert list(tmp_path.iterdir())
    pdf._printer.close()
    assert list(tmp_path.iterdir()) == []


def test_web_and_worker_do_not_load_it():
    code = "import wsgi, tasks.app, sys; assert not {'weasyprint', 'pydyf', 'tinycss2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_our_fonts_are_embedded_in_the_pdf():
    packed = re.findall(rb"stream\r?\n(.*?)endstream", make(), re.DOTALL)
    words = b"".join(_unpacked(piece) for piece in packed)
    fonts = {name.partition(b"+")[2] for name in re.findall(rb"/BaseFont ?/([^ /]+)", words)}
    assert fonts and all(name.startswith((b"Bricolage", b"Figures", b"Atkinson")) for name in fonts), fonts


def _unpacked(piece: bytes) -> bytes:
    try:
        return zlib.decompress(piece)
    except zlib.error:
        return b""


@pytest.mark.parametrize(
    "address",
    [
        "file:" + "///etc/passwd",
        "/etc/passwd",
        "/static/../config.py",
        "/static/%2e%2e/config.py",
        "//example.org/static/css/pdf.css",
        "http://pdf.invalid/static/../config.py",
        "/static/nothing.png",
        "ftp://example.org/a.png",
    ],
)
def test_nothing_else_is_read(address):
    with pytest.raises(ValueError, match="may not read"):
        pdf_worker.allowed(address if ":" in address else "http://pdf.invalid" + address, ROOT / "static")
    with pytest.raises(PdfFailed):
        make(more=f'<link rel="stylesheet" href="{address}">')
    assert make().startswith(b"%PDF")


def test_no_call_leaves_the_machine():
    calls: list[str] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_error(404)

    server = http.server.HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(PdfFailed):
            make(more=f'<img src="http://127.0.0.1:{server.server_port}/a.png">')
    finally:
        server.shutdown()
        server.server_close()
    assert calls == []


def test_a_picture_inside_the_page_is_fine():
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    assert make(more=f'<img alt="" src="data:image/png;base64,{dot}">').startswith(b"%PDF")


def test_a_killed_process_is_replaced():
    make()
    first = pdf._printer._process
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert make().startswith(b"%PDF")
    assert pdf._printer._process.pid != first.pid


def test_a_process_that_hangs_is_replaced(monkeypatch):
    make()
    os.kill(pdf._printer._process.pid, signal.SIGSTOP)
    monkeypatch.setattr(pdf, "TIMEOUT_S", 0.5)
    with pytest.raises(PdfFailed, match="longer than"):
        make()
    monkeypatch.undo()
    assert make().startswith(b"%PDF")


def test_an_idle_process_ends(monkeypatch):
    monkeypatch.setattr(pdf, "IDLE_S", 1.0)
    make()
    process = pdf._printer._process
    assert process.wait(10) is not None or pdf._printer._process is None


def test_the_child_is_replaced_after_many_pdfs(monkeypatch):
    monkeypatch.setattr(pdf, "MOST", 2)
    make()
    first = pdf._printer._process.pid
    make()
    assert pdf._printer._process is None
    make()
    assert pdf._printer._process.pid != first


def test_threads_get_each_their_own(app):
    def one(number: int) -> bytes:
        with app.app_context():
            return make(words=f"Numéro {number}", more="<p>mot</p>" * (number * 40))

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(one, range(8)))
    pages = [one.count(b"/Type /Page\n") + one.count(b"/Type /Page ") for one in made]
    assert len({len(one) for one in made}) > 4 and all(one.startswith(b"%PDF") for one in made), pages


def test_while_a_pdf_is_made_requests_are_refused_and_the_worker_waits(app):
    """Visitors hold no thread: one thread that waits for each would be all of them."""
    make()
    begun, go_on = threading.Event(), threading.Event()

    def slow(_message: bytes) -> tuple[bytes, bytes]:
        begun.set()
        assert go_on.wait(30)
        return b"+", b"%PDF"

    def first() -> None:
        with app.app_context():
            make()

    kept = pdf._printer._ask_again
    pdf._printer._ask_again = slow
    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert begun.wait(30)
        with app.test_request_context("/"), pytest.raises(PdfBusy) as caught:
            make()
        assert caught.value.extra == {"retry_after": pdf.BUSY_S}
    finally:
        pdf._printer._ask_again = kept
        go_on.set()
        thread.join()
    with app.test_request_context("/"):
        assert make().startswith(b"%PDF")


def test_a_request_is_not_refused_because_the_idle_process_is_just_ending(app, monkeypatch):
    make()
    ending, go_on = threading.Event(), threading.Event()
    remove = pdf.shutil.rmtree

    def slowly(path: str, **how: bool) -> None:
        ending.set()
        assert go_on.wait(30)
        remove(path, **how)

    def asked() -> bytes:
        with app.test_request_context("/"):
            return make()

    monkeypatch.setattr(pdf.shutil, "rmtree", slowly)
    monkeypatch.setattr(pdf, "IDLE_S", 0.0)
    with ThreadPoolExecutor(2) as pool:
        idle = pool.submit(pdf._printer._end_if_idle)
        try:
            assert ending.wait(30)
            monkeypatch.undo()
            waiting = pool.submit(asked)
            assert not waiting.done() or waiting.exception() is None
        finally:
            go_on.set()
        assert waiting.result().startswith(b"%PDF")
        idle.result()


def test_without_the_libraries_it_says_what_to_install(monkeypatch, tmp_path: Path):
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    pdf._printer.close()
    with pytest.raises(PdfUnavailable) as caught:
        make()
    assert "libpango-1.0-0" in caught.value.params["packages"]
    monkeypatch.undo()
    assert make().startswith(b"%PDF")
