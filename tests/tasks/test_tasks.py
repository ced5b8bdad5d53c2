"""The tasks themselves: thin, quiet before there is a lieu, and named as beat names them."""

from __future__ import annotations

import importlib
import logging
import threading
import urllib.request
from datetime import timedelta
from urllib.error import HTTPError

import pytest
from sqlalchemy import func, select

from coworking.accounts import throttle
from coworking.accounts.models import Throttle
from coworking.claims.models import Claim
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.idempotency import IdempotencyKey
from coworking.core.outbox import OutboxRow
from coworking.core.units import write_unit
from coworking.spaces.models import LieuDay
from tasks.app import celery
from tasks.schedule import SCHEDULE
from tasks.waking import Waker
from tests import factories
from tests.conftest import make_app
from tests.support.processes import instance
from tests.support.redis import free_port

for module in (
    "backup",
    "outbox",
    "housekeeping",
    "spaces",
    "claims",
    "membership",
    "booking",
    "residents",
    "presence",
    "billing",
    "accounting",
    "statistics",
):
    importlib.import_module(f"tasks.{module}")


@pytest.fixture
def do(app, monkeypatch):
    """``do("spaces.keep_days")`` runs a task as a worker would, in a context of its own."""
    monkeypatch.setattr(celery, "flask_app", app, raising=False)
    return lambda name: celery.tasks[name]()


@pytest.mark.parametrize("name", sorted(SCHEDULE))
def test_tasks_do_nothing_before_setup(do, name, caplog):
    with caplog.at_level(logging.WARNING):
        assert not do(name)
    assert caplog.records == []


@pytest.mark.parametrize("name", sorted(SCHEDULE))
def test_when_nothing_is_due_looking_costs_little_and_adds_nothing(do, place, name, count_statements):
    do(name)
    with count_statements() as seen:
        assert not do(name)
    assert [s for s in seen if s.startswith(("INSERT", "DELETE"))] == []
    assert len(seen) <= 13, str(seen)


def test_days_over_are_frozen_and_the_horizon_moves_on(do, app, place, clock):
    with app.app_context():
        last = db.session.scalar(select(func.max(LieuDay.day)))
    clock.advance(days=120)
    assert do("spaces.keep_days") > 100
    with app.app_context():
        assert db.session.scalar(select(func.max(LieuDay.day))) > last
        thawed = select(func.count()).where(LieuDay.frozen_at.is_(None), LieuDay.day < now().date())
        assert db.session.scalar(thawed) == 0


def test_expired_holds_are_released(do, app, place, clock):
    span = {"starts_at": now(), "ends_at": now() + timedelta(hours=1)}
    with app.app_context(), write_unit():
        used = {f"use_{name}": value for name, value in span.items()}
        hold = {"holder_kind": "booking", "holder_id": 1, "expires_at": now() + timedelta(minutes=1)}
        db.session.add(Claim(resource_id=place.desks[0].id, **span, **used, **hold))
    assert do("claims.release_expired") == 0
    clock.advance(minutes=2)
    assert do("claims.release_expired") == 1
    assert do("claims.release_expired") == 0


def test_a_request_does_not_wait_for_a_hanging_broker():
    """Calls that come meanwhile become one message."""
    entered, release, sent = threading.Event(), threading.Event(), []

    def send() -> None:
        entered.set()
        release.wait(30)
        sent.append(1)

    wake = Waker(send)
    wake()
    assert entered.wait(5)
    for _ in range(100):
        wake()
    assert sent == []
    release.set()
    assert wake.flush()
    assert len(sent) == 2


def test_a_broker_that_refuses_is_left_alone_for_a_moment_and_asked_again(caplog):
    answers = [ConnectionError("gone"), None]
    done = threading.Event()

    def send() -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        done.set()

    wake = Waker(send, rest_s=0.01)
    wake()
    assert wake.flush()
    wake()
    assert done.wait(5)
    assert "the sweep will do the work" in caplog.text


def test_a_request_does_not_need_the_broker(databases, tmp_path):
    """Nobody listens where Redis should be: the page answers, the row waits, and readiness tells."""
    database = databases("sqlite")
    app = make_app(database, tmp_path)
    with app.app_context():
        factories.make_person("Anne", "Marchand", "anne@demo.example")
    with instance(database, tmp_path, redis=f"redis://127.0.0.1:{free_port()}/0") as lieu:
        web = lieu.web()
        assert "anne@demo.example" in lieu.browser().post("/forgotten", email="anne@demo.example")
        web.wait_for("giving the broker up", lambda: "the broker took no message" in web.said())
        with pytest.raises(HTTPError) as refused:
            urllib.request.urlopen(f"{lieu.url}/readyz", timeout=30)
        assert refused.value.code == 503
        assert '"broker":"OperationalError"' in refused.value.read().decode()
    with app.app_context():
        assert db.session.scalars(select(OutboxRow.state)).all() == ["waiting"]


def test_expired_records_are_purged(do, app, place, clock):
    def kept() -> tuple[int, int]:
        with app.app_context():
            counts = (select(func.count()).select_from(table) for table in (IdempotencyKey, Throttle))
            return tuple(db.session.scalar(count) for count in counts)

    def use(name: str) -> None:
        with app.app_context(), write_unit():
            db.session.add(IdempotencyKey(person_id=1, key=name, endpoint="e", fingerprint="f", created_at=now()))
            throttle.count(throttle.email_buckets(name))

    use("192.0.2.1")
    clock.advance(hours=47)
    use("192.0.2.2")
    assert not do("housekeeping.purge")
    clock.advance(hours=2)
    assert do("housekeeping.purge") == 2
    assert kept() == (1, 1)
