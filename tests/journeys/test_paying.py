"""From a booking without a plan to money that arrived, over HTTP, with real processes: web, worker and beat of a lieu, an
SMTP server, and our double of Stripe. October is paid by card from the e-mail, November by a debit that nobody tells of.
A room and the year's adhesion are paid first, and a payment that comes when the room is gone goes back by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from sqlalchemy import func, select

from coworking.billing import services as billing
from coworking.core import checks
from coworking.core.clock import running_on
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import MembershipSettings
from coworking.pricing.models import Sale
from coworking.spaces.calendar import lock_lieu
from coworking.spaces.queries import resources
from tests import factories
from tests.conftest import make_app
from tests.journeys.world import at, email_to, plain, restart_beat, signed_in, soon, text_of
from tests.support import redis
from tests.support.processes import Browser, Clock, Instance, instance
from tests.support.redis import free_port
from tests.support.smtp import Sink
from tests.support.stripe import SECRET_KEY, WEBHOOK_SECRET, RunningDouble, running_double

BROKERS = {"files": "sqlite", "redis": "postgresql"}
TUESDAY, SECOND = date(2026, 10, 13), date(2026, 11, 2)
THIRD, TENTH, FOURTH = date(2026, 11, 3), date(2026, 11, 10), date(2026, 12, 4)
CARD = {"means": "card", "expiry": "12 / 30", "cvc": "123"}


@dataclass(slots=True)
class World:
    """The lieu, which is running, its clock, its e-mails, and Stripe."""

    lieu: Instance
    clock: Clock
    smtp: Sink
    stripe: RunningDouble

    def go(self, instant: datetime) -> None:
        """Let time pass until ``instant``; then beat looks at what has become due."""
        self.clock.set(instant)
        restart_beat(self.lieu)


@pytest.fixture(params=BROKERS)
def world(request, databases, tmp_path: Path, smtp: Sink) -> Iterator[World]:
    clock, port = Clock(tmp_path / "clock", at(TUESDAY, 8)), free_port()
    with ExitStack() as stack:
        database = databases(BROKERS[request.param])
        url = stack.enter_context(redis.running()) if request.param == "redis" else None
        stack.enter_context(running_on(clock.now))
        stripe = stack.enter_context(running_double(f"http://127.0.0.1:{port}/pay/notifications/stripe"))
        app = make_app(database, tmp_path / "lieu")
        with app.app_context():
            factories.make_place(desks=2, siret="73282932000074")
            factories.make_tariff()
            manager = factories.make_person("Olivier", "Fayolle", "manager@demo.example", "manager")
            factories.make_person("Anne", "Lorne", "anne@demo.example")
            with write_unit():
                lock_lieu().is_simulation = True
            billing.update_settings(manager.actor(), iban="FR7630006000011234567890189")
        keys = {
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": stripe.url,
        }
        lieu = stack.enter_context(
            instance(database, tmp_path / "lieu", redis=url, port=port, SMTP_URL=smtp.url, **keys, **clock.environ)
        )
        lieu.app = app
        lieu.web()
        lieu.worker()
        yield World(lieu, clock, smtp, stripe)


def the_link(world: World, number: str) -> str:
    """The path that the e-mail of an invoice gives to pay it."""
    said = text_of(email_to(world.smtp, "anne@demo.example", number, 90))
    found = re.search(r"/pay/\S+", said)
    assert found is not None, said
    return found[0]


def on_stripes_page(world: World, **typed: str) -> str:
    """Fill in the newest page of Stripe's; the page that it leads to."""
    page = f"{world.stripe.url}/c/pay/{world.stripe.double.session_ids()[0]}"
    with urlopen(page, urlencode(typed).encode(), timeout=30) as answer:
        return plain(answer.read().decode())


def uses_a_half_day(world: World, anne: Browser, day: date) -> None:
    world.go(at(day, 8))
    anne.post("/bookings", form="/week", day=str(day), half="am", payer="me", agreed="900")
    world.go(at(day, 9, 30))
    anne.post("/here", form="/week")


