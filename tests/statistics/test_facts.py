"""Daily facts against a count minute by minute, and when they are counted again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from coworking.accounts.models import Person
from coworking.booking import services
from coworking.booking.models import BookingUnit
from coworking.claims import services as claims
from coworking.claims.rules import Wanted
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.presence import checks, settling
from coworking.presence import services as presence
from coworking.presence.models import Presence
from coworking.spaces import calendar, inventory
from coworking.spaces import queries as spaces
from coworking.spaces import services as places
from coworking.spaces.rules import Opening
from coworking.statistics import facts
from coworking.statistics.consistency import check_consistency
from coworking.statistics.months import ATTENDED, PeopleCounts, by_hour, figures
from tests import factories
from tests.conftest import _empty
from tests.statistics.months import make_life
from tests.statistics.oracle import PARIS, Oracle

MARCH, OCTOBER = date(2026, 3, 29), date(2026, 10, 25)
"""The days on which clocks change; 25 December and Easter Monday (6 April) are kept, too."""


NAMES = (
    *("desk_offered", "desk_booked", "desk_attended", "desk_known", "desk_absent", "desk_late_cancelled"),
    *(
        "desk_resident",
        "room_offered",
        "room_booked",
        "room_attended",
        "room_known",
        "room_paid",
        "room_free",
        "refused",
    ),
    *("room_guests", "seats_in_service"),
)


@pytest.mark.parametrize("first, days", [(date(2026, 3, 25), 15), (date(2026, 10, 21), 13), (date(2026, 12, 21), 8)])
@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a month takes seconds: shrinking one would take hours
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_facts_are_what_counting_every_minute_gives(app, clock, seed, first, days):
    _empty(app)
    last = first + timedelta(days=days - 1)
    clock.set(datetime(first.year, first.month, first.day, 6, tzinfo=PARIS))
    with app.app_context():
        make_life(Random(seed).randrange, first).live(first, last)
        clock.set(datetime(last.year, last.month, last.day, 12, tzinfo=PARIS) + timedelta(days=1))
        calendar.freeze_past_days()
        settling.settle_seen()
        assert [*checks.came_and_was_there(), *checks.was_there_and_came()] == []
        db.session.rollback()
        found = {row.day: row for row in facts.between(first, last)}
        assert len(found) == days
        oracle, counted = Oracle(), []
        for day, row in found.items():
            wanted = dict.fromkeys((*NAMES, "room_internal"), 0) | oracle.day(day)
            counted.append(wanted)
            assert {name: getattr(row, name) for name in wanted} == wanted, day
        check_month(list(found.values()), counted, first)


def check_month(found, days, first) -> None:
    """The sums of the days against the raw rows again."""
    people = PeopleCounts(distinct=0, worker_days=0, ytd=None, newcomers=None, returning=None, seen=True)
    month = figures(found, people, None, PARIS)
    assert month["open_days"] == sum(1 for day in days if day["accessible_minutes"])
    for name, column in SUMS.items():
        assert month[name] == sum(day[column] for day in days), name
    shares = [day["peak_seats"] / day["seats_in_service"] for day in days]
    assert month["days_over_80_percent"] == sum(1 for share in shares if share >= 0.8)
    assert month["peak_seats"] / month["peak_seats_in_service"] == max(shares)
    for table, what in ((month["by_weekday_hour"], 0), (by_hour(found, ATTENDED), 2)):
        for index, column in ((0, what), (1, 1)):
            counted = sum(pair[index] for hours in table for pair in hours)
            assert counted == sum(numbers[column] for day in days for numbers in day["hours"])
    check_consistency(month, first)


SUMS = {
    "desk_offered_halfdays": "desk_offered",
    "desk_booked_halfdays": "desk_booked",
    "desk_absent_halfdays": "desk_absent",
    "room_booked_minutes": "room_booked",
}


# What is kept, and when it is counted again -----------------------------------------------------------------------------

MONDAY = date(2026, 11, 16)
SUNDAY = date(2026, 11, 22)


@pytest.fixture
def week(inside, place, cast, clock):
    """Last week: Anne has a desk every morning; on Monday she came, since then nobody knows."""
    clock.set(datetime(2026, 11, 13, 9, tzinfo=PARIS))
    for day in range(16, 21):
        services.book_half_days(cast.member.actor(), date(2026, 11, day), frozenset({"am"}))
    clock.set(datetime(2026, 11, 16, 9, 5, tzinfo=PARIS))
    presence.arrive(cast.member.actor())
    clock.set(datetime(2026, 11, 24, 10, tzinfo=PARIS))
    calendar.freeze_past_days()
    return cast


def unit_of(day: date) -> int:
    return db.session.scalars(select(BookingUnit.id).where(BookingUnit.day == day)).one()


def test_a_week_in_numbers(week):
    days = facts.between(MONDAY, SUNDAY)
    assert [row.desk_offered for row in days] == [8, 8, 8, 8, 8, 4, 0]  # four desks; Saturday morning; Sunday closed
    assert [row.desk_booked for row in days] == [1, 1, 1, 1, 1, 0, 0]
    assert [row.desk_attended for row in days] == [1, 0, 0, 0, 0, 0, 0]
    assert [row.accessible_minutes for row in days] == [540] * 5 + [240, 0]
    monday = days[0]
    assert monday.hours[9] == [60, 240, 55] and monday.hours[13] == [0, 240, 0] and monday.hours[18] == [0, 0, 0]
    assert (monday.peak_seats, monday.seats_in_service) == (1, 4)
    assert monday.peak_at == datetime(2026, 11, 16, 9, tzinfo=PARIS)


def test_a_desk_that_is_a_resident_s_all_day_is_outside_the_peak(week, place):
    """Until Wednesday noon: then it is a resident's for a part of the day only, and offered in the other."""
    until = datetime(2026, 11, 18, 12, tzinfo=PARIS)
    with write_unit():
        claims.lock_resources([place.desks[-1].id])
        span = Span(datetime(2026, 11, 16, tzinfo=PARIS), until)
        claims.take([Wanted(place.desks[-1].id, span)], holder=("resident", 1))
        claims.touch(*(MONDAY + timedelta(days=n) for n in range(7)))
    days = facts.between(MONDAY, SUNDAY)
    assert [row.seats_in_service for row in days] == [3, 3, 4, 4, 4, 4, 4]
    assert [row.desk_resident for row in days] == [2, 2, 1, 0, 0, 0, 0]
    assert (days[0].peak_seats, days[0].hours[9][1]) == (1, 180)


