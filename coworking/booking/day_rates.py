"""What giving up one half-day does to the other one of its day, where both were at the day rate.

What the lieu takes away, and what staff move, makes nothing dearer; what was paid first, or at the door, keeps its price.
A half-day that is held until it is paid makes no other one cheaper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import selectinload

from coworking.booking.models import Booking, BookingUnit
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.membership import coverage, day_rate_queries
from coworking.membership.entitlement import Decision
from coworking.pricing.models import Quote

_CHARGED: list[ColumnElement[bool]] = []
day_rate_queries.unsure(
    exists(
        select(BookingUnit.id)
        .join(Booking, Booking.id == BookingUnit.booking_id)
        .where(BookingUnit.quote_id == Quote.id, Booking.status == "held")
        .correlate(Quote)
    )
)


def charged(condition: ColumnElement[bool]) -> None:
    """Quotes for which ``condition`` holds are charged already and keep their price; whoever charges registers it."""
    _CHARGED.append(condition)


def dearer_units(person_id: int, leaving: Iterable[Quote], decided: Iterable[Decision] = ()) -> list[BookingUnit]:
    """The person's other half-days that cost more once ``leaving`` are given up, and ``decided`` taken instead."""
    halves = coverage.dearer_without(person_id, leaving, decided)
    if not halves:
        return []
    return list(
        db.session.scalars(
            select(BookingUnit)
            .join(Booking, Booking.id == BookingUnit.booking_id)
            .join(Quote, Quote.id == BookingUnit.quote_id)
            .where(Quote.id.in_([one.quote_id for one in halves]), Quote.state == "live", Booking.sale_id.is_(None))
            .where(*(~condition for condition in _CHARGED))
            .options(selectinload(BookingUnit.quote))
            .order_by(BookingUnit.id)
        )
    )


def price_alone(units: Iterable[BookingUnit]) -> None:
    """Let each of ``units`` cost what it costs without the other half of its day; the caller holds the person's lock."""
    for unit in units:
        if unit.quote is not None:
            unit.quote = coverage.price_alone(unit.quote)


def pair_again(returned: Sequence[Quote]) -> None:
    """Give the half-days beside what came back the day rate they had."""
    for quote_id, quote in coverage.pair_again(returned).items():
        unit = db.session.scalar(select(BookingUnit).where(BookingUnit.quote_id == quote_id))
        if unit is not None:
            unit.quote = quote


def binds(actor: Actor, booking: Booking) -> bool:
    """Whether a move by ``actor`` is the wish of the one who pays: what staff move is borne by the lieu."""
    return not actor.is_staff or actor.person_id == booking.person_id
