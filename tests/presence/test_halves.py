"""A person who is there for part of a day settles each half of it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.timespan import Span
from coworking.presence import checks, settling
from coworking.presence import queries as presences
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.statistics import facts
from tests.factories import make_tariff

TUESDAY = date(2026, 11, 24)
AM, PM, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})


@pytest.fixture
def people(inside, place, cast, clock):
    clock.set(wall(7))  # before the lieu opens, so that the day can be booked whole
    yield cast
    clock.set(wall(9, day=25))
    settling.settle_seen()
    assert [*checks.came_and_was_there(), *checks.was_there_and_came()] == []


def wall(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def said(person) -> list[tuple[str | None, str, str]]:
    """Half, outcome and source of everything the person has booked on Tuesday and not cancelled."""
    rows = db.session.execute(
        select(BookingUnit.half, BookingUnit.outcome, Booking.source)
        .join(Booking)
        .where(Booking.person_id == person.id, Booking.status == "confirmed", BookingUnit.day == TUESDAY)
        .order_by(BookingUnit.starts_at)
    )
    return [tuple(row) for row in rows]


def counted() -> tuple[int, int, int, int]:
    """Booked, attended and absent half-days and worker-days of Tuesday, counted the day after."""
    settling.settle_seen()
    (fact,) = facts.between(TUESDAY, TUESDAY)
    return fact.desk_booked, fact.desk_attended, fact.desk_absent, fact.workers


def owed(person) -> list[int]:
    statement = select(Quote.amount_cents).where(Quote.person_id == person.id, Quote.state == "live")
    return list(db.session.scalars(statement.order_by(Quote.starts_at)))


def test_afternoon_booked_and_come_at_ten_counts_both(people, clock):
    make_tariff(desk=900)
    booked = services.book_half_days(people.member.actor(), TUESDAY, PM)
    clock.set(wall(10))
    arrival = presence.check_in(people.host.actor(), booked.public_id)
    assert arrival.walked_in
    assert said(people.member) == [("am", "came", "walkin"), ("pm", "came", "web")]
    desks = {unit.resource_id for unit in (*arrival.booking.units, *booked.units)}
    assert len(desks) == 1, "the same desk, which was free"
    assert owed(people.member) == [900, 900]
    clock.set(wall(8, day=25))
    assert counted() == (2, 2, 0, 1)


def test_twenty_minutes_early_is_early_and_no_second_half_day(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, PM)
    clock.set(wall(12, 40))
    assert not presence.arrive(people.member.actor()).walked_in
    assert said(people.member) == [("pm", "came", "web")]


def test_a_walk_in_just_before_lunch_comes_for_the_afternoon(people, clock):
    clock.set(wall(12, 40))
    assert presence.arrive(people.member.actor()).walked_in
    assert said(people.member) == [("pm", "came", "walkin")]


@pytest.mark.parametrize(
    ("leaves", "halves"), [((17, 30), 2), ((13, 20), 1), ((18, 20), 2), ((21, 0), 1), ((12, 0), 1)]
)
def test_a_walk_in_who_stays_counts_each_half_they_stayed_in(people, clock, leaves, halves):
    clock.set(wall(9, 30))
    presence.arrive(people.member.actor())
    clock.set(wall(*leaves))
    departure = presence.leave(people.host.actor(), person=people.member.public_id)
    assert len(departure.counted) == halves - 1
    assert [row[:2] for row in said(people.member)] == [("am", "came"), ("pm", "came")][:halves]
    assert len({unit.resource_id for unit in db.session.scalars(select(BookingUnit))}) == 1
    clock.set(wall(8, day=25))
    assert counted() == (halves, halves, 0, 1)


def test_a_walk_in_without_a_departure_counts_the_half_day_of_arrival(people, clock):
    clock.set(wall(9, 30))
    presence.arrive(people.member.actor())
    clock.set(wall(8, day=25))
    assert counted() == (1, 1, 0, 1)


def test_here_again_in_the_afternoon_takes_the_afternoon(people, clock):
    clock.set(wall(9, 30))
    presence.arrive(people.member.actor())
    clock.set(wall(14))
    assert presence.arrive(people.host.actor(), person=people.member.public_id).walked_in
    assert not presence.arrive(people.host.actor(), person=people.member.public_id).walked_in
    assert len(presences.presences_on(TUESDAY)) == 1
    assert said(people.member) == [("am", "came", "walkin"), ("pm", "came", "walkin")]


def test_who_left_unseen_stayed_for_what_they_had(people, clock):
    clock.set(wall(9, 30))
    presence.arrive(people.member.actor())
    clock.set(wall(17))
    left = presence.leave(people.host.actor(), person=people.member.public_id, unseen=True)
    assert (left.counted, left.presence.left_at) == ((), wall(13))
    assert said(people.member) == [("am", "came", "walkin")]


def test_a_stay_recorded_for_the_wrong_person_is_undone_alone(people, clock):
    make_tariff(desk=900)
    clock.set(wall(9, 30))
    presence.arrive(people.member.actor())
    clock.set(wall(14))
    stays = presence.arrive(people.host.actor(), person=people.member.public_id)
    assert (stays.again, stays.walked_in) == (True, True)
    for _ in range(2):
        presence.undo_stay(people.host.actor(), stays.booking.public_id)
    assert said(people.member) == [("am", "came", "walkin")]
    assert owed(people.member) == [900]
    with pytest.raises(NotFound):
        presence.undo_stay(people.member.actor(), stays.booking.public_id)


def test_a_late_departure_of_the_wrong_person_owes_no_afternoon_once_undone(people, clock):
    make_tariff(desk=900)
    clock.set(wall(9, 30))
    presence.arrive(people.member.actor())
    clock.set(wall(17))
    left = presence.leave(people.host.actor(), person=people.member.public_id)
    assert owed(people.member) == [900, 900]
    presence.undo_departure(people.host.actor(), left.presence.public_id)
    assert said(people.member) == [("am", "came", "walkin")]
    assert owed(people.member) == [900]


def test_staying_costs_nothing_when_every_desk_is_taken(people, clock):
    clock.set(wall(9, 30))
    presence.arrive(people.member.actor())
    for person in (people.colleague, people.stranger, people.manager, people.host):
        services.book_half_days(person.actor(), TUESDAY, PM)
    clock.set(wall(17))
    assert presence.leave(people.member.actor()).counted == ()
    assert said(people.member) == [("am", "came", "walkin")]


def test_a_whole_day_left_at_eleven_is_one_half_and_one_absence(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9))
    presence.arrive(people.member.actor())
    clock.set(wall(11))
    presence.leave(people.member.actor())
    assert [row[1] for row in said(people.member)] == ["came", "pending"], "they may still come back"
    clock.set(wall(17, 59))
    assert settling.settle_seen() == 0
    clock.set(wall(18))
    assert settling.settle_seen() == 1
    assert [row[1] for row in said(people.member)] == ["came", "absent"]
    clock.set(wall(8, day=25))
    assert counted() == (2, 1, 1, 1)


def test_a_whole_day_begun_at_two_is_one_absence_and_one_half(people, clock):
    make_tariff(desk=900)
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(14))
    presence.arrive(people.member.actor())
    assert [row[1] for row in said(people.member)] == ["absent", "came"]
    assert owed(people.member) == [900, 900], "an absence stays owed as it was booked"
    clock.set(wall(8, day=25))
    assert counted() == (2, 1, 1, 1)


def test_come_at_four_for_a_morning_is_an_absence_and_a_walk_in(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, AM)
    clock.set(wall(16))
    assert presence.arrive(people.member.actor()).walked_in
    assert said(people.member) == [("am", "absent", "web"), ("pm", "came", "walkin")]
    clock.set(wall(8, day=25))
    assert counted() == (2, 1, 1, 1)


def test_who_comes_for_a_meeting_pays_no_desk(people, place, clock):
    room = place.rooms[0].public_id
    meeting = Request(Span(wall(15), wall(16)), (RequestedItem(resource=room),))
    services.book(people.member.actor(), meeting)
    clock.set(wall(13, 30))
    assert not presence.arrive(people.member.actor()).walked_in
    clock.set(wall(16, 5))
    assert presence.leave(people.member.actor()).counted == ()
    assert said(people.member) == [(None, "came", "web")]


def test_a_wrong_tap_undone_leaves_nothing_of_either_half(people, clock):
    make_tariff(desk=900)
    services.book_half_days(people.member.actor(), TUESDAY, PM)
    clock.set(wall(10))
    arrival = presence.arrive(people.host.actor(), person=people.member.public_id)
    presence.undo_arrival(people.host.actor(), arrival.presence.public_id)
    assert said(people.member) == [("pm", "pending", "web")]
    assert owed(people.member) == [900]
    clock.set(wall(14))
    late = presence.arrive(people.host.actor(), person=people.member.public_id)
    presence.undo_arrival(people.host.actor(), late.presence.public_id)
    assert said(people.member) == [("pm", "pending", "web")]


def test_an_absence_that_followed_from_a_wrong_tap_goes_with_it(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(14))
    arrival = presence.arrive(people.host.actor(), person=people.member.public_id)
    presence.undo_arrival(people.host.actor(), arrival.presence.public_id)
    assert [row[1] for row in said(people.member)] == ["pending", "pending"]


def test_a_departure_tapped_by_mistake_is_undone(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9))
    presence.arrive(people.member.actor())
    clock.set(wall(11))
    left = presence.leave(people.host.actor(), person=people.member.public_id)
    presence.undo_departure(people.host.actor(), left.presence.public_id)
    assert [row[1] for row in said(people.member)] == ["came", "came"]
    presence.undo_departure(people.host.actor(), left.presence.public_id)


def test_what_is_booked_while_there_is_attended(people, clock):
    clock.set(wall(9))
    presence.arrive(people.member.actor())
    clock.set(wall(11))
    services.book_half_days(people.member.actor(), TUESDAY, PM)
    clock.set(wall(18))
    settling.settle_seen()
    assert [row[1] for row in said(people.member)] == ["came", "came"]