def test_only_days_that_are_over_are_counted(week, clock):
    assert facts.between(date(2026, 11, 24), date(2026, 11, 30)) == []
    assert facts.refresh(date(2026, 11, 24), date(2026, 11, 30)) == 0
    clock.set(datetime(2026, 11, 24, 23, 30, tzinfo=UTC))  # already Wednesday at the lieu
    assert [row.day for row in facts.between(date(2026, 11, 24), date(2026, 11, 30))] == [date(2026, 11, 24)]


def test_facts_are_kept_until_their_day_changes(week):
    assert facts.refresh(MONDAY, SUNDAY) == 7
    assert facts.refresh(MONDAY, SUNDAY) == 0
    tuesday = date(2026, 11, 17)
    settling.settle(week.host.actor(), [unit_of(tuesday)], "absent")
    assert list(facts.stale(MONDAY, SUNDAY)) == [tuesday]
    assert [(row.desk_known, row.desk_absent) for row in facts.between(MONDAY, SUNDAY)][:3] == [(1, 0), (1, 1), (0, 0)]
    assert list(facts.stale(MONDAY, SUNDAY)) == [tuesday], "reading keeps nothing"
    assert facts.refresh(MONDAY, SUNDAY) == 1
    settling.settle(week.host.actor(), [unit_of(tuesday)], "came", reason="relu")
    assert facts.refresh(MONDAY, SUNDAY) == 1
    assert [row.desk_attended for row in facts.between(MONDAY, SUNDAY)][:2] == [1, 1]


def test_what_is_changed_today_does_not_rewrite_last_week(week, place):
    facts.refresh(MONDAY, SUNDAY)
    before = [row.hours for row in facts.between(MONDAY, SUNDAY)]
    manager = week.manager.actor()
    today = date(2026, 11, 24)
    openings = [Opening(weekday, "accessible", 0, 1440) for weekday in range(7)]
    places.set_schedule(manager, valid_from=today, split_minute=12 * 60, openings=openings)
    inventory.update_resource(manager, place.desks[0].public_id, seats=6)
    inventory.retire_resource(manager, place.desks[1].public_id, today - timedelta(days=1))
    inventory.add_resources(manager, kind="desk", zone_public_id=spaces.zones()[0].public_id, names=["Poste 9"])
    with write_unit():
        claims.touch(*(MONDAY + timedelta(days=n) for n in range(7)))
    assert facts.refresh(MONDAY, SUNDAY) == 7
    assert [row.hours for row in facts.between(MONDAY, SUNDAY)] == before
    assert [row.seats_in_service for row in facts.between(MONDAY, SUNDAY)] == [4] * 7


def test_what_was_counted_keeps_its_seats_whatever_another_program_writes(week, place):
    """Services note former seats; a repair by SQL does not, and a day that was counted once must not follow it."""
    facts.refresh(MONDAY, SUNDAY)
    with write_unit():
        db.session.execute(text("UPDATE resource SET seats = 6"))
        db.session.execute(text("UPDATE resource SET in_service_from = :late"), {"late": date(2026, 11, 25)})
        claims.touch(*(MONDAY + timedelta(days=n) for n in range(7)))
    assert facts.refresh(MONDAY, SUNDAY) == 7
    assert [row.seats_in_service for row in facts.between(MONDAY, SUNDAY)] == [4] * 7


def test_the_statements_do_not_grow_with_the_rows(week, count_statements):
    def statements(act) -> int:
        db.session.rollback()
        db.session.expire_all()
        with count_statements() as seen:
            act()
        return len(seen)

    few = statements(lambda: facts.between(MONDAY, SUNDAY))
    for desk in range(3):
        factories.make_person("P", f"{desk}", None)
    with write_unit():
        for day in range(16, 21):
            for person in db.session.scalars(select(Person)).unique():
                db.session.add(_there(person, datetime(2026, 11, day, 9, tzinfo=UTC)))
    many = statements(lambda: facts.between(MONDAY, SUNDAY))
    whole = statements(lambda: facts.between(date(2026, 11, 1), SUNDAY))
    assert few == many == whole <= 14
    assert statements(lambda: facts.refresh(MONDAY, SUNDAY)) <= 18
    kept = statements(lambda: facts.between(MONDAY, SUNDAY))
    assert kept <= 4


def _there(person: Person, at: datetime) -> Presence:
    return Presence(
        person_id=person.id, day=at.date(), arrived_at=at, left_at=at + timedelta(hours=2), evidence="import"
    )