def test_from_a_booking_to_money_that_arrived(world: World) -> None:
    anne, manager = (signed_in(world.lieu, f"{name}@demo.example") for name in ("anne", "manager"))
    uses_a_half_day(world, anne, TUESDAY)

    world.go(at(SECOND, 10))
    manager.post("/invoices/month/2026-10/run", form="/invoices/month/2026-10")
    link = the_link(world, "F2026-0001")
    nobody = world.lieu.browser()
    assert "Payer 9,00 €" in plain(nobody.get(link))
    nobody.post(link, gateway="stripe")
    with pytest.raises(HTTPError, match="422"):
        on_stripes_page(world, number="4000000000000002", **CARD)  # declined
    assert "Votre paiement de 9,00 € est arrivé" in on_stripes_page(world, number="4242424242424242", **CARD)
    assert "Rien à payer" in plain(nobody.get(link))
    assert "payée" in anne.get("/invoices/mine")

    uses_a_half_day(world, anne, TENTH)
    world.go(at(FOURTH, 10))
    manager.post("/invoices/month/2026-11/run", form="/invoices/month/2026-11")
    link = the_link(world, "F2026-0002")
    nobody.post(link, gateway="stripe")
    world.stripe.double.notifications.lose()
    session = world.stripe.double.session_ids()[0]
    world.stripe.double.pay_by_debit(session)
    assert "Payer 9,00 €" in plain(nobody.get(link)), "nobody came back, and nothing was told"
    world.go(at(FOURTH, 10, 45))
    assert soon(lambda: "Paiement en cours" in plain(nobody.get(link))), "our own look found the debit"
    world.stripe.double.settle_debit(session, ok=True)
    world.go(at(FOURTH, 14))
    assert soon(lambda: "Rien à payer" in plain(nobody.get(link)))

    # A part is taken back and refunded; then the bank wants the rest back, which nobody tells, and gets it.
    number = manager.get("/invoices?state=paid")
    invoice = re.search(r'href="(/invoices/[0-9a-z]{16})"[^>]*>F2026-0002', number)
    assert invoice is not None
    manager.post(f"{invoice[1]}/credit", form=f"{invoice[1]}/credit", **{"reason": "Chauffage en panne", "line-0": "3"})
    assert "3,00 € sont à rembourser à Anne Lorne" in plain(manager.get("/today"))
    manager.post(f"{invoice[1]}/refund", form=invoice[1], refund_cents="3,00", given_by="gateway")
    assert soon(lambda: "Remboursé" in plain(manager.get(invoice[1])))
    assert "3,00" in text_of(email_to(world.smtp, "anne@demo.example", "remboursement", 90))
    intent = world.stripe.double.intent_ids()[0]
    world.stripe.double.dispute(intent, reason="insufficient_funds")
    world.go(at(FOURTH, 23))
    manager.post(f"{invoice[1]}/ask", form=invoice[1])
    assert "Repris par la banque" in plain(manager.get(invoice[1]))
    assert "Payer 6,00 €" in plain(nobody.get(link))

    with world.lieu.app.app_context():
        assert [found for one, found in checks.run() if one.promise == 3 and found] == []


def test_a_saved_card_pays_the_month_until_it_is_withdrawn(world: World) -> None:
    anne, manager = (signed_in(world.lieu, f"{name}@demo.example") for name in ("anne", "manager"))
    uses_a_half_day(world, anne, TUESDAY)
    anne.post("/means", form="/means", payer="me", agrees="1")
    on_stripes_page(world, number="4000002500003155", **CARD)  # the bank asks first
    world.stripe.double.answer_authentication(world.stripe.double.session_ids()[0], True)
    assert soon(lambda: "Carte Visa finissant par 3155" in plain(anne.get("/means")))

    world.go(at(SECOND, 10))
    manager.post("/invoices/month/2026-10/run", form="/invoices/month/2026-10")
    said = text_of(email_to(world.smtp, "anne@demo.example", "F2026-0001", 90))
    assert "Vous n’avez rien à faire" in said and "3 novembre" in said
    assert "9,00 € à payer" in plain(anne.get("/invoices/mine")) and "3 novembre" in plain(anne.get("/me"))
    world.go(at(SECOND, 18))
    assert world.stripe.double.intent_ids() == []
    world.go(at(THIRD, 10))
    assert soon(lambda: "payée" in anne.get("/invoices/mine"))
    email_to(world.smtp, "anne@demo.example", "9,00.*est arrivé")
    assert len(world.stripe.double.intent_ids()) == 1

    found = re.search(r"/means/(\w+)/withdraw", anne.get("/means"))
    assert found is not None
    anne.post(found[0], form=found[0])
    assert soon(lambda: len(world.stripe.double.events("payment_method.detached")) == 1)

    with world.lieu.app.app_context():
        assert [found for one, found in checks.run() if one.promise == 3 and found] == []


