"""Who came to a room booked over midnight, on which of its two days."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import select

from coworking.booking.models import Booking
from coworking.claims.queries import day_version
from coworking.core.db import db
from coworking.frontdesk.today import today
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.presence.models import Presence
from coworking.presence.rules import NotToday
from tests.booking.nights import FRIDAY, NIGHT, THURSDAY, at, book, fresh, sound


def outcome(booking: Booking) -> str:
    (unit,) = fresh(booking).units
    return unit.outcome


def stays() -> list[tuple[date, datetime, datetime | None]]:
    rows = db.session.scalars(select(Presence).order_by(Presence.arrived_at))
    return [(row.day, row.arrived_at, row.left_at) for row in rows]


def test_checking_in_after_midnight_counts_as_having_come(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(25, 12))
    with pytest.raises(NotToday):
        presence.check_in(nights.member.actor(), booking.public_id)
    clock.set(at(27, 0, 10))
    arrival = presence.check_in(nights.member.actor(), booking.public_id)
    assert (arrival.presence.day, arrival.walked_in, outcome(booking)) == (FRIDAY, False, "came")
    presence.undo_arrival(nights.host.actor(), arrival.presence.public_id)
    assert outcome(booking) == "pending"
    sound()


def test_staying_over_midnight_takes_no_desk_for_the_morning(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(26, 23))
    presence.arrive(nights.member.actor())
    clock.set(at(27, 0, 40))
    found = today(is_manager=False)
    assert [one.room.resource.name for _zone, group in found.here for one in group] == [place.rooms[0].name]
    assert (found.lingering, found.coming) == ([], [])
    left = presence.leave(nights.member.actor())
    assert left is not None and left.counted == ()
    assert stays() == [(THURSDAY, at(26, 23), at(27, 0)), (FRIDAY, at(27, 0), at(27, 0, 40))]
    assert outcome(booking) == "came"
    sound()


def test_after_midnight_today_still_expects_a_person_who_has_not_arrived(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(27, 0, 20))
    found = today(is_manager=False)
    assert [(one.booking.public_id, one.late) for one in found.coming] == [(booking.public_id, True)]
    assert found.yesterday is None, "it is not over"
    clock.set(at(27, 1))
    found = today(is_manager=False)
    assert found.coming == [] and found.yesterday is not None
    assert [unit.booking_id for unit in found.yesterday.waiting] == [booking.id]


def test_with_an_unknown_departure_they_stayed_to_the_end_of_their_booking_over_midnight(nights, place, clock):
    book(nights.member, place.rooms[0])
    clock.set(at(26, 23))
    presence.arrive(nights.member.actor())
    clock.set(at(27, 8))
    presence.leave(nights.host.actor(), person=nights.member.public_id, unseen=True)
    assert stays() == [(THURSDAY, at(26, 23), at(27, 0)), (FRIDAY, at(27, 0), at(27, 1))]
    sound()


def test_the_host_records_that_they_came_and_undoes_it(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    (unit,) = [unit.id for unit in booking.units]
    clock.set(at(27, 9))
    said = settling.settle(nights.host.actor(), [unit], "came")
    assert stays() == [(THURSDAY, at(26, 23), at(27, 0)), (FRIDAY, at(27, 0), at(27, 1))]
    sound()
    settling.undo_settling(nights.host.actor(), said.at)
    assert (stays(), outcome(booking)) == ([], "pending")
    settling.settle(nights.host.actor(), [unit], "absent")
    sound()


def test_recorded_as_absent_they_were_there_on_neither_day(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    (unit,) = [unit.id for unit in booking.units]
    clock.set(at(26, 23))
    presence.arrive(nights.member.actor())
    clock.set(at(27, 1))
    presence.leave(nights.member.actor())
    clock.set(at(27, 9))
    settling.settle(nights.host.actor(), [unit], "absent", reason="relu")
    assert (stays(), outcome(booking)) == ([], "absent")
    sound()


def test_set_free_after_midnight_it_is_free_from_then_on(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(27, 0, 15))
    versions = [day_version(day) for day in (THURSDAY, FRIDAY)]
    presence.set_free(nights.host.actor(), booking.public_id)
    assert fresh(booking).ends_at == at(27, 0, 15)
    assert all(day_version(day) > n for day, n in zip((THURSDAY, FRIDAY), versions, strict=True))
    presence.undo_set_free(nights.host.actor(), booking.public_id)
    assert fresh(booking).span == NIGHT
    sound()
