"""Promises 1 and 3 on the live data, as far as bookings go: each holds what it uses, and each use has its price."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, exists, or_, select

from coworking.booking.models import Booking, BookingUnit
from coworking.booking.queries import A_DAY
from coworking.claims.models import Claim
from coworking.core.checks import check
from coworking.core.clock import now
from coworking.core.db import db
from coworking.pricing.models import Quote


@check(1, "every booking holds the resources it uses")
def claims_held() -> Iterator[str]:
    held = exists().where(
        Claim.holder_kind == "booking",
        Claim.holder_id == BookingUnit.booking_id,
        Claim.resource_id == BookingUnit.resource_id,
        Claim.live,
        Claim.expires_at.is_(None),
        # Ended early, a booking keeps the units it had; its claim still covers their beginning.
        Claim.use_starts_at <= BookingUnit.starts_at,
    )
    ended_early = exists().where(
        Claim.holder_kind == "booking",
        Claim.holder_id == BookingUnit.booking_id,
        Claim.resource_id == BookingUnit.resource_id,
        Claim.released_at.is_not(None),
    )
    statement = (
        select(BookingUnit.id)
        .join(Booking)
        .where(Booking.status == "confirmed", ~held, ~ended_early)
        .order_by(BookingUnit.id)
    )
    for unit in db.session.scalars(statement):
        yield f"booked unit {unit} holds no claim"


@check(1, "nothing is held by a booking that was cancelled")
def claims_released() -> Iterator[str]:
    statement = (
        select(Claim.id)
        .join(Booking, and_(Claim.holder_kind == "booking", Claim.holder_id == Booking.id))
        .where(Booking.status == "cancelled", Claim.live, Claim.expires_at.is_(None))
        .order_by(Claim.id)
    )
    for claim in db.session.scalars(statement):
        yield f"claim {claim} is held by a cancelled booking"


@check(1, "a place that waits to be paid is kept for a short time only")
def holds_end() -> Iterator[str]:
    for_good = (
        select(Claim.id)
        .join(Booking, and_(Claim.holder_kind == "booking", Claim.holder_id == Booking.id))
        .where(Booking.status == "held", Claim.live, Claim.expires_at.is_(None))
        .order_by(Claim.id)
    )
    for claim in db.session.scalars(for_good):
        yield f"claim {claim} is kept for good by a booking that is not paid"
    stale = select(Booking.id).where(Booking.status == "held", Booking.held_until < now() - A_DAY).order_by(Booking.id)
    for booking in db.session.scalars(stale):
        yield f"booking {booking} waits to be paid since yesterday"


@check(3, "what is used is owed once, and what is cancelled in time is not")
def quotes() -> Iterator[str]:
    statement = (
        select(BookingUnit.id, Booking.status, Booking.cancelled_late, Quote.state)
        .join(Booking)
        .join(Quote, Quote.id == BookingUnit.quote_id)
        .where(
            or_(
                and_(Booking.status.in_(("confirmed", "held")), Quote.state != "live"),
                and_(Booking.status == "cancelled", Quote.state == "live"),
            )
        )
        .order_by(BookingUnit.id)
    )
    for unit, status, late, state in db.session.execute(statement):
        yield f"booked unit {unit} is {status}{' late' if late else ''} and its quote is {state}"
