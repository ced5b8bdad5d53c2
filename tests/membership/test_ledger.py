"""Someone books, cancels, undoes and moves at random, while an oracle counts beside the ledger."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.booking import services
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.months import month_of
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.membership.models import LedgerEntry
from coworking.membership.queries import USED
from coworking.pricing.models import Quote
from tests.factories import LONG_AGO, make_agreement, make_cast, make_person, make_place, make_subscription, make_tariff

DAYS = [date(2026, 11, 26), date(2026, 11, 27), date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2)]
_numbers = count()

days, halves = st.sampled_from(DAYS), st.sampled_from(["am", "pm"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("book"), days, halves, st.sampled_from([None, "me", "employer"])),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
        st.tuples(st.just("move"), st.integers(0, 9), days, halves),
    ),
    max_size=14,
)


@pytest.fixture
def lieu(inside):
    """A lieu with room for everyone and an employer, in which each example brings a person of its own."""
    make_place(desks=150)
    make_cast()
    make_tariff()
    return inside


def hours(day: date, half: str) -> Span:
    start = datetime(day.year, day.month, day.day, 8 if half == "am" else 12, tzinfo=UTC)
    return Span(start, start + timedelta(hours=4 if half == "am" else 5))


def newcomer(limit: int, own: int, beyond: str) -> tuple[Any, int]:
    """Someone with an employer of their own and a plan, and the agreement's id."""
    number = next(_numbers)
    person = make_person("Membre", f"N{number}", f"ledger{number}@demo.example")
    with write_unit():
        employer = Organisation(name=f"Atelier {number}")
        db.session.add(employer)
        db.session.flush()
        db.session.add(OrganisationMember(organisation_id=employer.id, person_id=person.id, since=LONG_AGO))
    agreement = make_agreement(employer, halfdays=limit, beyond=beyond)
    make_subscription(person, halfdays=own)
    return person, agreement.id


def expected_cover(
    payer: str | None, used: Counter[tuple[str, date]], month: date, limits: dict[str, int], beyond: str
):
    """What the rule says, said again from scratch: the cover, or None for a refusal."""
    if payer != "me":
        if used["agreement", month] < limits["agreement"]:
            return "agreement"
        if beyond == "refuse":
            return None
    return "subscription" if used["subscription", month] < limits["subscription"] else "tariff"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, limit=st.integers(1, 3), own=st.integers(1, 3), beyond=st.sampled_from(["refuse", "person"]))
def test_whatever_one_does_the_ledger_counts_what_is_held(lieu, steps, limit, own, beyond):
    person, _ = newcomer(limit, own, beyond)
    limits = {"agreement": limit, "subscription": own}
    bookings: list[str] = []
    held: dict[str, tuple[str, date]] = {}  # what each live booking draws on: the oracle's own memory
    cancelled: dict[str, tuple[str, date]] = {}
    for step in steps:
        used = Counter(held.values())
        try:
            match step:
                case ("book", day, half, payer):
                    expected = expected_cover(payer, used, month_of(day), limits, beyond)
                    made = services.book_half_days(person.actor(), day, frozenset({half}), payer=payer)
                    assert expected == made.units[0].quote.cover
                    bookings.append(made.public_id)
                    held[made.public_id] = (expected, month_of(day))
                case ("cancel", n) if bookings:
                    public_id = bookings[n % len(bookings)]
                    services.cancel(person.actor(), public_id)
                    if public_id in held:
                        cancelled[public_id] = held.pop(public_id)
                case ("undo", n) if bookings:
                    public_id = bookings[n % len(bookings)]
                    services.undo_cancel(person.actor(), public_id)
                    if public_id in cancelled:
                        held[public_id] = cancelled.pop(public_id)
                case ("move", n, day, half) if bookings:
                    public_id = bookings[n % len(bookings)]
                    moved = services.move(person.actor(), public_id, span=hours(day, half))
                    held[public_id] = (moved.units[0].quote.cover, month_of(day))
                case _:
                    continue
        except DomainError:
            db.session.rollback()
        _check(person.id, held, limits)


def _check(person_id: int, held: dict[str, tuple[str, date]], limits: dict[str, int]) -> None:
    rows = db.session.execute(
        select(LedgerEntry.agreement_id, LedgerEntry.month, USED)
        .where(LedgerEntry.person_id == person_id)
        .group_by(LedgerEntry.agreement_id, LedgerEntry.subscription_id, LedgerEntry.month)
    )
    counted = {
        ("agreement" if agreement is not None else "subscription", month): used for agreement, month, used in rows
    }
    oracle = Counter(entry for entry in held.values() if entry[0] in limits)
    assert {key: used for key, used in counted.items() if used} == dict(oracle)
    assert all(0 <= used <= limits[kind] for (kind, _), used in counted.items())
    live = select(Quote.cover, Quote.day).where(Quote.person_id == person_id, Quote.state == "live")
    assert Counter((cover, month_of(day)) for cover, day in db.session.execute(live)) == Counter(held.values())
    db.session.rollback()
