"""Coming, leaving, and what the next morning says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from coworking.booking import queries, services
from coworking.booking.models import BookingUnit
from coworking.booking.rules import CancelledBooking
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.presence import queries as presences
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.presence.models import Presence
from coworking.presence.rules import CannotSettle, ClosedNow, NotToday

TUESDAY = date(2026, 11, 24)
DAY = frozenset({"am", "pm"})


@pytest.fixture
def people(inside, place, cast, clock):
    clock.set(datetime(2026, 11, 24, 6, tzinfo=UTC))  # seven in the morning: the day can be booked whole
    return cast


def outcomes(booking) -> list[str]:
    rows = db.session.scalars(
        select(BookingUnit.outcome).where(BookingUnit.booking_id == booking.id).order_by(BookingUnit.starts_at)
    )
    return list(rows)


def wall(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def test_i_am_here_marks_what_is_booked_today(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9, 12))
    arrival = presence.arrive(people.member.actor())
    assert (arrival.booking.id, arrival.walked_in) == (booking.id, False)
    assert outcomes(booking) == ["came", "came"]
    assert (arrival.presence.evidence, arrival.presence.arrived_at) == ("self", wall(9, 12))


def test_twice_is_one_presence(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9, 12))
    presence.arrive(people.member.actor())
    clock.advance(minutes=20)
    presence.arrive(people.member.actor())
    assert db.session.scalar(select(func.count()).select_from(Presence)) == 1


def test_who_comes_in_the_afternoon_did_not_come_in_the_morning(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(14))
    presence.arrive(people.member.actor())
    assert outcomes(booking) == ["absent", "came"]


def test_who_leaves_before_the_afternoon_leaves_it_open(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9))
    presence.arrive(people.member.actor())
    clock.set(wall(12, 30))
    presence.leave(people.member.actor())
    assert outcomes(booking) == ["came", "pending"]
    clock.set(wall(13, 30))
    presence.arrive(people.member.actor())
    assert outcomes(booking) == ["came", "came"]
    assert len(presences.presences_on(TUESDAY)) == 2


def test_a_walk_in_takes_a_free_desk_for_the_half_day(people, clock):
    clock.set(wall(10, 36))
    arrival = presence.arrive(people.host.actor(), person=people.stranger.public_id)
    assert arrival.walked_in
    assert [(unit.half, unit.outcome) for unit in arrival.booking.units] == [("am", "came")]
    assert arrival.presence.evidence == "host"


def test_arrivals_are_accepted_when_the_lieu_is_full(people, clock):
    for person in (people.member, people.colleague, people.host, people.manager):
        services.book_half_days(person.actor(), TUESDAY, DAY)
    clock.set(wall(10))
    arrival = presence.arrive(people.stranger.actor())
    assert (arrival.booking, arrival.walked_in) == (None, False)
    assert presences.open_presence(people.stranger.id, TUESDAY) is not None


def test_one_may_be_half_an_hour_early_but_not_come_at_night(people, clock):
    clock.set(wall(8, 29))
    with pytest.raises(ClosedNow):
        presence.arrive(people.member.actor())
    clock.set(wall(8, 30))
    assert presence.arrive(people.member.actor()).walked_in


def test_the_host_checks_a_booking_in_on_its_day_only(people, clock):
    booking = services.book_half_days(people.member.actor(), date(2026, 11, 25), DAY)
    with pytest.raises(NotToday):
        presence.check_in(people.host.actor(), booking.public_id)
    services.cancel(people.member.actor(), booking.public_id)
    clock.set(wall(9, day=25))
    with pytest.raises(CancelledBooking):
        presence.check_in(people.host.actor(), booking.public_id)


def test_a_stranger_cannot_check_in_others(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9))
    with pytest.raises(NotFound):
        presence.check_in(people.stranger.actor(), booking.public_id)
    with pytest.raises(NotFound):
        presence.arrive(people.stranger.actor(), person=people.member.public_id)
    assert outcomes(booking) == ["pending", "pending"]


def test_a_wrong_tap_is_undone_with_its_walk_in(people, clock):
    clock.set(wall(10))
    arrival = presence.arrive(people.host.actor(), person=people.stranger.public_id)
    presence.undo_arrival(people.host.actor(), arrival.presence.public_id)
    assert presences.presences_on(TUESDAY) == []
    assert queries.day_bookings(TUESDAY) == []


def test_yesterday_is_settled_in_the_morning(people, clock):
    mine = services.book_half_days(people.member.actor(), TUESDAY, DAY)
    theirs = services.book_half_days(people.stranger.actor(), TUESDAY, DAY)
    clock.set(wall(9, day=25))
    waiting = presences.unsettled(TUESDAY, TUESDAY)
    assert {unit.booking_id for unit in waiting} == {mine.id, theirs.id}
    settling.settle(people.host.actor(), [u.id for u in waiting if u.booking_id == mine.id], "came")
    settling.settle(people.host.actor(), [u.id for u in waiting if u.booking_id == theirs.id], "absent")
    assert (outcomes(mine), outcomes(theirs)) == (["came", "came"], ["absent", "absent"])
    assert {p.person_id for p in presences.presences_on(TUESDAY)} == {people.member.id}
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "unit.settled")).all()
    assert len(entries) == 4
    assert {entry.actor_id for entry in entries} == {people.host.id}


def test_what_is_to_come_or_cancelled_cannot_be_settled(people):
    coming = services.book_half_days(people.member.actor(), date(2026, 11, 25), DAY)
    with pytest.raises(CannotSettle):
        settling.settle(people.host.actor(), [unit.id for unit in coming.units], "came")


def test_after_seven_days_it_stays_unknown(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9) + timedelta(days=7))
    settling.expire_unconfirmed()
    assert outcomes(booking) == ["pending", "pending"]
    clock.advance(days=1)
    settling.expire_unconfirmed()
    assert outcomes(booking) == ["unknown", "unknown"]
