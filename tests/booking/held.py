"""A lieu where rooms must be paid first, and what becomes of a held booking."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.core import checks
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.pricing import sales
from coworking.pricing.models import Sale
from coworking.spaces.calendar import lock_lieu


def ask_first(**rules: object) -> None:
    """Inside an application context: rooms must be paid first by everyone, or what ``rules`` say."""
    with write_unit():
        lieu = lock_lieu()
        for name, value in ({"pay_first_rooms": "everyone"} | rules).items():
            setattr(lieu, name, value)


def hours(start: int, end: int) -> Span:
    """Local hours of Thursday, 26 November."""
    return Span(datetime(2026, 11, 26, start - 1, tzinfo=UTC), datetime(2026, 11, 26, end - 1, tzinfo=UTC))


def book_room(by, room, span: Span | None = None, **more: object) -> Booking:
    request = Request(span or hours(9, 11), (RequestedItem(resource=room.public_id),), **more)
    return services.book(by.actor(), request)


def sale_of(booking: Booking) -> Sale:
    db.session.rollback()
    return db.session.scalars(select(Sale).where(Sale.subject_id == booking.id)).one()


def pay(booking: Booking) -> bool:
    """What whoever takes the money does when it comes."""
    public_id = sale_of(booking).public_id
    with write_unit():
        return sales.pay(sales.lock(public_id))


def expire(booking: Booking) -> None:
    public_id = sale_of(booking).public_id
    with write_unit():
        sales.expire(sales.lock(public_id))


def faults() -> list[str]:
    """What `flask audit` finds wrong of places and money; no gateway has brought any in the tests of bookings, and no worker
    closes the days that the clock passes over."""
    db.session.rollback()
    wrong = [fault for one, found in checks.run() if one.promise in (1, 3) for fault in found]
    return [fault for fault in wrong if "no money came" not in fault and "is not closed" not in fault]


def as_it_is(booking: Booking) -> Booking:
    db.session.rollback()
    return db.session.get_one(Booking, booking.id, populate_existing=True)
