"""What the tests of bookings over midnight share: their days and hours, and how one is made and looked at."""

from __future__ import annotations

from datetime import date, datetime

from coworking.accounts.models import Person
from coworking.booking import checks, services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.presence import checks as presence_checks
from tests.statistics.oracle import PARIS

WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (25, 26, 27))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=PARIS)


NIGHT = Span(at(26, 23), at(27, 1))


def book(person, room, span: Span = NIGHT, **more: object) -> Booking:
    return services.book(person.actor(), Request(span, (RequestedItem(resource=room.public_id),), **more))


def english(app, *people) -> None:
    """Let ``people`` read English."""
    with app.app_context(), write_unit():
        for person in people:
            db.session.get_one(Person, person.id).locale = "en"


def fresh(booking: Booking) -> Booking:
    db.session.rollback()
    return db.session.get_one(Booking, booking.id)


def sound() -> None:
    """Nothing that the nightly check asks of bookings and presences is broken."""
    db.session.rollback()
    asked = (checks.claims_held, checks.claims_released, checks.quotes)
    asked += (presence_checks.came_and_was_there, presence_checks.was_there_and_came)
    assert [found for check in asked for found in check()] == []
