"""The real web server of the ``Procfile``: large bodies are read from people who are signed in, not from who says so."""

from __future__ import annotations

import http.client
import re
from pathlib import Path
from urllib.parse import urlencode

from tests import factories
from tests.conftest import make_app
from tests.factories import PASSWORD
from tests.support.processes import instance

FORM = "application/x-www-form-urlencoded"


def test_a_large_body_is_read_only_from_who_is_signed_in(databases, tmp_path: Path):
    database = databases("sqlite")
    app = make_app(database, tmp_path / "made")
    with app.app_context():
        factories.make_place()
        factories.make_cast()
    with instance(database, tmp_path) as lieu:
        lieu.web()
        client = http.client.HTTPConnection("127.0.0.1", lieu.port, timeout=8)

        cookies = {"lieu": ""}

        def ask(method: str, path: str, body: str | None = None, kind: str = FORM) -> str:
            headers = {"Cookie": f"lieu={cookies['lieu']}", **({"Content-Type": kind} if body else {})}
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
