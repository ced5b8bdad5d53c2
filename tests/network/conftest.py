"""A lieu and its network head: two applications with databases of their own, talking HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from coworking.booking import services
from coworking.core import outbox
from coworking.core.db import db
from coworking.core.keyring import signing_key
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.network.exchange import protocol
from coworking.network.head import enrolment
from coworking.network.head.models import NetworkLieu
from coworking.network.lieu import joining
from coworking.presence import services as presence
from coworking.spaces import queries as spaces
from coworking.statistics import services as closing
from coworking.statistics.models import MonthlyReturn
from tests import factories
from tests.conftest import _empty, make_app
from tests.statistics.oracle import PARIS
from tests.support.live import Live
from tests.support.redis import free_port

NOVEMBER = date(2026, 11, 1)


class Head(Live):
    """The head's application, live; ``lead`` looks after it and ``lieu_id`` is its own."""

    lead: Any
    lieu_id: str

    def add(self, name: str = "La Fabrique du Pont", **values: Any) -> str:
        """A lieu of its directory; returns its public id."""
        with self.app.app_context():
            with write_unit():
                row = NetworkLieu(name=name, source="hand", **values)
                db.session.add(row)
            return row.public_id

    def link(self, lieu: str) -> str:
        """The address to paste that lets ``lieu`` in."""
        with self.app.app_context():
            return enrolment.join_url(enrolment.invite(self.lead.actor(), lieu, enrolment.JOIN))

    def rows(self, model: type[Any]) -> list[Any]:
        """Every row of ``model`` here, by id."""
        with self.app.app_context():
            return list(db.session.scalars(db.select(model).order_by(model.id)))


@pytest.fixture(scope="session")
def heads(databases: Callable[[str], str], worker_id: str) -> Callable[[str], Head]:
    """The worker's head on an engine, made once; `head` gives it empty and live."""
    made: dict[str, Head] = {}

    def get(engine: str) -> Head:
        if engine not in made:
            port = free_port()
            folder = Path(os.environ["COWORKING_TEST_FOLDER"]) / f"head-{worker_id}-{engine}"
            app = make_app(databases(engine), folder, base_url=f"http://127.0.0.1:{port}")
            made[engine] = Head(app, port)
        return made[engine]

    return get


@pytest.fixture
def head(app: Flask, engine_name: str, heads: Callable[[str], Head]) -> Iterator[Head]:
    """An empty head that answers."""
    head = heads(engine_name)
    _empty(head.app)
    with head.app.app_context():
        place = factories.make_place(name="Fabrique de territoire Livradois")
        head.lead = factories.make_person("Solène", "Vernet", "lead@demo.example", "lead")
        head.lieu_id = place.lieu.uuid
    head.start()
    yield head
    head.stop()


class Here:
    """The lieu that sends: what its manager and its worker do."""

    def __init__(self, app: Flask, cast: factories.Cast) -> None:
        self.app, self.cast = app, cast

    def do(self, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """``act`` inside the lieu's application."""
        with self.app.app_context():
            return act(*arguments, **named)

    def join(self, url: str) -> Any:
        return self.do(joining.join, self.cast.manager.actor(), url)

    def close(self, **named: Any) -> MonthlyReturn:
        return self.do(closing.close, SYSTEM, NOVEMBER, **named)

    def work(self) -> int:
        """Whatever is due in the outbox."""
        return self.do(outbox.run_due)

    def rows(self, model: type[Any], *order: Any) -> list[Any]:
        with self.app.app_context():
            return list(db.session.scalars(db.select(model).order_by(*order)))


@pytest.fixture
def here(app: Flask, place: factories.Place, cast: factories.Cast, clock: Any) -> Here:
    """The lieu on 1 December: in November Anne booked four mornings and came."""
    with app.app_context():
        clock.set(datetime(2026, 11, 9, 8, tzinfo=PARIS))
        for day in (12, 13, 16, 26):
            services.book_half_days(cast.member.actor(), date(2026, 11, day), frozenset({"am"}))
        for day in (12, 13, 16, 26):
            clock.set(datetime(2026, 11, day, 9, tzinfo=PARIS))
            presence.arrive(cast.member.actor())
        clock.set(datetime(2026, 12, 1, 10, tzinfo=PARIS))
    return Here(app, cast)


@pytest.fixture
def joined(here: Here, head: Head) -> Here:
    """The lieu after it joined the head's network."""
    here.join(head.link(head.add()))
    return here


def signed(app: Flask, document: dict[str, Any], *, aud: str, typ: str = protocol.RETURN, **changes: Any) -> str:
    """``document`` as the lieu of ``app`` would sign it for the head ``aud``; ``changes`` go into the payload."""
    with app.app_context():
        return protocol.sign({"aud": aud, "iat": 1_796_000_000, "return": document} | changes, typ, signing_key())


def lieu_id(app: Flask) -> str:
    with app.app_context():
        return spaces.lieu().uuid
