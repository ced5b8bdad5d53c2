"""Static files: kept for ever under their version, and found by pages of another release."""

from __future__ import annotations

import re
from pathlib import Path

from coworking.core import statics


def test_a_page_names_its_files_under_their_version(client):
    page = client.get("/sign-in").text
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert named and all(name.startswith(f"/static/{statics.version()}/") for name in named)
    for name in named:
        answer = client.get(name)
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_plain_name_is_asked_for_again(client):
    assert client.get("/static/css/base.css").headers["Cache-Control"] == "max-age=3600, public"


def test_a_page_of_the_release_before_still_gets_its_sheets(client):
    answer = client.get("/static/v0000000000/css/base.css")
    assert answer.status_code == 200 and answer.text.startswith("/*")
    assert "immutable" not in answer.headers["Cache-Control"]
    assert client.get("/static/v0000000000/../config.py").status_code == 404
    assert client.get("/static/elsewhere/css/base.css").status_code == 404


def test_the_version_is_of_names_and_contents(tmp_path, monkeypatch):
    monkeypatch.setattr(statics, "STATIC", tmp_path)
    seen = set()
    for name, content in (("a.css", "a"), ("b.css", "a"), ("b.css", "b")):
        for file in tmp_path.iterdir():
            file.unlink()
        Path(tmp_path / name).write_text(content)
        seen.add(statics.version.__wrapped__())
    assert len(seen) == 3
