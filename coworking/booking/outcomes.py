"""The only writer of the outcomes of booked units; the packages that learn who came call it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import select, update

from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import PENDING, UNKNOWN
from coworking.core.db import db
from coworking.core.units import require_unit
from coworking.spaces import queries as spaces

Follow = Callable[[int, date], object]
"""Lets each booked unit of a person's day say what is known of their coming, in the open unit."""

Registered = TypeVar("Registered", bound=Follow)


def _nobody_knows(_person_id: int, _day: date) -> None:
    pass


_follow: Follow = _nobody_knows


def followed_by(follow: Registered) -> Registered:
    """Register who knows whether people came: the package above."""
    global _follow
    _follow = follow
    return follow


def follow_again(booking: Booking) -> None:
    """Let the units of a booking that came back to its day say what has happened since they were not there to hear it."""
    if booking.day <= spaces.today():
        _follow(booking.person_id, booking.day)


def decide_outcomes(
    units: Iterable[BookingUnit], outcome: str, evidence: str | None, at: datetime
) -> list[BookingUnit]:
    """Say of ``units`` what became of them and how we know; return those for which it was something else.

    ``pending`` takes back what was said: then there is neither evidence nor a time of deciding.
    """
    require_unit()
    changed = [unit for unit in units if unit.outcome != outcome]
    for unit in changed:
        unit.outcome = outcome
        unit.evidence, unit.decided_at = (None, None) if outcome == PENDING else (evidence, at)
    return changed


def carry(old: Sequence[BookingUnit], new: Sequence[BookingUnit]) -> None:
    """What is known of the ``old`` units of a day is known of the ``new`` ones: by half, or of the only one there was.

    Of another time nothing is known: whoever came at nine has not been to a meeting at three.
    """
    require_unit()
    by_half = {unit.half: unit for unit in old}
    for unit in new:
        before = by_half.get(unit.half) or (old[0] if len(old) == len(new) == 1 else None)
        if before is not None and before.span.overlaps(unit.span):
            unit.outcome, unit.evidence, unit.decided_at = before.outcome, before.evidence, before.decided_at


def let_expire(before: date, at: datetime) -> int:
    """Units before ``before`` that are still pending become unknown; return how many."""
    require_unit()
    cancelled = select(Booking.id).where(Booking.status == "cancelled")
    return db.session.execute(
        update(BookingUnit)
        .where(
            BookingUnit.outcome == PENDING,
            BookingUnit.day < before,
            BookingUnit.booking_id.not_in(cancelled),
        )
        .values(outcome=UNKNOWN, decided_at=at)
        .execution_options(synchronize_session=False)
    ).rowcount  # type: ignore[attr-defined] - a cursor result has one
