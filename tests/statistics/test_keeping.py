"""Presences go after two years, and no figure moves: closed months stand, and who comes back is no newcomer."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.core import retention
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.months import month_after, month_before
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.presence import attestation, purging, settling
from coworking.presence import services as presence
from coworking.presence.attested import AttestedTooLate
from coworking.presence.checks import came_and_was_there
from coworking.presence.models import PastVisits, Presence
from coworking.presence.rules import kept_from
from coworking.spaces import calendar
from coworking.spaces import queries as spaces
from coworking.statistics import detail_rules, facts, people, queries
from coworking.statistics import services as closing
from coworking.statistics.checks import days as counted_again
from coworking.statistics.models import DayFact
from tests.statistics.oracle import PARIS

NOVEMBER, BACK = date(2026, 11, 1), date(2029, 2, 1)
MORNING = frozenset({"am"})


def at(year: int, month: int, day: int, hour: int = 10) -> datetime:
    return datetime(year, month, day, hour, tzinfo=PARIS)


def close_known_months(until: date) -> None:
    month = date(2026, 10, 1)
    while month < until:
        if queries.is_known(month):
            closing.close(SYSTEM, month)
        month = month_after(month)


@pytest.fixture
def history(inside, place, cast, clock):
    """Anne came on three mornings of November 2026, Nadia on one; both come again in February 2029, and Hugo with them."""
    clock.set(at(2026, 10, 26))
    for day in (3, 5, 24):
        services.book_half_days(cast.member.actor(), date(2026, 11, day), MORNING)
        clock.set(at(2026, 11, day, 9))
        presence.arrive(cast.member.actor())
        clock.set(at(2026, 10, 26))
    clock.set(at(2026, 11, 24, 9))
    presence.arrive(cast.stranger.actor())
    clock.set(at(2026, 12, 12))
    settling.settle_seen()
    calendar.freeze_past_days()
    clock.set(at(2029, 2, 15))
    with write_unit():
        calendar.ensure_days(date(2029, 1, 1), date(2029, 3, 31))
    calendar.freeze_past_days()
    for person in (cast.member, cast.stranger, cast.host):
        presence.arrive(person.actor())
    return cast


def rows() -> int:
    return db.session.scalar(select(func.count()).select_from(Presence)) or 0


def dry_run() -> retention.Forecast:
    return next(found for one, _days, found in retention.forecast() if one.kind == "presences")


def test_what_goes_is_said_before_and_nothing_else_goes(history):
    close_known_months(date(2028, 1, 1))
    assert dry_run() == retention.Forecast(4, date(2031, 3, 1), 0)
    assert rows() == 7, "looking changes nothing"
    assert retention.purge("presences") == 4
    assert dry_run() == retention.Forecast(0, date(2031, 3, 1), 0)
    assert rows() == 3
    days = db.session.execute(select(PastVisits.first_day, PastVisits.last_day).order_by(PastVisits.person_id)).all()
    assert [tuple(row) for row in days] == [(date(2026, 11, 3), date(2026, 11, 24)), (date(2026, 11, 24),) * 2]
    said = db.session.scalars(select(AuditEntry.details).where(AuditEntry.action == "retention.purged")).all()
    assert said == [{"kind": "presences", "rows": 4}]


def test_no_figure_of_any_month_moves(history):
    close_known_months(date(2028, 1, 1))
    before = closing.figures_now(NOVEMBER), closing.figures_now(BACK), queries.closed(NOVEMBER).figures
    assert before[0]["distinct_people"] == 2 and before[1]["newcomers"] == 1
    counted = {row.day: row.version for row in db.session.scalars(select(DayFact))}
    retention.purge("presences")
    assert (closing.figures_now(NOVEMBER), closing.figures_now(BACK), queries.closed(NOVEMBER).figures) == before
    assert closing.differences(queries.closed(NOVEMBER)) == []
    revision = queries.closed(NOVEMBER).revision
    assert closing.close(SYSTEM, NOVEMBER).revision == revision, "there is nothing new to say"
    with write_unit():  # something of an old day is touched: a title is emptied, somebody is erased
        db.session.execute(text("UPDATE day_version SET version = version + 1"))
    assert facts.stale(NOVEMBER, date(2026, 11, 30)) == {}
    assert facts.refresh(NOVEMBER, date(2026, 11, 30)) == 0
    kept = {row.day: row.version for row in db.session.scalars(select(DayFact).where(DayFact.day < BACK))}
    assert kept == {day: version for day, version in counted.items() if day < BACK}
    assert sum(row.desk_attended for row in facts.between(NOVEMBER, date(2026, 11, 30))) == 4
    checks_are_clean()


def checks_are_clean() -> None:
    assert list(came_and_was_there()) == list(counted_again()) == []


def test_who_comes_back_after_years_is_no_newcomer(history):
    close_known_months(date(2028, 1, 1))
    retention.purge("presences")
    found = people.of_month(BACK)
    assert (found.distinct, found.newcomers, found.returning) == (3, 1, 0)


def test_what_an_open_month_is_counted_from_stays(history):
    assert dry_run() == retention.Forecast(0, date(2031, 3, 1), 4)
    assert retention.purge("presences") == 0
    assert rows() == 7
    closing.close(SYSTEM, NOVEMBER)
    assert dry_run().exempt == 4, "January is counted from them too"


def test_a_month_that_is_only_provisional_is_still_counted(history, monkeypatch):
    monkeypatch.setattr(closing, "is_decided", lambda month: month != NOVEMBER)
    close_known_months(date(2028, 1, 1))
    assert queries.closed(NOVEMBER).status == "provisional"
    assert dry_run().exempt == 4


def test_people_who_left_no_other_trace_are_still_known(history):
    """Their last day keeps who came lately from being taken for somebody who never does."""
    close_known_months(date(2028, 1, 1))
    purging.let_go_before(date(2030, 1, 1))
    assert rows() == 0
    last = dict(db.session.execute(select(PastVisits.person_id, PastVisits.last_day)).all())
    assert last[history.member.id] == date(2029, 2, 15)
    first = dict(db.session.execute(select(PastVisits.person_id, PastVisits.first_day)).all())
    assert first[history.member.id] == date(2026, 11, 3), "what was known before is not lost"


def test_what_is_kept_no_longer_is_not_certified(history):
    with pytest.raises(AttestedTooLate):
        attestation.issue(history.member.actor(), NOVEMBER)
    assert kept_from(spaces.today()) == date(2027, 2, 1)


def test_more_than_one_unit_holds_goes_in_turns(history, monkeypatch):
    close_known_months(date(2028, 1, 1))
    monkeypatch.setattr(purging, "BATCH", 1)
    monkeypatch.setattr(purging, "MOST_BATCHES", 3)
    assert retention.purge("presences") == 3
    assert retention.purge("presences") == 1
    (first, last) = db.session.execute(
        select(PastVisits.first_day, PastVisits.last_day).where(PastVisits.person_id == history.member.id)
    ).one()
    assert (first, last) == (date(2026, 11, 3), date(2026, 11, 24))


@given(month=st.dates(date(2020, 1, 1), date(2040, 1, 1)), kept=st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_a_month_is_counted_again_only_with_all_it_is_counted_from(month, kept):
    first = month.replace(day=1)
    needs = min(first.replace(month=1), month_before(first, 3)) - timedelta(days=1)
    assert detail_rules.is_countable(first, kept) == (needs >= kept)
    last = detail_rules.last_uncountable(kept)
    assert not detail_rules.is_countable(last, kept) and detail_rules.is_countable(month_after(last), kept)


def test_figures_are_those_that_were_sent(history):
    close_known_months(date(2028, 1, 1))
    retention.purge("presences")
    assert closing.figures_now(NOVEMBER) == json.loads(queries.closed(NOVEMBER).figures)
    units = select(func.count()).select_from(BookingUnit).join(Booking).where(BookingUnit.outcome == "came")
    assert db.session.scalar(units.where(Booking.day < date(2027, 1, 1))) == 4, "bookings stay: they show what was owed"
