"""Bookings that no longer fit: the lieu closed that day, the desk was retired, the account was closed.

The system cancels them, free of charge whatever the deadline, with an e-mail that says why. What has begun is left to the
host.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from coworking.accounts.models import Person
from coworking.booking.access import own_booking
from coworking.booking.cancelling import cancel_in_unit
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import Cause, still_fits
from coworking.claims import services as claims
from coworking.core import displaced, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource

WHY: dict[str, Cause] = {displaced.DAYS: "closed", displaced.RESOURCE: "retired", displaced.PERSON: "left"}


@displaced.counted_by
def count(topic: str, payload: dict[str, Any]) -> int:
    """How many bookings to come the announced change leaves without a place."""
    return len(affected(topic, payload))


@outbox.handler(displaced.DAYS)
@outbox.handler(displaced.RESOURCE)
@outbox.handler(displaced.PERSON)
def cancel_affected(job: outbox.Job) -> None:
    """Each booking in a unit of its own, looked at again there; doing it twice finds nothing more."""
    if job.topic == displaced.DAYS:
        _let_bookings_end()
    for booking in affected(job.topic, job.payload):
        _cancel_one(booking.public_id, job.topic, job.payload)


def _let_bookings_end() -> None:
    """Wait for the bookings that may have read their day before it changed: they hold a resource until they commit.

    Those that come after read the changed day. A retired desk and a closed account need no such wait: whoever books
    holds their rows.
    """
    with write_unit():
        claims.lock_resources([row.id for row in spaces.resources()])


def affected(topic: str, payload: dict[str, Any], only: str | None = None) -> list[Booking]:
    """Confirmed bookings to come that do not fit what is true now, soonest first; ``only``: that booking if it is one."""
    statement = (
        select(Booking)
        .where(Booking.status == "confirmed", Booking.starts_at > now())
        .options(selectinload(Booking.units).joinedload(BookingUnit.resource))
        .order_by(Booking.starts_at, Booking.id)
    )
    if only is not None:
        statement = statement.where(Booking.public_id == only)
    if topic == displaced.PERSON:
        gone = select(Person.id).where(Person.public_id == payload["person"], Person.deactivated_at.is_not(None))
        return list(db.session.scalars(statement.where(Booking.person_id.in_(gone))))
    if topic == displaced.RESOURCE:
        used = (
            select(BookingUnit.booking_id)
            .join(Resource)
            .where(Resource.public_id == payload["resource"], BookingUnit.day > Resource.in_service_until)
        )
        return list(db.session.scalars(statement.where(Booking.id.in_(used))))
    days = [date.fromisoformat(text) for text in payload["days"]]
    found = db.session.scalars(statement.where(Booking.day.in_(days))).all()
    rows = spaces.days(min(days), max(days)) if found else {}
    return [
        booking
        for booking in found
        if booking.day in rows
        and not all(still_fits(rows[booking.day], booking.day, unit.half, unit.span) for unit in booking.units)
    ]


def _cancel_one(public_id: str, topic: str, payload: dict[str, Any]) -> None:
    with write_unit():
        booking = own_booking(SYSTEM, public_id)
        if not affected(topic, payload, only=public_id):
            return
        cancel_in_unit(SYSTEM, booking, WHY[topic], keep_place=False)
