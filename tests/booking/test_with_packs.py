"""A desk that is wanted with a pack which is paid first: booked by the payment, or told why not."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.with_packs import WantedDesk
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from coworking.membership import paying_first
from coworking.membership.models import Pack
from coworking.pricing.models import Sale
from coworking.spaces.models import Resource
from tests.factories import make_pack_offer, make_person, make_tariff
from tests.membership.first import ask_first, pay
from tests.support import emails as golden

FRIDAY = date(2026, 11, 27)
MORNING = frozenset({"am"})


@pytest.fixture
def offer(inside, place, cast, monkeypatch) -> str:
    """A pack that its buyer pays first."""
    monkeypatch.setattr("coworking.core.sales._asked", [lambda cents: cents > 0])
    make_tariff()
    ask_first()
    return make_pack_offer("Carnet de dix", units=10, cents=8000).public_id


def asks(person, offer: str, desk: str | None, halves=MORNING) -> Sale:
    wanted = WantedDesk(FRIDAY, halves, desk).written()
    return paying_first.sell_pack(person.actor(), offer, agreed_cents=8000, wanted=wanted)


def booked(person) -> list[tuple[str, str, str]]:
    """Each half-day of the person that counts: its desk, its half, and what pays for it."""
    end_read()
    bookings = db.session.scalars(select(Booking).where(Booking.person_id == person.id, Booking.status == "confirmed"))
    return [(unit.resource.public_id, unit.half, unit.quote.cover) for one in bookings.unique() for unit in one.units]


def desks() -> list[str]:
    return list(db.session.scalars(select(Resource.public_id).where(Resource.kind == "desk").order_by(Resource.id)))


def test_the_payment_books_the_desk_that_was_chosen_with_the_pack(offer, cast, run_outbox):
    chosen = desks()[3]
    sale = asks(cast.member, offer, chosen, frozenset({"am", "pm"}))
    run_outbox()
    assert booked(cast.member) == [] and db.session.query(Pack).count() == 0, "nothing before it is paid"
    assert pay(sale.public_id) and pay(sale.public_id)
    run_outbox()
    assert booked(cast.member) == [(chosen, "am", "pack"), (chosen, "pm", "pack")]
    assert db.session.query(Pack).count() == 1


def test_where_the_desk_is_taken_meanwhile_another_one_is_booked(offer, cast, run_outbox):
    chosen = desks()[3]
    sale = asks(cast.member, offer, chosen)
    services.book_half_days(cast.colleague.actor(), FRIDAY, MORNING, resource=chosen)
    pay(sale.public_id)
    run_outbox()
    ((desk, half, cover),) = booked(cast.member)
    assert desk != chosen and (half, cover) == ("am", "pack")


def test_who_booked_that_time_meanwhile_is_told_nothing(offer, cast, run_outbox, mailbox):
    sale = asks(cast.member, offer, None)
    services.book_half_days(cast.member.actor(), FRIDAY, MORNING)
    pay(sale.public_id)
    run_outbox()
    assert len(booked(cast.member)) == 1
    assert not [one for one in mailbox() if one["Subject"].startswith("Pas de poste")]


def test_where_nothing_is_free_the_pack_stays_whole_and_its_owner_hears_so(offer, cast, run_outbox, mailbox):
    told = {}
    for person, language in ((cast.member, "fr"), (cast.stranger, "en")):
        with write_unit():
            db.session.merge(person).locale = language
        told[language] = asks(person, offer, desks()[3])
    for number, desk in enumerate(desks()):
        other = make_person("Camille", "Roux", f"other{number}@demo.example")
        services.book_half_days(other.actor(), FRIDAY, MORNING, resource=desk)
    for sale in told.values():
        pay(sale.public_id)
    run_outbox()
    emails = [one for one in mailbox() if one["Subject"].startswith(("No desk", "Pas de poste"))]
    assert len(emails) == 2
    for email in emails:
        golden.check(email, "booking/not_booked")
    assert booked(cast.member) == booked(cast.stranger) == []
    assert db.session.query(Pack).count() == 2


def test_what_is_wanted_is_another_sale_and_goes_with_it(offer, cast, run_outbox):
    first, again = asks(cast.member, offer, None), asks(cast.member, offer, None)
    assert first.public_id == again.public_id, "a second tap"
    plain = paying_first.sell_pack(cast.member.actor(), offer, agreed_cents=8000)
    assert plain.public_id != first.public_id
    pay(plain.public_id)
    run_outbox()
    assert booked(cast.member) == [] and db.session.query(Pack).count() == 1
