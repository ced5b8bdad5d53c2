"""What the tests of attestations share: their days, stays, and what is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime

from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence import attestation
from coworking.presence.models import Presence

TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (24, 25, 26))
NOVEMBER, DAY = date(2026, 11, 1), frozenset({"am", "pm"})


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def counted(person) -> dict[date, dict[str, str]]:
    found = attestation.days_of(person.id, NOVEMBER, date(2026, 11, 30))
    return {row.day: dict(row.halves) for row in found}


def stay(person, day: int, first: int, last: int | None, evidence: str = "self", booking=None) -> None:
    with write_unit():
        db.session.add(
            Presence(
                person_id=person.id,
                booking_id=booking.id if booking else None,
                day=date(2026, 11, day),
                arrived_at=wall(day, first),
                left_at=wall(day, last) if last else None,
                evidence=evidence,
            )
        )
