"""The real web server of the ``Procfile``: large bodies are read from people who are signed in, not from who says so."""

from __future__ import annotations

import http.client
import re
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from config import ROOT
from tests import factories
from tests.conftest import make_app
from tests.factories import PASSWORD
from tests.support.processes import instance

FORM = "application/x-www-form-urlencoded"


def test_what_the_programs_write_is_for_their_own_user(databases, tmp_path: Path):
    """A new lieu, made by `flask db upgrade` and served: nobody else of the machine reads its database, keys or e-mails."""
    data = tmp_path / "data"
    with instance("", data.parent, DATA_DIR=str(data)) as lieu:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
        subprocess.run(command, cwd=ROOT, env=lieu.environ, check=True, capture_output=True, timeout=60)
        lieu.web()
        lieu.worker()
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.rglob("*"))}
    assert data / "coworking.db" in modes
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def test_a_large_body_is_read_only_from_who_is_signed_in(databases, tmp_path: Path):
    database = databases("sqlite")
    app = make_app(database, tmp_path / "made")
    with app.app_context():
        factories.make_place()
        factories.make_cast()
    with instance(database, tmp_path) as lieu:
        lieu.web()
        client = http.client.HTTPConnection("127.0.0.1", lieu.port, timeout=8)

        cookies: dict[str, str] = {}

        def ask(method: str, path: str, body: str | None = None, kind: str = FORM) -> str:
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "Content-Type": kind}
            client.request(method, path, body, headers)
            answer = client.getresponse()
            for given in answer.headers.get_all("Set-Cookie", []):
                name, _, value = given.partition(";")[0].partition("=")
                cookies[name] = value
            said = answer.read().decode()
            assert answer.status in (200, 303), said
            return said

        def token(page: str) -> str:
            found = re.search(r'name="csrf_token" value="([^"]+)"', page)
            assert found
            return found[1]

        for cookie in ("", "lieu=invented"):
            client.putrequest("POST", "/sign-in")
            client.putheader("Content-Length", "1000000")
            client.putheader("Cookie", cookie or "language=fr")
            client.endheaders()
            assert client.getresponse().status == 413, "answered though not a byte of the body was sent"
            client.close()

        fields = {"csrf_token": token(ask("GET", "/sign-in")), "email": "member@demo.example", "password": PASSWORD}
        ask("POST", "/sign-in", urlencode(fields))
        parts = {
            'name="csrf_token"': token(ask("GET", "/me")),
            'name="locale"': "en",
            'name="file"; filename="a.csv"': "x" * 1_000_000,
        }
        body = "".join(f"--cut\r\nContent-Disposition: form-data; {of}\r\n\r\n{text}\r\n" for of, text in parts.items())
        ask("POST", "/language", f"{body}--cut--\r\n", "multipart/form-data; boundary=cut")
        assert '<html lang="en"' in ask("GET", "/me")
