"""The planning's bars: every claim of a day, with whom and what it is for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from coworking.accounts.models import Person
from coworking.booking.models import Booking, BookingUnit
from coworking.claims import queries as claims
from coworking.claims.models import Claim
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.timespan import Span


class Bar(NamedTuple):
    """One claim on the timeline. ``outcome`` is came, absent, unknown or pending; names are for staff and colleagues."""

    resource_id: int
    span: Span
    guarded_end: datetime
    holder_kind: str
    held: bool
    booking: str | None
    person_id: int | None
    first_name: str | None
    last_name: str | None
    title: str | None
    outcome: str | None


_OUTCOME = (
    select(func.min(BookingUnit.outcome))
    .where(BookingUnit.booking_id == Booking.id, BookingUnit.resource_id == Claim.resource_id)
    .scalar_subquery()
)
_BARS = (  # built once: every planning asks it
    select(
        Claim.resource_id,
        Claim.use_starts_at,
        Claim.use_ends_at,
        Claim.ends_at,
        Claim.holder_kind,
        Claim.expires_at,
        Booking.public_id,
        Booking.person_id,
        Person.first_name,
        Person.last_name,
        Booking.title,
        _OUTCOME,
    )
    .outerjoin(
        Booking,
        (Claim.holder_kind == "booking")
        & (Booking.id == Claim.holder_id)
        # said again in local dates, or PostgreSQL reads every booking
        & Booking.day.between(bindparam("first"), bindparam("last")),
    )
    .outerjoin(Person, Person.id == Booking.person_id)
    .where(
        claims.overlapping_bounds(bindparam("start"), bindparam("end"), bindparam("earliest")),
        claims.in_force(bindparam("instant")),
    )
    .order_by(Claim.resource_id + 0, Claim.use_starts_at)  # the sum: by time, not by resource, is the way in
)


def bars(day: Span) -> list[Bar]:
    """Every claim in force on ``day`` with whom and what it is for, by resource and start: one statement."""
    first, last = day.start.date() - timedelta(days=1), day.end.date() + timedelta(days=1)
    rows = db.session.execute(_BARS, {"first": first, "last": last, "instant": now(), **claims.bounds(day)})
    return [
        Bar(resource, Span(start, end), guarded, kind, expires is not None, booking, who, first, last, title, came)
        for resource, start, end, guarded, kind, expires, booking, who, first, last, title, came in rows
    ]
