"""The planning's bars: every claim of a day, with whom and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.booking.models import Booking, BookingUnit
from coworking.claims import queries as claims
from coworking.claims.models import Claim
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.timespan import Span


@dataclass(frozen=True, slots=True)
class Bar:
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


def bars(day: Span) -> list[Bar]:
    """Every claim in force on ``day`` with whom and what it is for, by resource and start: one statement."""
    instant = now()
    first, last = day.start.date() - timedelta(days=1), day.end.date() + timedelta(days=1)
    outcome = (
        select(func.min(BookingUnit.outcome))
        .where(BookingUnit.booking_id == Booking.id, BookingUnit.resource_id == Claim.resource_id)
        .scalar_subquery()
    )
    rows = db.session.execute(
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
            outcome,
        )
        .outerjoin(
            Booking,
            (Claim.holder_kind == "booking")
            & (Booking.id == Claim.holder_id)
            & Booking.day.between(first, last),  # said again in local dates, or PostgreSQL reads every booking
        )
        .outerjoin(Person, Person.id == Booking.person_id)
        .where(claims.overlapping(day), claims.in_force(instant))
        .order_by(Claim.resource_id + 0, Claim.use_starts_at)  # the sum: by time, not by resource, is the way in
    )
    return [
        Bar(resource, Span(start, end), guarded, kind, expires is not None, booking, who, first, last, title, came)
        for resource, start, end, guarded, kind, expires, booking, who, first, last, title, came in rows
    ]
