"""Whoever reaches a new server first does not set it up: the pages want the code in the server's log."""

from __future__ import annotations

import os
import re
import sys
import urllib.request
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from coworking.accounts.models import Person, Throttle
from coworking.core.db import db
from coworking.frontdesk.setup_code import announce, setup_code
from coworking.serve import procfile
from coworking.spaces.models import Lieu
from tests.conftest import make_app
from tests.frontdesk.setup_answers import ANSWERS
from tests.support.processes import Program
from tests.support.redis import free_port

pytestmark = pytest.mark.once

CODE = re.compile(r"/setup asks for this code: ((?:[0-9a-f]{4}-){3}[0-9a-f]{4})")


def code_of(app: Flask) -> str:
    with app.app_context():
        return setup_code()


def made(app: Flask) -> int:
    with app.app_context():
        return sum(db.session.scalar(select(func.count()).select_from(table)) or 0 for table in (Lieu, Person))


def test_without_the_code_no_page_of_a_new_server_sets_it_up(app: Flask, client: FlaskClient):
    """Each route is tried as a stranger would, with all that the questions ask for."""
    everything = {name: text for inputs in ANSWERS.values() for name, text in inputs.items()}
    for key, inputs in ANSWERS.items():
        assert client.get(f"/setup/{key}").location == "/setup/code"
        assert client.post(f"/setup/{key}", data=inputs).location == "/setup/code"
    for rule in app.url_map.iter_rules():
        values = {name: min(getattr(one, "items", [1])) for name, one in rule._converters.items()}
        _host, path = rule.build(values) or ("", "/")
        for method in {"POST", "PUT", "PATCH"} & (rule.methods or set()):
            client.open(path, method=method, data=everything)
    assert made(app) == 0


def test_the_code_as_typed_opens_the_questions(app: Flask, client: FlaskClient):
    assert client.get("/").location == "/setup"
    assert client.get("/setup").location == "/setup/code"
    page = client.get("/setup/code").text
    assert "journalctl" in page and code_of(app) not in page
    typed = code_of(app).upper().replace("-", " ")
    assert client.post("/setup/code", data={"code": typed}).location == "/setup"
    for key, inputs in ANSWERS.items():
        assert client.get(f"/setup/{key}").status_code == 200
        answer = client.post(f"/setup/{key}", data=inputs)
    assert answer.location == "/today" and made(app) == 2
    assert client.get("/setup/code").status_code == 404


@pytest.mark.parametrize("typed", ["", "0000-0000-0000-0000", "é" * 40, "\x00", "a" * 5000])
def test_a_wrong_code_is_said_and_opens_nothing(app: Flask, client: FlaskClient, typed: str):
    answer = client.post("/setup/code", data={"code": typed})
    assert answer.status_code == 422 and "journal du serveur" in answer.text
    assert client.get("/setup/1").location == "/setup/code"


def test_codes_are_tried_a_few_times_only(app: Flask, client: FlaskClient, clock):
    statuses = [client.post("/setup/code", data={"code": f"wrong-{number}"}).status_code for number in range(12)]
    assert statuses[:10] == [422] * 10 and statuses[-1] == 429
    refused = client.post("/setup/code", data={"code": code_of(app)})
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0, "not even the right one is looked at"
    clock.advance(minutes=16)
    assert client.post("/setup/code", data={"code": code_of(app)}).location == "/setup"
    with app.app_context():
        assert db.session.scalars(select(Throttle)).one().score < 10


def test_once_there_is_a_lieu_the_code_is_gone(app: Flask, client: FlaskClient, place, caplog):
    assert client.get("/setup/code").status_code == 404
    assert client.post("/setup/code", data={"code": code_of(app)}).status_code == 404
    announce(app)
    assert caplog.text == ""


def test_two_processes_print_the_same_code_and_another_server_another(app: Flask, tmp_path: Path, caplog):
    announce(app)
    beside = make_app(app.config["SQLALCHEMY_DATABASE_URI"], tmp_path)
    other = make_app(app.config["SQLALCHEMY_DATABASE_URI"], tmp_path, secret_key="o" * 40)
    for one in (beside, other):
        announce(one)
        with one.app_context():
            db.engine.dispose()
    first, second, third = CODE.findall(caplog.text)
    assert first == second == code_of(app) != third


def test_a_database_that_is_not_made_yet_stops_no_server(tmp_path: Path, caplog):
    announce(make_app(f"sqlite:///{tmp_path / 'none.db'}", tmp_path))
    assert caplog.text == ""


def test_a_real_server_prints_it_once_and_asks_for_it(databases, tmp_path: Path):
    """Two web processes: one of them prints, and what they ask for is the same."""
    url, port = databases("sqlite"), free_port()
    environ = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "ENV_FILE": os.devnull,
        "DATABASE_URL": url,
        "SECRET_KEY": "s" * 40,
        "DATA_DIR": str(tmp_path),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
    }
    server = Program("web", procfile()["web"], environ, tmp_path)

    def asks() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/setup", timeout=5) as answer:
                return answer.url.endswith("/setup/code")
        except OSError:
            return False

    try:
        server.wait_for("printing the code", lambda: CODE.search(server.said()) is not None)
        server.wait_for("asking for the code", asks)
    finally:
        server.stop()
    (code,) = CODE.findall(server.said())
    with make_app(url, tmp_path, secret_key="s" * 40).app_context():
        assert code == setup_code()
        db.engine.dispose()
