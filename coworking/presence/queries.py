"""Reading presences: who is there, who came on a day, whose half-days nobody has settled yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from coworking.booking.models import Booking, BookingUnit
from coworking.core.db import db
from coworking.presence.models import Presence


def presences_on(day: date) -> list[Presence]:
    """Everyone who was or is there on a local date, by arrival, with people and bookings."""
    return list(
        db.session.scalars(
            select(Presence)
            .where(Presence.day == day)
            .options(
                joinedload(Presence.person),
                joinedload(Presence.booking).selectinload(Booking.units).joinedload(BookingUnit.resource),
            )
            .order_by(Presence.arrived_at, Presence.id)
        ).unique()
    )


_OPEN_PRESENCE = select(Presence).where(
    Presence.person_id == bindparam("person"), Presence.day == bindparam("day"), Presence.left_at.is_(None)
)


def open_presence(person_id: int, day: date) -> Presence | None:
    """The presence of ``day`` that has not ended."""
    return db.session.scalar(_OPEN_PRESENCE, {"person": person_id, "day": day})


def unsettled(first: date, last: date) -> list[BookingUnit]:
    """Booked units from ``first`` to ``last`` of which nobody knows yet whether the person came, oldest first."""
    return list(
        db.session.scalars(
            select(BookingUnit)
            .join(Booking)
            .where(
                BookingUnit.outcome == "pending",
                BookingUnit.day >= first,
                BookingUnit.day <= last,
                Booking.status == "confirmed",
            )
            .options(joinedload(BookingUnit.booking).joinedload(Booking.person), joinedload(BookingUnit.resource))
            .order_by(BookingUnit.starts_at, BookingUnit.id)
        ).unique()
    )


def first_visit(person_ids: Sequence[int], before: date) -> set[int]:
    """Those of ``person_ids`` who have never been present before ``before``."""
    been = set(
        db.session.scalars(
            select(Presence.person_id).where(Presence.person_id.in_(person_ids), Presence.day < before).distinct()
        )
    )
    return set(person_ids) - been
