"""Who comes, by what they say they do: counted by the lieu, sent in the return, and nobody to be recognised in it."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.accounts import rules as accounts
from coworking.accounts.models import Person
from coworking.booking import services as booking
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.statistics import return_rules
from coworking.statistics import services as closing
from coworking.statistics.consistency import SMALLEST_SHOWN
from coworking.statistics.envelope import envelope
from coworking.statistics.page import month_page
from coworking.statistics.schema import STATUS_NAMES
from coworking.statistics.split_rules import suppressed
from tests import factories
from tests.statistics.november import AM, MONTH, after_the_month, wall

SPLITS = st.fixed_dictionaries({name: st.integers(0, 12) for name in STATUS_NAMES})


def test_what_one_may_say_is_what_the_return_names():
    assert (*accounts.STATUSES, "unknown") == STATUS_NAMES


@given(SPLITS)
def test_what_is_hidden_cannot_be_worked_out(counts: dict[str, int]):
    split, people = suppressed(counts), sum(counts.values())
    if split is None:
        assert 0 < people < SMALLEST_SHOWN
        return
    hidden = [counts[name] for name, number in split.items() if number is None]
    assert all(number is None or number == counts[name] for name, number in split.items())
    assert not any(number is not None and 0 < number < SMALLEST_SHOWN for number in split.values())
    assert not hidden or (len(hidden) > 1 and sum(hidden) >= SMALLEST_SHOWN)


@given(SPLITS)
def test_no_more_is_hidden_than_need_be(counts: dict[str, int]):
    split = suppressed(counts)
    if split is not None and all(number == 0 or number >= SMALLEST_SHOWN for number in counts.values()):
        assert split == counts


@pytest.fixture
def november(inside, place, clock):
    """Six employees, five jobseekers and two who said nothing came on the 2nd; a student never came."""
    clock.set(wall(2, 7))
    said = ["employee"] * 6 + ["jobseeker"] * 5 + [None] * 2
    for number, status in enumerate([*said, "student"]):
        person = factories.make_person(f"P{number}", "Roux", f"p{number}@demo.example")
        with write_unit():
            db.session.get_one(Person, person.id).status = status
        if number < len(said):
            clock.set(wall(2, 9, number))
            presence.arrive(person.actor())
    return clock


def test_the_return_says_who_came_by_what_they_do(november):
    after_the_month(november)
    row = closing.close(SYSTEM, MONTH)
    figures = json.loads(row.figures)
    split, reasons = figures["people_by_status"], figures["null_reasons"]
    # Two who said nothing are too few, and five jobseekers hide them.
    assert split == {
        "employee": 6,
        "self_employed": 0,
        "jobseeker": None,
        "student": 0,
        "association": 0,
        "other": 0,
        "unknown": None,
    }
    assert reasons["people_by_status.jobseeker"] == reasons["people_by_status.unknown"] == "suppressed"
    assert "people_by_status" not in reasons and figures["distinct_people"] == 13
    return_rules.check_return(envelope(row), at=november.now)
    said = {row.name: row.value for _title, rows in month_page(MONTH).groups for row in rows}
    assert said["people_by_status"] == (
        "salariés 6 · trop peu pour être montrés\u202f: demandeurs d’emploi, non précisé"
    )


def test_fewer_than_five_people_are_no_split(people, clock):
    with write_unit():
        db.session.get_one(Person, people.member.id).status = "student"
    booking.book_half_days(people.member.actor(), date(2026, 11, 2), AM)
    clock.set(wall(2, 9))
    presence.arrive(people.member.actor())
    figures = after_the_month(clock)
    assert figures["people_by_status"] is None and figures["null_reasons"]["people_by_status"] == "suppressed"


def test_where_nobody_was_asked_nothing_is_counted(people, clock):
    booking.book_half_days(people.member.actor(), date(2026, 11, 2), AM)
    clock.set(wall(2, 9))
    presence.arrive(people.member.actor())
    assert after_the_month(clock)["null_reasons"]["people_by_status"] == "not_recorded"
