"""The tests' own ground: what they stand on must hold before anything else means something."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.core.clock import now
from coworking.core.db import db
from tests import factories
from tests.conftest import make_app


@pytest.mark.parametrize("round_", [1, 2])
def test_what_a_test_leaves_is_gone_before_the_next(inside, round_):
    assert db.session.scalars(select(Person)).unique().all() == []
    factories.make_person("Anne", "Marchand", "anne@demo.example")
    assert len(db.session.scalars(select(Person)).unique().all()) == 1


def test_each_engine_is_the_one_it_says(inside, engine_name):
    assert db.engine.dialect.name == engine_name


def test_the_test_clock_is_stopped(inside, clock):
    before = now()
    assert now() == before
    clock.advance(minutes=5)
    assert (now() - before).total_seconds() == 300


def test_no_test_reaches_another_machine():
    with pytest.raises(AssertionError, match=r"192\.0\.2\.1"), socket.socket() as probe:
        probe.connect(("192.0.2.1", 80))


def test_a_client_inside_a_context_is_refused(app, client):
    with app.app_context(), pytest.raises(AssertionError, match="outside"):
        client.get("/healthz")


@pytest.mark.parametrize(
    ("address", "headers", "open_"),
    [
        ("127.0.0.1", {}, True),
        ("203.0.113.9", {}, False),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, False),
        ("127.0.0.1", {"X-Forwarded-For": ""}, False),
        ("203.0.113.9", {"Authorization": "Bearer " + "m" * 20}, True),
        ("203.0.113.9", {"Authorization": "Bearer " + "m" * 19}, False),
        ("203.0.113.9", {"Authorization": "m" * 20}, False),
    ],
)
def test_what_the_instance_says_of_itself_is_for_this_machine_or_who_has_the_token(
    databases, tmp_path, address, headers, open_
):
    watched = make_app(databases("sqlite"), tmp_path, metrics_token="m" * 20).test_client()
    options = {"environ_base": {"REMOTE_ADDR": address}, "headers": headers}
    assert watched.get("/metrics", **options).status_code == (200 if open_ else 404)
    ready = watched.get("/readyz", **options)
    assert ready.json["status"] == "ready"
    assert ("checks" in ready.json) is open_


def test_without_a_token_there_is_no_access(client):
    options = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}, "headers": {"Authorization": "Bearer "}}
    assert client.get("/metrics", **options).status_code == 404


def test_ready_means_database_migrations_and_guards(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.json
    assert answer.json["checks"] == {"database": "ok", "migrations": "ok", "guards": "ok"} | answer.json["checks"]
