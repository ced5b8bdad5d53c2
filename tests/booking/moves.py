"""What the tests of moved bookings share: what is booked, and everything that a move changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.claims.models import Claim
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.membership.allowance_queries import USED
from coworking.membership.models import LedgerEntry
from coworking.pricing.models import Quote

TODAY, THURSDAY, FRIDAY = date(2026, 11, 24), date(2026, 11, 26), date(2026, 11, 27)
MORNING, AFTERNOON, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})


def hours(start: int, end: int, day: date = THURSDAY) -> Span:
    """From ``start`` to ``end`` by the wall clock of Paris in winter."""
    return Span(*(datetime(day.year, day.month, day.day, hour - 1, tzinfo=UTC) for hour in (start, end)))


def live() -> list[tuple[str, int]]:
    rows = db.session.execute(
        select(Quote.cover, Quote.amount_cents).where(Quote.state == "live").order_by(Quote.starts_at, Quote.id)
    )
    return [tuple(row) for row in rows]


def standing(public_id: str) -> dict[str, Any]:
    """Everything that a move changes, as it stands: place, time, outcome, claims, what is owed and what is used."""
    db.session.rollback()
    booking = db.session.scalars(select(Booking).where(Booking.public_id == public_id)).one()
    terms = [column for column in Quote.__table__.columns if column.key not in {"id", "public_id", "created_at"}]
    used = select(LedgerEntry.agreement_id, LedgerEntry.subscription_id, LedgerEntry.person_id, LedgerEntry.month, USED)
    units = [
        (u.resource_id, u.day, u.half, u.span, u.outcome, u.evidence, u.decided_at)
        for u in db.session.scalars(select(BookingUnit).order_by(BookingUnit.starts_at, BookingUnit.resource_id))
    ]
    claims = select(Claim).where(Claim.live).order_by(Claim.id)
    return {
        "booking": (booking.day, booking.span, booking.status, booking.person_id, booking.title, booking.guests),
        "units": units,
        "claims": [
            (c.id, c.resource_id, c.guarded, c.use, c.expires_at, c.released_at) for c in db.session.scalars(claims)
        ],
        "owed": sorted(map(repr, db.session.execute(select(*terms).where(Quote.state != "released")))),
        "used": sorted(map(repr, db.session.execute(used.group_by(*used.selected_columns[:4]).having(USED != 0)))),
    }


def book_desk(people, place, halves=DAY) -> str:
    actor = people.member.actor()
    return services.book_half_days(actor, THURSDAY, halves, resource=place.desks[0].public_id).public_id


def book_room(people, place) -> str:
    request = Request(hours(9, 11), (RequestedItem(resource=place.rooms[0].public_id),), title="Atelier", guests=0)
    return services.book(people.member.actor(), request).public_id
