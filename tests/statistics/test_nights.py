"""Stays and meetings through the night are counted on each date, also when clocks change and at a month's end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from coworking.booking import services
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.months import month_end
from coworking.core.timespan import Span
from coworking.frontdesk.today import today
from coworking.presence import checks, settling
from coworking.presence import services as presence
from coworking.spaces import calendar
from coworking.spaces import services as places
from coworking.spaces.rules import Opening
from coworking.statistics import facts
from coworking.statistics import services as closing
from coworking.statistics.people import undecided
from tests.statistics.november import MONTH, wall
from tests.statistics.oracle import Oracle

SATURDAY, SUNDAY = date(2026, 10, 24), date(2026, 10, 25)


@pytest.fixture
def nights(inside: Flask, place, cast, clock):
    """The lieu is open round the clock; it is Saturday 24 October at 20:00. Clocks go back that night."""
    clock.set(wall(20, 7, month=10))
    openings = [Opening(weekday, "accessible", 0, 1440) for weekday in range(7)]
    places.set_schedule(cast.manager.actor(), valid_from=date(2026, 10, 20), split_minute=13 * 60, openings=openings)
    clock.set(wall(24, 20, month=10))
    presence.arrive(cast.member.actor())
    return cast


def night_facts(clock) -> list[tuple[int, int, int, int, int]]:
    """Of Saturday and Sunday: half-days booked and attended, minutes attended, worker-days, minutes outside hours."""
    clock.set(wall(26, 9, month=10))
    calendar.freeze_past_days()
    settling.settle_seen()
    assert [*checks.came_and_was_there(), *checks.was_there_and_came()] == []
    db.session.rollback()
    days = facts.between(SATURDAY, SUNDAY)
    oracle = Oracle()
    for day in days:
        counted = oracle.day(day.day)
        assert {name: getattr(day, name) for name in counted} == counted
    return [
        (day.desk_booked, day.desk_attended, sum(hour[2] for hour in day.hours), day.workers, day.outside_minutes)
        for day in days
    ]


def test_a_stay_through_the_night_on_which_clocks_go_back(nights, clock):
    clock.set(datetime(2026, 10, 25, 2, 30, tzinfo=UTC))  # 3:30 at the lieu, four and a half hours after midnight
    left = presence.leave(nights.member.actor())
    assert left is not None and (left.presence.day, len(left.counted)) == (SUNDAY, 1)
    assert night_facts(clock) == [(1, 1, 240, 1, 0), (1, 1, 270, 1, 0)]


def test_leaving_soon_after_midnight_uses_no_half_day(nights, clock):
    clock.set(wall(25, 0, 20, month=10))
    presence.leave(nights.host.actor(), person=nights.member.public_id)
    assert night_facts(clock) == [(1, 1, 240, 1, 0), (0, 0, 0, 1, 0)]


def test_today_asks_about_a_missing_departure_until_the_morning_is_over(nights, clock):
    def asked() -> list[str]:
        return [one.presence.person.public_id for one in today(is_manager=False).lingering]

    clock.set(wall(25, 0, 30, month=10))
    assert asked() == [nights.member.public_id]
    clock.set(wall(25, 13, month=10))
    assert asked() == [] and presence.leave(nights.member.actor()) is None
    assert night_facts(clock) == [(1, 1, 240, 1, 0), (0, 0, 0, 0, 0)]


def test_a_person_who_comes_again_is_not_listed_as_there_since_yesterday(nights, clock):
    clock.set(wall(25, 9, month=10))
    presence.arrive(nights.member.actor())
    assert today(is_manager=False).lingering == []
    clock.set(wall(25, 12, month=10))
    presence.leave(nights.member.actor())
    assert presence.leave(nights.member.actor()) is None
    assert night_facts(clock) == [(1, 1, 240, 1, 0), (1, 1, 180, 1, 0)]


def test_with_an_unknown_departure_they_stayed_to_the_end_of_their_half_day(nights, clock):
    clock.set(wall(25, 8, month=10))
    presence.leave(nights.host.actor(), person=nights.member.public_id, unseen=True)
    assert night_facts(clock) == [(1, 1, 240, 1, 0), (0, 0, 0, 0, 0)]


def meet_at_night(person, room, hours: int = 4) -> int:
    """From 22:00 on Saturday: two hours of it are Saturday's. The id of what was booked."""
    start = wall(24, 22, month=10).astimezone(UTC)
    request = Request(Span(start, start + timedelta(hours=hours)), (RequestedItem(resource=room.public_id),), guests=3)
    return services.book(person.actor(), request).units[0].id


