"""A host books for someone who would pay first: she chooses, in two taps, and the person gets a link and a code."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Adhesion, Subscription
from coworking.pricing.models import Sale
from coworking.spaces.calendar import lock_lieu
from tests import factories
from tests.booking.held import ask_first as ask_rooms_first
from tests.membership.first import ask_first
from tests.support import emails as golden


@pytest.fixture
def plan(app, billing_lieu, gateway):
    with app.app_context():
        factories.make_tariff()
        ask_rooms_first()
        ask_first()
        with write_unit():
            lock_lieu().is_simulation = True
        return factories.make_plan("Mi-temps", cents=6000, halfdays=10).public_id


@pytest.fixture
def room(billing_lieu, plan) -> dict[str, str]:
    """Durolle on Thursday from 9 to 11, for Lise."""
    return {
        "person": billing_lieu.cast.stranger.public_id,
        "resource": billing_lieu.place.rooms[0].public_id,
        "day": "2026-11-26",
        "from": "09:00",
        "to": "11:00",
    }


def bookings(app) -> list[str]:
    with app.app_context():
        return list(
            db.session.scalars(select(Booking.status).where(Booking.title.is_(None)).order_by(Booking.id.desc()))
        )


def count(app, model) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_without_a_day_the_error_stands_at_the_days_and_a_room_is_one_tap_away(room, billing_lieu, sign_in):
    host, who = sign_in(billing_lieu.cast.host), billing_lieu.cast.member.public_id
    refused = host.post("/for-someone", data={"person": who})
    said = refused.get_data(as_text=True)
    assert refused.status_code == 422 and 'id="when-err"' in said and "Choisissez une demi-journée" in said
    assert re.search(r'name="when"\s+value="[^"]+" autofocus', said)
    link = re.search(rf'href="(/for-someone\?person={who}&amp;resource=[^"]+)"', said)[1].replace("&amp;", "&")
    shown = host.get(link).get_data(as_text=True)
    assert 'name="resource"' in shown and 'name="from"' in shown


def test_the_first_tap_asks_and_stores_nothing(app, room, billing_lieu, sign_in):
    host = sign_in(billing_lieu.cast.host)
    before = len(bookings(app))
    newcomer = {"first_name": "Zoé", "last_name": "Neuve"}
    answer = host.post("/for-someone", data={**room, "person": "", **newcomer})
    said = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "Demander à payer d’abord" in said and "Réserver, sur la facture" in said
    assert "30,00" in said and 'value="Zoé"' in said
    assert len(bookings(app)) == before
    with app.app_context():
        assert db.session.scalars(select(Person).where(Person.first_name == "Zoé")).all() == []


def test_asked_for_first_it_is_held_and_the_link_goes_out(app, room, billing_lieu, sign_in, clock):
    host = sign_in(billing_lieu.cast.host)
    answer = host.post("/for-someone", data={**room, "pay": "first"})
    assert answer.status_code == 303 and bookings(app)[0] == "held"
    with app.app_context():
        sale = db.session.scalars(select(Sale)).one()
        assert sale.expires_at - clock.now == (sale.expires_at - clock.now).__class__(hours=2)
    page = host.get(answer.location).get_data(as_text=True)
    assert "data:image/svg" in page and "12" in page and "30,00" in page
    assert sign_in(billing_lieu.cast.member).get(answer.location).status_code == 403


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_link_in_the_email_opens_the_page_without_an_account(
    app, room, billing_lieu, sign_in, mailbox, run_outbox, language
):
    with app.app_context(), write_unit():
        db.session.get_one(Person, billing_lieu.cast.stranger.id).locale = language
    sign_in(billing_lieu.cast.host).post("/for-someone", data={**room, "pay": "first"})
    run_outbox()
    golden.check(mailbox()[-1], "billing/asked")
    link = re.search(r"/pay/first/\S+", golden.plain(mailbox()[-1]))
    page = app.test_client().get(link[0]).get_data(as_text=True)
    assert "30,00" in page and "gateway" in page


def test_now_on_the_invoice_is_as_ever(app, room, billing_lieu, sign_in, mailbox, run_outbox):
    answer = sign_in(billing_lieu.cast.host).post("/for-someone", data={**room, "pay": "later"})
    assert answer.status_code == 303 and bookings(app)[0] == "confirmed"
    assert count(app, Sale) == 0


def test_what_nobody_pays_first_is_not_asked_about(app, room, billing_lieu, sign_in):
    with app.app_context():
        ask_rooms_first(pay_first_rooms="nobody")
    assert sign_in(billing_lieu.cast.host).post("/for-someone", data=room).status_code == 303
    assert bookings(app)[0] == "confirmed"


def test_what_begins_soon_is_kept_until_it_begins(app, room, billing_lieu, sign_in, clock):
    soon = {**room, "day": "2026-11-24", "from": "11:30", "to": "12:30", "pay": "first"}
    sign_in(billing_lieu.cast.host).post("/for-someone", data=soon)
    with app.app_context():
        sale = db.session.scalars(select(Sale)).one()
        assert sale.expires_at.isoformat() == "2026-11-24T10:30:00+00:00"


def test_a_manager_asks_for_a_plan_and_an_adhesion(app, plan, billing_lieu, sign_in, run_outbox, mailbox):
    manager = sign_in(billing_lieu.cast.manager)
    path = f"/people/{billing_lieu.cast.stranger.public_id}/membership"
    assert "Demander le premier mois maintenant" in manager.get(path).get_data(as_text=True)
    for what, data in (
        ("plan", {"plan": plan, "from": "next"}),
        ("adhesion", {"valid_from": "2026-11-24", "cents": "15"}),
    ):
        answer = manager.post(f"{path}/{what}", data={**data, "ask": "1"})
        assert answer.status_code == 303 and "/asked/" in answer.location
    assert (count(app, Subscription), count(app, Adhesion), count(app, Sale)) == (0, 0, 2)
    run_outbox()
    assert len(mailbox()) == 2
    manager.post(f"{path}/plan", data={"plan": plan, "from": "next"})
    assert count(app, Subscription) == 1
