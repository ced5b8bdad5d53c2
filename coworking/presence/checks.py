"""Promise 4 on the live data, as far as presences go: outcomes of booked half-days agree with presences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import aliased

from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import CAME, PENDING
from coworking.core.checks import check
from coworking.core.clock import now
from coworking.core.db import db
from coworking.presence.models import Presence
from coworking.presence.rules import kept_from
from coworking.spaces import queries as spaces

_SETTLED_WITHIN = timedelta(hours=1)
"""What is over is settled every few minutes; a worker that slept an hour is its own trouble."""

_there = (
    exists()
    .where(
        Presence.person_id == Booking.person_id,
        # On the unit's day; or on the next one, where it goes over midnight and they came only then.
        or_(Presence.day == BookingUnit.day, Presence.arrived_at >= BookingUnit.starts_at),
        Presence.arrived_at < BookingUnit.ends_at,
        or_(
            Presence.left_at.is_(None),
            Presence.left_at > BookingUnit.starts_at,
            Presence.arrived_at >= BookingUnit.starts_at,
        ),
    )
    .correlate(Booking, BookingUnit)
)


@check(4, "whoever came was there")
def came_and_was_there() -> Iterator[str]:
    if spaces.lieu_or_none() is None:
        return
    statement = (
        select(BookingUnit.id)
        .join(Booking)
        .where(
            Booking.status == "confirmed",
            BookingUnit.outcome == CAME,
            BookingUnit.day >= kept_from(spaces.today()),  # of days before, presences are kept no longer
            ~_there,
        )
        .order_by(BookingUnit.id)
    )
    for unit in db.session.scalars(statement):
        yield f"booked unit {unit} came, and no presence says so"


@check(4, "whoever was there came")
def was_there_and_came() -> Iterator[str]:
    """A desk and a room at the same time are one presence: one of them is enough."""
    other, theirs = aliased(BookingUnit), aliased(Booking)
    came_beside = (
        exists()
        .where(
            other.booking_id == theirs.id,
            theirs.person_id == Booking.person_id,
            theirs.status == "confirmed",
            other.outcome == CAME,
            other.starts_at < BookingUnit.ends_at,
            other.ends_at > BookingUnit.starts_at,
        )
        .correlate(Booking, BookingUnit)
    )
    decided = and_(BookingUnit.outcome != CAME, BookingUnit.outcome != PENDING)
    overdue = and_(BookingUnit.outcome == PENDING, BookingUnit.ends_at < now() - _SETTLED_WITHIN)
    statement = (
        select(BookingUnit.id, BookingUnit.outcome)
        .join(Booking)
        .where(Booking.status == "confirmed", or_(decided, overdue), _there, ~came_beside)
        .order_by(BookingUnit.id)
    )
    for unit, outcome in db.session.execute(statement):
        yield f"booked unit {unit} is {outcome}, and a presence says that its person was there"
