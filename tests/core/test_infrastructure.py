"""The tests' own ground: what they stand on must hold before anything else means something."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.core.clock import now
from coworking.core.db import db
from tests import factories


@pytest.mark.parametrize("round_", [1, 2])
def test_what_a_test_leaves_is_gone_before_the_next(inside, round_):
    assert db.session.scalars(select(Person)).unique().all() == []
    factories.make_person("Anne", "Marchand", "anne@demo.example")
    assert len(db.session.scalars(select(Person)).unique().all()) == 1


def test_each_engine_is_the_one_it_says(inside, engine_name):
    assert db.engine.dialect.name == engine_name


def test_the_clock_stands_still(inside, clock):
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


def test_ready_means_database_migrations_and_guards(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.json
    assert answer.json["checks"] == {"database": "ok", "migrations": "ok", "guards": "ok"} | answer.json["checks"]
