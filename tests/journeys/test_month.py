"""The main job end to end, over HTTP, with real processes: web, worker and beat of a lieu, an SMTP server, and a second
instance as the network head. Two months go by; each time the clock jumps, beat is started anew, as after a night.

Everything that the people of the story do, they do on the pages; only the place itself is laid out beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import rfc8785
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.core.clock import running_on
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.network.head import enrolment
from coworking.network.head.filing import columns_of
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from coworking.network.lieu.models import Delivery
from coworking.statistics.schema import blank, canonical, digest, filled
from tests import factories
from tests.conftest import make_app
from tests.journeys.world import at, email_to, plain, restart_beat, signed_in, soon, text_of
from tests.support import redis
from tests.support.processes import Browser, Clock, Instance, instance
from tests.support.smtp import Sink

PASSWORD = "un-matin-au-calme"
BROKERS = {"files": "sqlite", "redis": "postgresql"}


MONDAY = date(2026, 10, 5)
TUESDAY = date(2026, 10, 13)
THURSDAY = date(2026, 10, 15)
SECOND = date(2026, 11, 2)
FIFTH = date(2026, 11, 5)

OFFERED = 2 * (22 * 2 + 5)
"""Half-days of October 2026 at two desks: 22 weekdays from 9 to 18 h and five Saturdays from 9 to 13 h."""


@dataclass(slots=True)
class World:
    """The lieu and the head, both running, and the clock they share."""

    lieu: Instance
    head: Instance
    clock: Clock
    smtp: Sink

    def go(self, instant: datetime) -> None:
        """Let time pass until ``instant``; then beat looks at what has become due."""
        self.clock.set(instant)
        for one in (self.lieu, self.head):
            restart_beat(one)

    def email(self, to: str, subject: str, seconds: float = 60) -> EmailMessage:
        return email_to(self.smtp, to, subject, seconds)


@pytest.fixture(params=BROKERS)
def world(request, databases, tmp_path: Path, smtp: Sink) -> Iterator[World]:
    """Both instances on one engine, each with a database and a broker of its own."""
    clock = Clock(tmp_path / "clock", at(MONDAY, 10))
    with ExitStack() as stack:
        running: list[Instance] = []
        for name in ("lieu", "head"):
            database = databases(BROKERS[request.param])
            url = stack.enter_context(redis.running()) if request.param == "redis" else None
            app = make_app(database, tmp_path / name)
            with running_on(clock.now), app.app_context():
                factories.make_place(
                    desks=2,
                    name="La Fabrique du Pont" if name == "lieu" else "Fabrique du Livradois",
                    siret="73282932000074",
                )
                factories.make_person("Olivier", "Fayolle", "manager@demo.example", "manager")
                factories.make_person("Solène", "Vernet", "lead@demo.example", "lead")
            one = stack.enter_context(
                instance(database, tmp_path / name, redis=url, SMTP_URL=smtp.url, **clock.environ)
            )
            one.app = app
            one.web()
            one.worker()
            running.append(one)
        yield World(*running, clock, smtp)


def the_employer_and_the_prices(world: World, manager: Browser) -> None:
    """A tariff, a plan and an employer who pays for Tuesdays."""
    with running_on(world.clock.now), world.lieu.app.app_context():
        factories.make_tariff()
        factories.make_plan("Dix demi-journées", cents=6000, halfdays=10)
    page = manager.post(
        "/organisations/new",
        name="Coutellerie Durand SA",
        email="compta@durand.example",
        siren="732829320",
        address="12 avenue de la Gare",
        postcode="63000",
        city="Clermont-Ferrand",
    )
    employer = re.search(r"/organisations/(\w+)/members", page)
    assert employer is not None
    manager.post(
        f"/organisations/{employer[1]}/members",
        form=f"/organisations/{employer[1]}",
        person="anne@demo.example",
        since="2026-10-05",
    )
    manager.post(
        f"/organisations/{employer[1]}/agreements",
        form=f"/organisations/{employer[1]}",
        valid_from="2026-10-05",
        weekdays="1",
        beyond="person",
    )


def sign_up(world: World) -> Browser:
    browser = world.lieu.browser()
    browser.post("/sign-up", first_name="Anne", last_name="Lorne", email="anne@demo.example", password=PASSWORD)
    link = re.search(r"/confirm/\S+", text_of(world.email("anne@demo.example", "adresse|address")))
    assert link is not None
    browser.post(link[0])
    browser.post("/sign-in", email="anne@demo.example", password=PASSWORD, remember="on")
    return browser


def enrol(world: World, manager: Browser) -> None:
    """The head gives the lieu a link, its manager pastes it; another place is to come with six figures."""
    with running_on(world.clock.now), world.head.app.app_context():
        with write_unit():
            for name, way in (("La Fabrique du Pont", None), ("Le Relais", "link")):
                db.session.add(NetworkLieu(name=name, source="hand", way=way, expected_from=date(2026, 10, 1)))
        lead = db.session.scalars(select(Person).where(Person.email == "lead@demo.example")).unique().one().actor()
        invited = db.session.scalars(select(NetworkLieu.public_id).where(NetworkLieu.way.is_(None))).one()
        token = enrolment.invite(lead, invited, enrolment.JOIN)
    manager.post("/settings/network/join", form="/settings/network", url=f"{world.head.url}/network/join/{token}")


def other_sends(world: World, **told: int) -> None:
    """The other place's month, as its page of six figures would keep it."""
    six = {"open_days": 20, "distinct_people": 4, "workshop_participants": 0}
    six |= {f"desk_{name}_halfdays": value for name, value in told.items()}
    figures = filled(blank("without_software"), **six)
    with running_on(world.clock.now), world.head.app.app_context(), write_unit():
        lieu = db.session.scalars(select(NetworkLieu).where(NetworkLieu.way == "link")).one()
        document = {"lieu_id": "00000000-0000-4000-8000-000000000002", "figures": figures}
        db.session.add(
            ReceivedReturn(
                network_lieu_id=lieu.id,
                month=date(2026, 10, 1),
                revision=1,
                status="final",
                digest=digest(canonical(figures)),
                document=rfc8785.dumps(document).decode(),
                way="link",
                received_at=world.clock.now(),
                **columns_of(document),
            )
        )