def night_rooms(clock) -> list[tuple[int, int, int, int]]:
    """Of Saturday and Sunday: room minutes booked, known and attended, and guests."""
    night_facts(clock)
    days = facts.between(SATURDAY, SUNDAY)
    return [(day.room_booked, day.room_known, day.room_attended, day.room_guests) for day in days]


def test_a_meeting_over_midnight_counts_on_each_date_what_passes_there(nights, place, clock):
    meet_at_night(nights.member, place.rooms[0])
    clock.set(wall(25, 1, month=10))
    presence.leave(nights.member.actor())
    assert night_rooms(clock) == [(120, 120, 120, 3), (120, 120, 60, 0)]


def test_a_meeting_left_before_midnight_was_attended_on_the_first_date_alone(nights, place, clock):
    meet_at_night(nights.member, place.rooms[0])
    clock.set(wall(24, 23, 30, month=10))
    presence.leave(nights.member.actor())
    assert night_rooms(clock) == [(120, 120, 90, 3), (120, 120, 0, 0)]


def test_a_meeting_begun_after_midnight_was_attended_on_the_second_date_alone(nights, place, clock):
    meet_at_night(nights.colleague, place.rooms[0])
    clock.set(wall(25, 0, 30, month=10))
    presence.arrive(nights.colleague.actor())
    assert night_rooms(clock) == [(120, 120, 0, 3), (120, 120, 90, 0)]


def test_a_meeting_without_a_recorded_end_was_attended_to_its_end(nights, place, clock):
    meet_at_night(nights.member, place.rooms[0])
    assert night_rooms(clock) == [(120, 120, 120, 3), (120, 120, 120, 0)]


def test_a_meeting_whose_booker_was_absent_was_attended_on_neither_date(nights, place, clock):
    unit = meet_at_night(nights.colleague, place.rooms[0])
    clock.set(wall(25, 9, month=10))
    settling.settle(nights.host.actor(), [unit], "absent")
    assert night_rooms(clock) == [(120, 120, 0, 0), (120, 120, 0, 0)]


def test_a_meeting_through_the_hour_that_happens_twice_counts_it_twice(nights, place, clock):
    meet_at_night(nights.colleague, place.rooms[0], hours=7)  # to 4:00 by the wall clock
    assert [row[0] for row in night_rooms(clock)] == [120, 300]


def test_a_meeting_over_the_end_of_the_month_is_split_between_the_months(nights, place, clock):
    clock.set(wall(30, 12))
    start = wall(30, 23).astimezone(UTC)
    request = Request(Span(start, start + timedelta(hours=3)), (RequestedItem(resource=place.rooms[0].public_id),))
    unit = services.book(nights.colleague.actor(), request).units[0].id
    clock.set(wall(2, 9, month=12))
    calendar.freeze_past_days()
    months = MONTH, date(2026, 12, 1)
    assert [closing.figures_now(month)["room_booked_minutes"] for month in months] == [60, 120]
    assert [undecided(month, month_end(month)) for month in months] == [1, 1]
    settling.settle(nights.host.actor(), [unit], "came")
    assert [closing.figures_now(month)["room_attended_minutes"] for month in months] == [60, 120]
    assert [undecided(month, month_end(month)) for month in months] == [0, 0]


def test_after_closing_no_one_is_listed_as_still_there(people, clock):
    clock.set(wall(2, 17))
    presence.arrive(people.member.actor())
    clock.set(wall(3, 0, 30))
    assert presence.leave(people.member.actor()) is None
    assert today(is_manager=False).lingering == []
