"""Months that are hard to count: the rows of the table "Hard months" in ``docs/statistics.md``, one test each.

Who came and for which half-days is tried in ``tests/presence/test_halves.py``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from coworking.booking import refusals, services
from coworking.booking.models import Booking, BookingUnit, RefusedRequest
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import NothingFree
from coworking.claims.rules import ClaimConflict
from coworking.core.db import db
from coworking.core.errors import Busy
from coworking.core.months import month_end
from coworking.core.policy import SYSTEM
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.frontdesk.today import today
from coworking.presence import checks, settling
from coworking.presence import services as presence
from coworking.spaces import calendar, inventory
from coworking.spaces import queries as spaces
from coworking.spaces import services as places
from coworking.spaces.models import Lieu, LieuDay, OpenSpan
from coworking.spaces.rules import Opening
from coworking.statistics import facts, return_rules
from coworking.statistics import services as closing
from coworking.statistics.consistency import ReturnInvalid
from coworking.statistics.envelope import envelope, figures_table
from coworking.statistics.labels import REASON_WORDS
from coworking.statistics.page import month_page
from coworking.statistics.people import undecided
from tests import factories
from tests.statistics.oracle import PARIS, Oracle

MONTH = date(2026, 11, 1)
AM, PM, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})


def wall(day: int, hour: int, minute: int = 0, *, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=PARIS)


@pytest.fixture
def people(inside: Flask, place, cast, clock):
    """The lieu on Monday 2 November at 7:00, before it opens."""
    clock.set(wall(2, 7))
    return cast


def meet(person, room, day: int, *, guests: int = 0, hours: int = 1) -> str:
    start = wall(day, 10)
    item = RequestedItem(resource=room.public_id)
    request = Request(span=Span(start, start + timedelta(hours=hours)), items=(item,), guests=guests)
    return services.book(person.actor(), request).public_id


def after_the_month(clock) -> dict:
    """The figures of November, on the morning after it; what was seen is settled every night."""
    clock.advance(days=1)
    settling.settle_seen()
    clock.set(wall(1, 9, month=12))
    calendar.freeze_past_days()
    return closing.figures_now(MONTH)


# Who came ---------------------------------------------------------------------------------------------------------------


def test_arriving_before_a_booked_afternoon_counts_both_halves(people, clock):
    services.book_half_days(people.member.actor(), date(2026, 11, 2), PM)
    clock.set(wall(2, 10))
    presence.arrive(people.member.actor())
    found = after_the_month(clock)
    assert (found["desk_booked_halfdays"], found["desk_attended_halfdays"], found["worker_days"]) == (2, 2, 1)


def test_a_walk_in_who_stays_all_day_counts_two_halves(people, clock):
    clock.set(wall(2, 9, 30))
    presence.arrive(people.member.actor())
    clock.set(wall(2, 17, 30))
    presence.leave(people.member.actor())
    found = after_the_month(clock)
    assert (found["desk_booked_halfdays"], found["desk_attended_halfdays"], found["worker_days"]) == (2, 2, 1)


def test_half_a_whole_day_is_one_half_attended_and_one_absent(people, clock):
    for person in (people.member, people.stranger):
        services.book_half_days(person.actor(), date(2026, 11, 2), DAY)
    clock.set(wall(2, 9))
    presence.arrive(people.member.actor())
    clock.set(wall(2, 11))
    presence.leave(people.member.actor())
    clock.set(wall(2, 14))
    presence.arrive(people.stranger.actor())
    found = after_the_month(clock)
    assert (found["desk_booked_halfdays"], found["desk_attended_halfdays"], found["desk_absent_halfdays"]) == (4, 2, 2)


def test_coming_at_four_for_a_morning_is_an_absence_and_a_walk_in(people, clock):
    services.book_half_days(people.member.actor(), date(2026, 11, 2), AM)
    clock.set(wall(2, 16))
    presence.arrive(people.member.actor())
    found = after_the_month(clock)
    assert (found["desk_booked_halfdays"], found["desk_attended_halfdays"], found["desk_absent_halfdays"]) == (2, 1, 1)


def test_said_absent_by_the_host_leaves_no_worker_day(people, clock):
    booking = services.book_half_days(people.member.actor(), date(2026, 11, 2), AM)
    (unit,) = [unit.id for unit in booking.units]
    clock.set(wall(2, 9))
    presence.arrive(people.member.actor())
    clock.set(wall(3, 9))
    settling.settle(people.host.actor(), [unit], "absent", reason="relu")
    found = after_the_month(clock)
    assert (found["desk_attended_halfdays"], found["desk_absent_halfdays"]) == (0, 1)
    assert found["worker_days"] is None, "nobody was seen all month, so that nobody knows who came"


# What was booked and not used -------------------------------------------------------------------------------------------


def test_staff_cancelling_their_own_mistake_is_no_late_cancelling(people, clock):
    day = date(2026, 11, 3)
    wrong = services.book_half_days(people.host.actor(), day, AM, person=people.member.public_id).public_id
    asked = services.book_half_days(people.host.actor(), day, PM, person=people.stranger.public_id).public_id
    clock.set(wall(3, 8))  # long after the deadline of the day before, and after the minutes of regret
    services.cancel(people.host.actor(), wrong, mistake=True)
    services.cancel(people.stranger.actor(), asked)
    assert after_the_month(clock)["desk_late_cancelled_halfdays"] == 1


def test_guests_of_a_meeting_nobody_came_to_are_not_counted(people, place, clock):
    absent = meet(people.member, place.rooms[0], 3, guests=6)
    meet(people.colleague, place.rooms[0], 4, guests=4)  # nobody says anything: they are taken at their word
    came = meet(people.stranger, place.rooms[0], 5, guests=3)
    clock.set(wall(6, 9))
    settling.settle(people.host.actor(), [unit_of(absent)], "absent")
    settling.settle(people.host.actor(), [unit_of(came)], "came")
    assert after_the_month(clock)["room_guests_declared"] == 7


def unit_of(booking: str) -> int:
    return db.session.scalars(select(BookingUnit.id).join(Booking).where(Booking.public_id == booking)).one()


# What it costs ----------------------------------------------------------------------------------------------------------


def test_without_a_price_list_nobody_knows_what_a_room_hour_is(people, place, clock):
    meet(people.member, place.rooms[0], 3)
    clock.set(wall(3, 18))
    factories.make_tariff(room=1500, valid_from=date(2026, 11, 3))  # what was booked before asks nothing of it
    found = after_the_month(clock)
    assert found["room_booked_minutes"] == 60
    for name in ("room_minutes_paid", "room_minutes_free"):
        assert (found[name], found["null_reasons"][name]) == (None, "not_recorded")


def test_what_a_price_list_leaves_out_is_free(people, place, clock):
    factories.make_tariff(room=None)
    meet(people.member, place.rooms[0], 3)
    found = after_the_month(clock)
    assert (found["room_minutes_paid"], found["room_minutes_free"]) == (0, 60)


def test_a_month_without_any_meeting_has_nothing_paid_and_nothing_free(people, clock):
    found = after_the_month(clock)
    assert (found["room_booked_minutes"], found["room_minutes_paid"], found["room_minutes_free"]) == (0, 0, 0)


# What was there ---------------------------------------------------------------------------------------------------------


def test_seats_changed_in_december_leave_november_as_it_was(people, place, clock):
    """Nothing has counted November before: the day on which seats change is known, not only their number of today."""
    table, room, manager = place.desks[0], place.rooms[0], people.manager.actor()
    for when, seats in ((wall(16, 9), 3), (wall(16, 10), 2), (wall(20, 9, month=12), 6)):
        clock.set(when)
        inventory.update_resource(manager, table.public_id, seats=seats)
    inventory.update_resource(manager, room.public_id, seats=20)
    found = closing.figures_now(MONTH)
    assert found["by_weekday_hour"][0][9][1] == 60 * (2 * 4 + 3 * 5), (
        "two Mondays with one seat at each, three with two"
    )
    assert found["seats_in_rooms"] == 12 + 1
    december = closing.figures_now(date(2026, 12, 1))
    assert december["by_weekday_hour"][0][9][1] == 60 * 2 * 5, "Mondays 7 and 14; the 21st is to come"


def test_seats_of_a_table_that_came_in_the_middle_of_a_month(people, place, clock):
    manager = people.manager.actor()
    clock.set(wall(9, 9))
    zone = spaces.zones()[0].public_id
    (table,) = inventory.add_resources(manager, kind="desk", zone_public_id=zone, names=["Grande table"], seats=4)
    inventory.update_resource(manager, table.public_id, seats=5)  # mistyped, and mended on the same day
    clock.set(wall(1, 9, month=12))
    inventory.update_resource(manager, table.public_id, seats=8)
    found = closing.figures_now(MONTH)
    assert found["by_weekday_hour"][0][9][1] == 60 * (4 + 4 * (4 + 5)), "from Monday the 9th on, with five seats"


# A month that began before the lieu did ---------------------------------------------------------------------------------


@pytest.fixture
def begun(inside: Flask, clock):
    """A lieu set up on Wednesday 25 November at 21:00."""
    clock.set(wall(25, 21))
    place = factories.make_place(desks=2)
    cast = factories.make_cast()
    with write_unit():
        db.session.execute(delete(OpenSpan).where(OpenSpan.day < date(2026, 11, 25)))
        db.session.execute(delete(LieuDay).where(LieuDay.day < date(2026, 11, 25)))
    return place, cast


def test_a_month_that_began_before_the_lieu_says_so(begun, clock):
    found = after_the_month(clock)
    assert found["open_days"] == 5, "the 25th to the 28th, and Monday the 30th"
    row = closing.close(SYSTEM, MONTH)
    document = envelope(row)
    assert document["counted_from"] == "2026-11-25"
    assert return_rules.check_return(document, at=clock.now) == document
    assert "counted_from;2026-11-25;" in figures_table(row)
    assert [step.title for step in month_page(MONTH).steps if step.state == "odd"] == ["Compté à partir du 25 novembre"]
    clock.set(wall(5, 9, month=1, year=2027))
    assert "counted_from" not in envelope(closing.close(SYSTEM, date(2026, 12, 1)))


@pytest.mark.parametrize("day", ["2026-11-01", "2026-10-25", "2026-12-01", "2026-11-31", "25/11/2026", 25, None])
def test_a_month_is_counted_from_one_of_its_own_days(begun, clock, day):
    after_the_month(clock)
    document = {**envelope(closing.close(SYSTEM, MONTH)), "counted_from": day}
    with pytest.raises(ReturnInvalid) as refused:
        return_rules.check_return(document, at=clock.now)
    assert refused.value.at_field == "counted_from"


# What nobody got --------------------------------------------------------------------------------------------------------


@pytest.fixture
def full(people, place):
    """Every desk and the large room are taken all day on the 3rd; the host has them."""
    for desk in place.desks:
        services.book_half_days(
            people.host.actor(), date(2026, 11, 3), DAY, resource=desk.public_id, several_places=True
        )
    meet(people.host, place.rooms[0], 3, hours=8)
    return people


def refuse(act) -> None:
    with pytest.raises((NothingFree, ClaimConflict)):
        act()


def test_sixteen_tries_are_one_refused_request(full, place, clock):
    day = date(2026, 11, 3)
    for _ in range(8):
        refuse(lambda: services.book_half_days(full.member.actor(), day, AM))
        clock.advance(hours=1)
        refuse(lambda: services.book_half_days(full.host.actor(), day, PM, person=full.member.public_id))
    assert db.session.query(RefusedRequest).count() == 1
    refuse(lambda: services.book_half_days(full.stranger.actor(), day, DAY))
    refuse(lambda: meet(full.member, place.rooms[0], 3, guests=5))  # the other room is too small for six
    found = after_the_month(clock)
    assert found["refused_requests"] == 3, "a desk for two people, a room for one of them"


def test_what_could_be_had_elsewhere_was_not_refused(full, place, clock):
    day = date(2026, 11, 4)
    services.book_half_days(full.stranger.actor(), day, AM, resource=place.desks[0].public_id)
    refuse(lambda: services.book_half_days(full.member.actor(), day, AM, resource=place.desks[0].public_id))
    refuse(lambda: meet(full.member, place.rooms[0], 3))  # the small room would do for one
    assert after_the_month(clock)["refused_requests"] == 0


def test_whose_refused_request_it_was_is_forgotten_once_the_day_is_over(full, clock):
    refuse(lambda: services.book_half_days(full.member.actor(), date(2026, 11, 3), AM))
    (row,) = db.session.scalars(select(RefusedRequest))
    assert row.who is not None and full.member.public_id not in row.who
    assert refusals.forget_who() == 0
    clock.set(wall(4, 0, 5))
    assert refusals.forget_who() == 1
    assert db.session.scalars(select(RefusedRequest.who)).all() == [None]
    assert after_the_month(clock)["refused_requests"] == 1


def test_before_refusals_were_counted_their_number_is_unknown(full, clock):
    refuse(lambda: services.book_half_days(full.member.actor(), date(2026, 11, 3), AM))
    with write_unit():
        db.session.execute(update(Lieu).values(refusals_from=date(2026, 11, 2)))
    found = after_the_month(clock)
    assert (found["refused_requests"], found["null_reasons"]["refused_requests"]) == (None, "not_recorded")


def test_a_refusal_answers_though_it_cannot_be_counted(full, monkeypatch):
    def busy(*_args, **_values):
        raise Busy()

    monkeypatch.setattr(refusals, "inserted", busy)
    refuse(lambda: services.book_half_days(full.member.actor(), date(2026, 11, 3), AM))
    assert db.session.scalars(select(RefusedRequest)).all() == []


def test_every_figure_that_nothing_fills_says_why(people, clock):
    clock.set(wall(1, 9, month=12))
    page = month_page(MONTH)
    said = {row.name: row.reason for _title, rows in page.groups for row in rows if row.value is None}
    assert said["waitlisted_requests"] == "il n’y a pas encore de liste d’attente"
    assert said["workshops"] == "les ateliers ne sont pas encore notés ici"
    assert set(said) >= {"people_by_status", "revenue_cents_by_family", "volunteer_minutes", "digital_help_group"}
    assert REASON_WORDS["not_recorded"] not in said.values() and None not in said.values()


def test_the_hours_people_were_there_stand_beside_those_they_booked(people, clock):
    services.book_half_days(people.member.actor(), date(2026, 11, 2), AM)
    clock.set(wall(2, 9, 30))
    presence.arrive(people.member.actor())
    clock.set(wall(2, 11, 15))
    presence.leave(people.member.actor())
    after_the_month(clock)
    (monday,) = facts.between(date(2026, 11, 2), date(2026, 11, 2))
    assert [monday.hours[hour][0] for hour in range(9, 13)] == [60, 60, 60, 60]
    assert [monday.hours[hour][2] for hour in range(9, 13)] == [30, 60, 15, 0]
    attended = month_page(MONTH).attended
    assert attended is not None and attended.cells[0][0].words == "lundi 9 h\u202f: 3\u202f% utilisé"


# Through the night ------------------------------------------------------------------------------------------------------

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


def test_who_leaves_soon_after_midnight_uses_no_half_day(nights, clock):
    clock.set(wall(25, 0, 20, month=10))
    presence.leave(nights.host.actor(), person=nights.member.public_id)
    assert night_facts(clock) == [(1, 1, 240, 1, 0), (0, 0, 0, 1, 0)]


def test_whom_nobody_saw_leave_is_asked_about_until_the_morning_is_over(nights, clock):
    def asked() -> list[str]:
        return [one.presence.person.public_id for one in today(is_manager=False).lingering]

    clock.set(wall(25, 0, 30, month=10))
    assert asked() == [nights.member.public_id]
    clock.set(wall(25, 13, month=10))
    assert asked() == [] and presence.leave(nights.member.actor()) is None
    assert night_facts(clock) == [(1, 1, 240, 1, 0), (0, 0, 0, 0, 0)]


def test_who_came_again_is_no_longer_there_since_yesterday(nights, clock):
    clock.set(wall(25, 9, month=10))
    presence.arrive(nights.member.actor())
    assert today(is_manager=False).lingering == []
    clock.set(wall(25, 12, month=10))
    presence.leave(nights.member.actor())
    assert presence.leave(nights.member.actor()) is None
    assert night_facts(clock) == [(1, 1, 240, 1, 0), (1, 1, 180, 1, 0)]


def test_said_to_be_gone_unseen_they_stayed_for_what_they_had(nights, clock):
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


def test_one_left_before_midnight_was_attended_on_the_first_date_alone(nights, place, clock):
    meet_at_night(nights.member, place.rooms[0])
    clock.set(wall(24, 23, 30, month=10))
    presence.leave(nights.member.actor())
    assert night_rooms(clock) == [(120, 120, 90, 3), (120, 120, 0, 0)]


def test_one_begun_after_midnight_was_attended_on_the_second_date_alone(nights, place, clock):
    meet_at_night(nights.colleague, place.rooms[0])
    clock.set(wall(25, 0, 30, month=10))
    presence.arrive(nights.colleague.actor())
    assert night_rooms(clock) == [(120, 120, 0, 3), (120, 120, 90, 0)]


def test_one_nobody_saw_end_was_attended_to_its_end(nights, place, clock):
    meet_at_night(nights.member, place.rooms[0])
    assert night_rooms(clock) == [(120, 120, 120, 3), (120, 120, 120, 0)]


def test_one_whose_booker_is_said_absent_was_attended_on_neither(nights, place, clock):
    unit = meet_at_night(nights.colleague, place.rooms[0])
    clock.set(wall(25, 9, month=10))
    settling.settle(nights.host.actor(), [unit], "absent")
    assert night_rooms(clock) == [(120, 120, 0, 0), (120, 120, 0, 0)]


def test_one_through_the_hour_that_happens_twice_has_it_twice(nights, place, clock):
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


def test_where_the_lieu_closed_nobody_is_still_there(people, clock):
    clock.set(wall(2, 17))
    presence.arrive(people.member.actor())
    clock.set(wall(3, 0, 30))
    assert presence.leave(people.member.actor()) is None
    assert today(is_manager=False).lingering == []