def test_a_month_from_signing_up_to_the_lead(world: World) -> None:
    anne = sign_up(world)
    manager = signed_in(world.lieu, "manager@demo.example")
    the_employer_and_the_prices(world, manager)
    plan = re.search(r'href="(/me/plan/\w+)\?from=now"', anne.get("/me/plan"))
    assert plan is not None
    anne.post(plan[1], form=f"{plan[1]}?from=now", **{"from": "now"})

    anne.post("/bookings", form="/week", day=str(TUESDAY), half="day")
    anne.post("/bookings", form="/week", day=str(THURSDAY), half="am")
    week = anne.get(f"/week?from={TUESDAY}")
    assert "9" in week

    world.go(at(TUESDAY - timedelta(days=1), 18, 5))
    assert "13 octobre" in text_of(world.email("anne@demo.example", "^Demain"))
    world.go(at(TUESDAY, 9, 30))
    anne.post("/here", form="/week")
    world.go(at(THURSDAY, 9, 15))
    anne.post("/here", form="/week")

    world.go(at(SECOND, 10))
    issued = manager.post("/invoices/month/2026-10/run", form="/invoices/month/2026-10")
    mine, theirs = (world.email(to, "F2026", 90) for to in ("anne@demo.example", "compta@durand.example"))
    assert "120,00" in text_of(mine) and "18,00" in text_of(theirs), (text_of(mine), text_of(theirs))
    for email in (mine, theirs):
        (attached,) = email.iter_attachments()
        assert attached.get_content_type() == "application/pdf" and attached.get_content().startswith(b"%PDF")

    invoice = next(
        found
        for found in set(re.findall(r"/invoices/([a-z0-9]{16})", issued))
        if "120,00" in manager.get(f"/invoices/{found}")
    )
    manager.post(
        f"/invoices/{invoice}/payments",
        form=f"/invoices/{invoice}",
        cents="120,00",
        received_on=str(SECOND),
        method="transfer",
    )
    assert "payée" in anne.get(f"/invoices/{invoice}")

    enrol(world, manager)
    world.go(at(FIFTH, 9))
    lead = signed_in(world.head, "lead@demo.example")
    said = "1 lieu sur 2 a envoyé octobre"
    assert soon(lambda: said in plain(lead.get("/network?month=2026-10")), 90), plain(
        lead.get("/network?month=2026-10")
    )
    other_sends(world, offered=40, booked=20, attended=10)

    # By hand: 3 half-days booked and attended of OFFERED here, 20 booked and 10 attended of 40 there.
    booked = round(100 * (3 + 20) / (OFFERED + 40))
    attended = round(100 * (3 + 10) / (OFFERED + 40))
    page = plain(lead.get("/network?month=2026-10"))
    assert "2 lieux sur 2 ont envoyé octobre." in page
    assert f"{booked} % des demi-journées offertes ont été réservées ; {attended} % occupées, sur les 2 lieux" in page
    with world.lieu.app.app_context():
        sent = {(str(row.month), row.revision): row.state for row in db.session.scalars(select(Delivery))}
    # The months closed before joining went along.
    assert sent == {(f"2026-{month}-01", 1): "acknowledged" for month in ("08", "09", "10")}
