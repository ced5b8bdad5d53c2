"""The day rate as people read it: before a tap, beside the button that gives a half-day up, on the public page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.booking import services
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.pricing.models import Quote
from tests import factories

pytestmark = pytest.mark.once

THURSDAY = date(2026, 11, 26)
MORNING, AFTERNOON, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})
SAVED = "payé par vous. Tarif à la journée\u202f: 3,00\u00a0€ de moins."


@pytest.fixture
def lieu(app: Flask, place, cast):
    """A half-day costs 9 €, a day 15 €."""
    with app.app_context():
        factories.make_tariff(day=1500)
    return cast


@pytest.fixture
def book(app: Flask) -> Callable[..., str]:
    def booked(person: Person, halves: frozenset, **more: object) -> str:
        with app.app_context():
            return services.book_half_days(person.actor(), THURSDAY, halves, **more).public_id

    return booked


def owed(app: Flask) -> list[int]:
    with app.app_context():
        return list(
            db.session.scalars(select(Quote.amount_cents).where(Quote.state != "released").order_by(Quote.half))
        )


def plain(page: str) -> str:
    return re.sub(r"[ \n]+", " ", page)


def test_the_sheet_says_what_the_day_rate_saves(app, lieu, sign_in, book):
    browser = sign_in(lieu.stranger)
    whole = plain(browser.post("/bookings", data={"day": "2026-11-26", "half": "day"}).text)
    assert (
        "15,00\u00a0€, sur la facture de novembre 2026, payé par vous. Tarif à la journée\u202f: 3,00\u00a0€ de moins."
        in whole
    )
    book(lieu.stranger, MORNING)
    rest = plain(browser.post("/bookings", data={"day": "2026-11-26", "half": "pm"}).text)
    assert (
        "6,00\u00a0€, sur la facture de novembre 2026, payé par vous. Tarif à la journée\u202f: 3,00\u00a0€ de moins."
        in rest
    )


def test_the_booking_says_what_giving_it_up_does_to_the_other_half(app, lieu, sign_in, book):
    morning, afternoon = book(lieu.stranger, MORNING), book(lieu.stranger, AFTERNOON)
    said = "Votre après-midi coûtera 9,00\u00a0€ au lieu de 6,00\u00a0€, sans le tarif à la journée."
    browser = sign_in(lieu.stranger)
    assert said in plain(browser.get(f"/bookings/{morning}").text)
    assert "sans le tarif" not in browser.get(f"/bookings/{afternoon}").text
    assert "Tarif à la journée\u202f: 3,00\u00a0€ de moins." in plain(browser.get(f"/bookings/{afternoon}").text)
    host = plain(sign_in(lieu.host).get(f"/bookings/{morning}").text)
    assert "L’autre demi-journée de ce jour coûtera plus cher" in host
    assert "€" not in host.split("L’autre demi-journée")[1].split("</p>")[0]
    with app.app_context(), write_unit():
        db.session.get_one(Person, lieu.stranger.id).locale = "en"
    english = plain(sign_in(lieu.stranger).get(f"/bookings/{morning}").text)
    assert "Your afternoon will cost €9.00 instead of €6.00, without the day rate." in english


def test_the_sheet_of_a_payer_says_it_too(app, lieu, sign_in, book):
    with app.app_context():
        factories.make_agreement()
    morning = book(lieu.member, MORNING)
    afternoon = book(lieu.member, AFTERNOON)
    assert "de moins" not in plain(sign_in(lieu.member).get(f"/bookings/{afternoon}").text), "she pays nothing"
    sheet = plain(sign_in(lieu.member).get(f"/bookings/{morning}/payer").text)
    assert "Votre après-midi coûtera 9,00\u00a0€ au lieu de 6,00\u00a0€" in sheet


def test_too_late_to_cancel_nothing_is_said_of_it(app, lieu, sign_in, clock, book):
    morning = book(lieu.stranger, MORNING)
    book(lieu.stranger, AFTERNOON)
    clock.advance(days=1, hours=10)
    assert "sans le tarif" not in sign_in(lieu.stranger).get(f"/bookings/{morning}").text


def test_a_manager_sets_it_and_the_public_page_shows_it(app, lieu, client, sign_in, book):
    browser = sign_in(lieu.manager)
    typed = {"valid_from": "2026-11-24", "desk": "9", "room": "15"}
    for wrong in ("8,99", "18,01", "beaucoup"):
        assert browser.post("/settings/prices", data={**typed, "desk-day": wrong}).status_code == 422
    assert browser.post("/settings/prices", data={**typed, "desk-day": "16"}).status_code == 303
    page = plain(browser.get("/settings/prices").text)
    assert "Un poste, la journée</dt><dd>16,00" in page.replace(" </dt>", "</dt>").replace("</dt> <dd>", "</dt><dd>")
    assert "16,00" in client.get("/").text
    assert browser.post("/settings/prices", data={**typed, "desk-day": "18"}).status_code == 303
    assert "18,00" in client.get("/").text
    book(lieu.stranger, DAY)
    assert owed(app) == [900, 900]


def test_a_desk_of_its_own_price_has_a_day_of_its_own(app, lieu, place, sign_in, book):
    desk = place.desks[0].public_id
    typed = {"valid_from": "2026-11-24", "desk": "9", f"r-{desk}": "12", f"r-{desk}-day": "20"}
    assert sign_in(lieu.manager).post("/settings/prices", data=typed).status_code == 303
    book(lieu.stranger, DAY, resource=desk)
    assert owed(app) == [1200, 800]
