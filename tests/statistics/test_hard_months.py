"""Months that are hard to count: who came, what was booked and not used, what it costs, which seats there were.

Each row of the table "Hard months" in ``docs/statistics.md`` is one test, here or in the files that it names. Who came
and for which half-days is tried in ``tests/presence/test_halves.py``.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.core.db import db
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.spaces import inventory
from coworking.spaces import queries as spaces
from coworking.statistics import facts
from coworking.statistics import services as closing
from coworking.statistics.labels import REASON_WORDS
from coworking.statistics.page import month_page
from tests import factories
from tests.statistics.november import AM, DAY, MONTH, PM, after_the_month, meet, wall

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


def test_recorded_as_absent_by_the_host_there_is_no_worker_day(people, clock):
    booking = services.book_half_days(people.member.actor(), date(2026, 11, 2), AM)
    (unit,) = [unit.id for unit in booking.units]
    clock.set(wall(2, 9))
    presence.arrive(people.member.actor())
    clock.set(wall(3, 9))
    settling.settle(people.host.actor(), [unit], "absent", reason="relu")
    found = after_the_month(clock)
    assert (found["desk_attended_halfdays"], found["desk_absent_halfdays"]) == (0, 1)
    assert found["worker_days"] is None, "nobody was seen all month, so that nobody knows who came"


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


def test_every_figure_that_nothing_fills_says_why(people, clock):
    clock.set(wall(1, 9, month=12))
    page = month_page(MONTH)
    said = {row.name: row.reason for _title, rows in page.groups for row in rows if row.value is None}
    assert said["waitlisted_requests"] == "il n’y a pas encore de liste d’attente"
    assert said["workshops"] == "les ateliers ne sont pas encore notés ici"
    assert set(said) >= {"people_by_status", "revenue_cents_by_family", "volunteer_minutes", "digital_help_group"}
    assert REASON_WORDS["not_recorded"] not in said.values() and None not in said.values()


# What was booked and not used -------------------------------------------------------------------------------------------


def test_staff_cancelling_their_own_mistake_is_no_late_cancelling(people, clock):
    day = date(2026, 11, 3)
    wrong = services.book_half_days(people.host.actor(), day, AM, person=people.member.public_id).public_id
    asked = services.book_half_days(people.host.actor(), day, PM, person=people.stranger.public_id).public_id
    clock.set(wall(3, 8))  # long after the deadline of the day before, and after the minutes of regret
    services.cancel(people.host.actor(), wrong, mistake=True)
    services.cancel(people.stranger.actor(), asked)
    assert after_the_month(clock)["desk_late_cancelled_halfdays"] == 1


def test_guests_of_a_meeting_whose_booker_was_absent_are_not_counted(people, place, clock):
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


def test_without_a_price_list_paid_and_free_room_minutes_are_unknown(people, place, clock):
    meet(people.member, place.rooms[0], 3)
    clock.set(wall(3, 18))
    factories.make_tariff(room=1500, valid_from=date(2026, 11, 3))  # what was booked before asks nothing of it
    found = after_the_month(clock)
    assert found["room_booked_minutes"] == 60
    for name in ("room_minutes_paid", "room_minutes_free"):
        assert (found[name], found["null_reasons"][name]) == (None, "not_recorded")


def test_rooms_left_out_of_the_price_list_are_free(people, place, clock):
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
