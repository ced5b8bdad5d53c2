"""What the tests of displaced bookings share: days that close, desks that are retired, and what became of a booking."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.spaces import inventory
from coworking.spaces.rules import Closing

WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (25, 26, 27))
DAY, MORNING, AFTERNOON = frozenset({"am", "pm"}), frozenset({"am"}), frozenset({"pm"})
FRIDAY_CLOSED = Closing(FRIDAY, FRIDAY, None, None, "Travaux")


def status(booking) -> tuple[str, bool, int | None]:
    db.session.rollback()
    found = db.session.get_one(Booking, booking.id)
    return found.status, found.cancelled_late, found.cancelled_by_id


def desks_of(booking) -> list[str]:
    db.session.rollback()
    return [unit.resource.name for unit in db.session.get_one(Booking, booking.id).units]


CANCELLED, CONFIRMED = ("cancelled", False, None), ("confirmed", False, None)


def room(person, place, first: int, last: int, day: int = 27):
    span = Span(datetime(2026, 11, day, first - 1, tzinfo=UTC), datetime(2026, 11, day, last - 1, tzinfo=UTC))
    return services.book(person.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))


def retire(payers, resource, **options):
    return inventory.retire_resource(
        payers.manager.actor(), resource.public_id, THURSDAY - timedelta(days=2), **options
    )


def owed_of(booking) -> list[tuple[str, int, str]]:
    db.session.rollback()
    units = db.session.get_one(Booking, booking.id).units
    return [(unit.quote.resource_id, unit.quote.amount_cents, unit.quote.state) for unit in units]
