"""Many half-days at once on one allowance: it covers as many as it holds and not one more.

Each thread asks for a desk and a day of its own, so that nothing but the allowance makes them meet.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.booking import services
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.units import write_unit
from coworking.membership.allowance_queries import USED
from coworking.membership.models import LedgerEntry
from coworking.pricing.models import Quote
from coworking.spaces.models import Resource
from tests.factories import make_agreement, make_cast, make_person, make_place, make_subscription, make_tariff
from tests.support.threads import at_once

THREADS = 8
MONDAY = date(2026, 12, 7)
HALVES = ["am", "pm"] * 4
DAYS = [MONDAY + timedelta(days=n) for n in (0, 1, 2, 3, 4, 7, 8, 9)]


def book(app: Flask, person: Person, day: date, half: str, desk: Resource) -> str:
    """Book, and say what covered it or why it was refused."""
    with app.app_context():
        try:
            made = services.book_half_days(person.actor(), day, frozenset({half}), resource=desk.public_id)
        except DomainError as refusal:
            return refusal.code
        cover = db.session.scalar(select(Quote.cover).where(Quote.id == made.units[0].quote_id))
        assert cover is not None
        return cover


@pytest.fixture
def desks(app):
    """A desk for each thread."""
    with app.app_context():
        return make_place(desks=THREADS).desks


@pytest.fixture
def priced(app, desks, cast):
    with app.app_context():
        make_tariff()
    return cast


def used(app: Flask) -> list[int]:
    """What the ledger counts, per person, allowance and month."""
    with app.app_context():
        grouped = (LedgerEntry.person_id, LedgerEntry.agreement_id, LedgerEntry.subscription_id, LedgerEntry.month)
        return sorted(db.session.scalars(select(USED).group_by(*grouped)))


def test_two_bookings_after_the_last_half_day_are_covered_once(app, priced, desks):
    with app.app_context():
        make_subscription(priced.member, halfdays=1)
    for first in (date(2026, 12, 7), date(2027, 1, 11), date(2027, 2, 8)):
        two = [partial(book, app, priced.member, first + timedelta(days=n), "am", desks[n]) for n in (0, 1)]
        assert sorted(at_once(two)) == ["subscription", "tariff"]
    assert used(app) == [1, 1, 1]


@pytest.mark.parametrize("beyond", ["refuse", "person"])
def test_an_employer_never_pays_for_more_than_was_agreed(app, priced, desks, beyond):
    with app.app_context():
        make_agreement(halfdays=3, beyond=beyond)
    told = Counter(
        at_once([partial(book, app, priced.member, *wanted) for wanted in zip(DAYS, HALVES, desks, strict=True)])
    )
    assert told == {"agreement": 3, {"refuse": "agreement_exhausted", "person": "tariff"}[beyond]: THREADS - 3}
    assert used(app) == [3]


def test_each_employee_has_an_allowance_of_their_own(app, priced, desks):
    with app.app_context():
        make_agreement(halfdays=2, beyond="person")
    people = [priced.member, priced.colleague] * (THREADS // 2)
    every = zip(people, DAYS, HALVES, desks, strict=True)
    told = Counter(at_once([partial(book, app, *wanted) for wanted in every]))
    assert told == {"agreement": 4, "tariff": 4}
    assert used(app) == [2, 2]


def test_cancelling_and_booking_at_once_keeps_the_count_of_used_half_days_right(app, priced, desks):
    """Eight at once: half cancel what they have, half book more; the count is what is live."""
    with app.app_context():
        make_agreement(halfdays=4, beyond="refuse")
        actor = priced.member.actor()
        mine = [services.book_half_days(actor, day, frozenset({"am"})).public_id for day in DAYS[:4]]

    def cancel(public_id: str) -> str:
        with app.app_context():
            services.cancel(priced.member.actor(), public_id)
            return "cancelled"

    others = [partial(book, app, priced.member, day, "pm", desks[n]) for n, day in enumerate(DAYS[4:])]
    told = Counter(at_once([*(partial(cancel, public_id) for public_id in mine), *others]))
    assert told["cancelled"] == 4
    assert set(told) <= {"cancelled", "agreement", "agreement_exhausted"}
    with app.app_context():
        live = db.session.scalar(select(func.count()).where(Quote.state == "live", Quote.cover == "agreement"))
    assert sum(used(app)) == live == told["agreement"] <= 4


@pytest.mark.parametrize("beyond", ["refuse", "person"])
def test_sixteen_colleagues_never_spend_more_than_their_employer_s_cap_for_all(app, beyond):
    """Different people on different desks and days: only the employer's money makes them meet."""
    with app.app_context():
        desks = make_place(desks=16).desks
    with app.app_context():
        make_tariff()
        make_cast()
        make_agreement(cap_cents=3000, cap_of="organisation", share_bp=7000, beyond=beyond)
        employer = db.session.scalars(select(Organisation).order_by(Organisation.id)).one()
        made = [make_person("Sixte", f"N{n}", f"sixte{n}@example.org").id for n in range(16)]
        with write_unit():
            for person_id in made:
                db.session.add(
                    OrganisationMember(organisation_id=employer.id, person_id=person_id, since=date(2020, 1, 1))
                )
        people = list(db.session.scalars(select(Person).where(Person.id.in_(made))).unique())
    days = [DAYS[n % len(DAYS)] for n in range(16)]
    told = Counter(at_once([partial(book, app, *one) for one in zip(people, days, ["am"] * 16, desks, strict=True)]))
    with app.app_context():
        paid = list(db.session.scalars(select(Quote.amount_cents).where(Quote.cover == "agreement")))
    if beyond == "refuse":  # 630 each: four fit into 3000, and nobody is paid for in part
        assert (told, sorted(paid)) == ({"agreement": 4, "agreement_cap_reached": 12}, [630] * 4)
    else:
        assert (told, sorted(paid)) == ({"agreement": 5, "tariff": 11}, [480, *[630] * 4])
