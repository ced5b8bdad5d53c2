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
from coworking.membership import checks
from coworking.membership.allowance_queries import USED
from coworking.membership.models import LedgerEntry
from coworking.membership.queries import packs_of
from coworking.pricing.models import Quote
from tests.factories import (
    LONG_AGO,
    make_agreement,
    make_cast,
    make_pack,
    make_person,
    make_place,
    make_subscription,
    make_tariff,
)

PACK_ENDS = [date(2026, 11, 30), date(2026, 12, 31)]
"""The last days of a person's two packs, the one that ends first comes first."""
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


def newcomer(limit: int, own: int, beyond: str, packs: list[int]) -> tuple[Any, list[int]]:
    """Someone with an employer of their own, a plan and packs of so many half-days, and the packs' ids."""
    number = next(_numbers)
    person = make_person("Membre", f"N{number}", f"ledger{number}@demo.example")
    with write_unit():
        employer = Organisation(name=f"Atelier {number}")
        db.session.add(employer)
        db.session.flush()
        db.session.add(OrganisationMember(organisation_id=employer.id, person_id=person.id, since=LONG_AGO))
    make_agreement(employer, halfdays=limit, beyond=beyond)
    make_subscription(person, halfdays=own)
    bought = [make_pack(person, units=units, valid_until=last).id for units, last in zip(packs, PACK_ENDS, strict=True)]
    return person, bought


def expected_cover(payer: str | None, used: Counter[tuple[str, date]], day: date, limits: dict[str, int], beyond: str):
    """What the rule says, said again from scratch: the cover and when it ends, or None for a refusal."""
    month = month_of(day)
    if payer != "me":
        if used["agreement", month] < limits["agreement"]:
            return "agreement", month
        if beyond == "refuse":
            return None
    if used["subscription", month] < limits["subscription"]:
        return "subscription", month
    for last in PACK_ENDS:
        if day <= last and used["pack", last] < limits[f"pack {last}"]:
            return "pack", last
    return "tariff", month


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=steps,
    limit=st.integers(1, 3),
    own=st.integers(1, 3),
    beyond=st.sampled_from(["refuse", "person"]),
    packs=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_whatever_one_does_the_ledger_counts_what_is_held(lieu, steps, limit, own, beyond, packs):
    person, bought = newcomer(limit, own, beyond, list(packs))
    ends = dict(zip(bought, PACK_ENDS, strict=True))
    limits = {"agreement": limit, "subscription": own}
    limits |= {f"pack {last}": units for last, units in zip(PACK_ENDS, packs, strict=True)}
    bookings: list[str] = []
    held: dict[str, tuple[str, date]] = {}  # what each live booking draws on: the oracle's own memory
    cancelled: dict[str, tuple[str, date]] = {}
    for step in steps:
        used = Counter(held.values())
        try:
            match step:
                case ("book", day, half, payer):
                    expected = expected_cover(payer, used, day, limits, beyond)
                    made = services.book_half_days(person.actor(), day, frozenset({half}), payer=payer)
                    assert expected == _drawn_on(made.units[0].quote, ends)
                    bookings.append(made.public_id)
                    held[made.public_id] = expected
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
                    held[public_id] = _drawn_on(moved.units[0].quote, ends)
                case _:
                    continue
        except DomainError:
            db.session.rollback()
        _check(person.id, held, limits, ends)


def _drawn_on(quote: Quote, ends: dict[int, date]) -> tuple[str, date]:
    """What a quote draws on: its cover, and the month it counts in or the last day of its pack."""
    return quote.cover, quote.month if quote.pack_id is None else ends[quote.pack_id]


def _check(person_id: int, held: dict[str, tuple[str, date]], limits: dict[str, int], ends: dict[int, date]) -> None:
    rows = db.session.execute(
        select(LedgerEntry.agreement_id, LedgerEntry.month, USED)
        .where(LedgerEntry.person_id == person_id, LedgerEntry.pack_id.is_(None))
        .group_by(LedgerEntry.agreement_id, LedgerEntry.subscription_id, LedgerEntry.month)
    )
    counted = {
        ("agreement" if agreement is not None else "subscription", month): used for agreement, month, used in rows
    }
    standing = packs_of(person_id, DAYS[0])
    counted |= {("pack", one.pack.valid_until): one.pack.units - one.left for one in standing}
    oracle = Counter(entry for entry in held.values() if entry[0] != "tariff")
    assert {key: used for key, used in counted.items() if used} == dict(oracle)
    assert all(0 <= used <= limits[kind] for (kind, _), used in counted.items() if kind != "pack")
    assert all(0 <= one.left <= one.pack.units and one.booked == one.pack.units - one.left for one in standing)
    live = db.session.scalars(select(Quote).where(Quote.person_id == person_id, Quote.state == "live"))
    assert Counter(_drawn_on(quote, ends) for quote in live) == Counter(held.values())
    assert not [*checks.packs_overdrawn()]
    db.session.rollback()