def asks_first(world: World) -> str:
    """Rooms are paid first by everyone, and the adhesion too; the public id of a room."""
    with world.lieu.app.app_context():
        factories.make_person("Karim", "Benali", "karim@demo.example")
        with write_unit():
            lieu = lock_lieu()
            lieu.pay_first_rooms, lieu.pay_first_membership = "everyone", True
            db.session.add(MembershipSettings(id=1, adhesion_cents=2000, adhesion_vat="out_of_scope"))
        return resources("room")[0].public_id


def holds(browser: Browser, room: str) -> str:
    """The path of the page where the room is paid, from two to four in the afternoon."""
    path = f"/rooms/{room}/book"
    slot = {"day": str(TUESDAY), "from": "14:00", "to": "16:00", "agreed": "3000"}
    found = re.search(r'action="(/bookings/\w+/pay)"', browser.post(path, form=f"{path}?day={TUESDAY}", **slot))
    assert found is not None
    return found[1]


def nothing_waits(world: World) -> bool:
    """Whether no sale is open any more."""
    with world.lieu.app.app_context():
        return db.session.scalar(select(func.count()).select_from(Sale).where(Sale.state == "open")) == 0


def test_what_is_paid_first_and_money_that_comes_too_late(world: World) -> None:
    room = asks_first(world)
    anne, karim, manager = (signed_in(world.lieu, f"{name}@demo.example") for name in ("anne", "karim", "manager"))

    # Anne lets her time go by: the worker ends the page, and the room is free again.
    page = holds(anne, room)
    anne.post(page, gateway="stripe")
    ended = world.stripe.double.session_ids()[0]
    world.go(at(TUESDAY, 8, 20))
    assert soon(lambda: nothing_waits(world))
    assert "de nouveau libre" in plain(anne.get(page))
    assert len(world.stripe.double.events("checkout.session.expired")) == 1

    # She books again. Nobody can end her page this time, and she pays on it when Karim has the room.
    page = holds(anne, room)
    anne.post(page, gateway="stripe")
    session = world.stripe.double.session_ids()[0]
    assert session != ended
    world.stripe.double.faults.answer_next(100, 503, "{}", what=f"POST /v1/checkout/sessions/{session}/expire")
    world.go(at(TUESDAY, 8, 50))
    assert soon(lambda: nothing_waits(world), 60)
    others = holds(karim, room)
    world.stripe.double.faults.clear()
    world.stripe.double.pay_by_card(session)
    said = text_of(email_to(world.smtp, "anne@demo.example", "trop tard", 90))
    assert "Toute la somme vous sera rendue" in said.replace("toute", "Toute")
    assert soon(lambda: "a payé trop tard" not in plain(manager.get("/today")))
    assert soon(lambda: len(world.stripe.double.events("charge.refunded")) == 1)

    # Karim pays in time, and becomes a member of the association, which he is not before he has paid.
    karim.post(others, gateway="stripe")
    on_stripes_page(world, number="4242424242424242", **CARD)
    assert soon(lambda: "C’est réservé" in plain(karim.get(others)))
    karim.post("/me/adhesion", form="/me/plan", agreed="2000")
    assert "pas encore membre" in plain(karim.get("/me/plan"))
    found = re.search(r'href="(/to-pay/\w+)"', karim.get("/me"))
    assert found is not None
    karim.post(found[1], gateway="stripe")
    on_stripes_page(world, number="4242424242424242", **CARD)
    assert soon(lambda: "Vous êtes membre" in plain(karim.get(found[1])))
    email_to(world.smtp, "karim@demo.example", "F2026-0002", 90)
    assert "payée" in karim.get("/invoices/mine")

    with world.lieu.app.app_context():
        assert [found for one, found in checks.run() if one.promise in (1, 3) and found] == []
