"""Rows that are stored without a flush."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, inspect, select

from coworking.accounts.models import Person
from coworking.booking.models import Booking, BookingUnit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.sealing import NotNoted
from coworking.core.sql import insert_now
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.pricing.models import Tariff
from coworking.spaces.models import DESK, Resource

DAY = date(2026, 11, 26)
MORNING = Span(datetime(2026, 11, 26, 8, tzinfo=UTC), datetime(2026, 11, 26, 12, tzinfo=UTC))


def _booking(person_id: int) -> Booking:
    """A morning at the first desk, in no session yet; called inside a unit."""
    desk = db.session.scalars(select(Resource).where(Resource.kind == DESK).order_by(Resource.id)).first()
    booking = Booking(person=db.session.get(Person, person_id), day=DAY, starts_at=MORNING.start, ends_at=MORNING.end)
    booking.units = [BookingUnit(resource=desk, day=DAY, half="am", starts_at=MORNING.start, ends_at=MORNING.end)]
    return booking


def test_objects_stored_at_once_are_what_the_database_holds(inside, place, cast):
    """References are filled in, defaults too, and nothing is left for a flush to write."""
    with write_unit():
        booking = _booking(cast.member.id)
        insert_now(booking, *booking.units)
        assert inspect(booking).persistent and inspect(booking.units[0]).persistent
        assert not db.session.new and not db.session.is_modified(booking) and not db.session.dirty
        kept = {column.name: getattr(booking, column.name) for column in Booking.__table__.columns}
        unit = {column.name: getattr(booking.units[0], column.name) for column in BookingUnit.__table__.columns}
    assert kept["person_id"] == cast.member.id and kept["source"] == "web" and kept["created_at"] <= now()
    assert (unit["booking_id"], unit["quote_id"], unit["outcome"]) == (booking.id, None, "pending")
    db.session.expire_all()
    assert kept == dict(db.session.execute(select(Booking.__table__)).mappings().one())
    assert unit == dict(db.session.execute(select(BookingUnit.__table__)).mappings().one())


def test_what_is_stored_at_once_goes_with_its_unit(inside, place, cast):
    def half_done() -> None:
        with write_unit():
            booking = _booking(cast.member.id)
            insert_now(booking, *booking.units)
            raise KeyError

    with pytest.raises(KeyError):
        half_done()
    assert db.session.scalar(select(func.count()).select_from(Booking)) == 0


def test_what_the_money_chain_covers_cannot_be_stored_past_it(inside):
    with pytest.raises(NotNoted), write_unit():
        insert_now(Tariff(valid_from=DAY, basis="ttc", vat_rate_bp=2000))
