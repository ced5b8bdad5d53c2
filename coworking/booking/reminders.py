"""Reminders: the evening before, a Sunday summary, or never, as each person chose.

Nothing is scheduled ahead: every few minutes the scan looks who is due now, and the outbox key makes it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select

from coworking.accounts import booking_proxies
from coworking.accounts.models import Person
from coworking.booking.models import Booking
from coworking.booking.rules import reminder_minute
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from coworking.spaces import queries as spaces

SUNDAY = 6
SOON_TOLD = timedelta(hours=1)
"""A confirmation that could not be sent for so long holds no reminder up."""


def send_due() -> int:
    """Enqueue the reminders that are due at this moment; return how many were new."""
    lieu = spaces.lieu_or_none()
    if lieu is None:
        return 0
    local = now().astimezone(lieu.tz)
    if local.hour * 60 + local.minute < reminder_minute(lieu.free_cancel_minute):
        return 0
    today = local.date()
    tomorrow = today + timedelta(days=1)
    due = [("evening", person, tomorrow, tomorrow) for person in _expected("evening", tomorrow, tomorrow)]
    if today.weekday() == SUNDAY:
        last = today + timedelta(days=7)
        due += [("sunday", person, tomorrow, last) for person in _expected("sunday", tomorrow, last)]
    if not due:
        return 0
    end_read()
    with write_unit():
        return sum(_enqueue(kind, person, first, last) for kind, person, first, last in due)


def _expected(kind: str, first: date, last: date) -> Sequence[str]:
    """Public ids of those who chose ``kind`` and have bookings from ``first`` to ``last``."""
    return db.session.scalars(
        select(Person.public_id)
        .where(
            Person.reminder == kind,
            or_(Person.email.is_not(None), Person.id.in_(booking_proxies.whose_emails_are_read())),
            Person.deactivated_at.is_(None),
            Person.id.not_in(  # what was just booked is confirmed first; the next scan finds them
                select(Booking.person_id).where(Booking.untold_since > now() - SOON_TOLD)
            ),
            Person.id.in_(
                select(Booking.person_id).where(
                    Booking.day >= first, Booking.day <= last, Booking.status == "confirmed"
                )
            ),
        )
        .order_by(Person.id)
    ).all()


def _enqueue(kind: str, person: str, first: date, last: date) -> bool:
    payload = {"person": person, "first": first.isoformat(), "last": last.isoformat(), "kind": kind}
    return outbox.enqueue("booking.reminder", f"reminder-{kind}:{person}:{first.isoformat()}", payload)
