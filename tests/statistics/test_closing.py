"""Closing a month: when, with which status, once, and never again the same bytes differently."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from coworking.accounts.models import Person
from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.core import outbox
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.months import write_month
from coworking.core.outbox import OutboxRow
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.membership.models import Plan, Subscription
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.presence.models import Presence
from coworking.spaces import calendar
from coworking.spaces.models import Lieu
from coworking.statistics import facts, queries, return_rules
from coworking.statistics import services as closing
from coworking.statistics.consistency import ReturnInvalid
from coworking.statistics.envelope import envelope
from tests.statistics.oracle import PARIS

MONTH = date(2026, 11, 1)
MORNING = frozenset({"am"})


def at(month: int, day: int, hour: int = 10, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=PARIS)


@pytest.fixture
def november(inside, place, cast, clock):
    """Anne has a desk every weekday morning of November and comes each time but on the last day, of which nobody knows."""
    clock.set(at(10, 26))
    days = [day for day in range(2, 31) if date(2026, 11, day).weekday() < 5 and day != 11]
    for day in days:
        services.book_half_days(cast.member.actor(), date(2026, 11, day), MORNING)
    for day in days[:-1]:
        clock.set(at(11, day, 9))
        presence.arrive(cast.member.actor())
    clock.set(at(12, 1))
    return cast


def last_unit() -> int:
    return db.session.scalars(select(BookingUnit.id).order_by(BookingUnit.day.desc()).limit(1)).one()


def figures(row) -> dict:
    return json.loads(row.figures)


def told() -> list[dict]:
    told_in_order = select(OutboxRow).where(OutboxRow.topic == "return.closed").order_by(OutboxRow.id)
    return [row.payload for row in db.session.scalars(told_in_order)]


def test_a_month_from_provisional_to_restated(november, clock):
    manager = november.manager.actor()
    first = closing.close(manager, MONTH)
    assert (first.status, first.revision, first.reason) == ("provisional", 1, None)
    assert closing.close(manager, MONTH).id == first.id, "nothing new, nothing written"

    settling.settle(november.host.actor(), [last_unit()], "absent")
    final = closing.close(manager, MONTH)
    assert (final.status, final.revision) == ("final", 2)
    assert figures(final)["desk_absent_halfdays"] == 1
    kept = final.figures, final.figures_sha256
    assert closing.close(manager, MONTH).id == final.id

    settling.settle(manager, [last_unit()], "came", reason="Anne était là.")
    assert closing.differences(final) == ["desk_attended_halfdays", "desk_absent_halfdays", "worker_days"]
    with pytest.raises(closing.ReasonRequired):
        closing.close(manager, MONTH)
    with pytest.raises(closing.ReasonUnusable):
        closing.close(manager, MONTH, reason="two\nlines")
    again = closing.close(manager, MONTH, reason="Anne était là le 30.")
    assert (again.status, again.revision, again.reason) == ("restatement", 3, "Anne était là le 30.")
    assert closing.close(manager, MONTH, reason="Again").id == again.id

    db.session.expire_all()
    assert (final.figures, final.figures_sha256) == kept
    assert told() == [{"month": "2026-11", "revision": n} for n in (1, 2, 3)]
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "month.closed")).all()) == 3
    for row in queries.revisions(MONTH):
        assert return_rules.check_return(envelope(row), at=clock.now)["revision"] == row.revision


def test_the_figures_of_a_month(november):
    row = closing.close(SYSTEM, MONTH)
    found = figures(row)
    nulls = found["null_reasons"]
    assert (found["open_days"], found["desk_offered_halfdays"]) == (24, 24 * 8 - 4 * 4)  # four Saturday mornings
    assert (found["desk_booked_halfdays"], found["desk_attended_halfdays"], found["desk_known_halfdays"]) == (
        20,
        19,
        19,
    )
    assert (found["distinct_people"], found["worker_days"]) == (1, 19)
    assert (found["peak_seats"], found["peak_seats_in_service"]) == (1, 4)
    assert found["peak_at"] == "2026-11-02T09:00:00+01:00"
    assert found["by_weekday_hour"][0][9] == [5 * 60, 5 * 240]
    assert nulls["newcomers"] == nulls["returning_people"] == nulls["distinct_people_ytd"] == "too_little_history"
    for unknown in (
        "workshops",
        "waitlisted_requests",
        "active_subscriptions",
        "people_by_status",
        "volunteer_minutes",
    ):
        assert (found[unknown], nulls[unknown]) == (None, "not_recorded")
    assert found["desk_resident_halfdays"] is None


def test_a_month_that_is_not_over_cannot_be_closed(november, clock):
    for month in (date(2026, 12, 1), date(2027, 3, 1)):
        with pytest.raises(closing.MonthNotOver):
            closing.close(SYSTEM, month)
    clock.set(at(11, 30, 23))
    with pytest.raises(closing.MonthNotOver):
        closing.close(SYSTEM, MONTH)
    with pytest.raises(closing.MonthUnknown):
        closing.close(SYSTEM, date(2020, 1, 1))
    assert told() == [] and queries.latest(MONTH) is None


def test_a_month_is_final_once_nothing_more_can_be_said(november, clock):
    clock.set(at(12, 7, 23))
    assert closing.close(SYSTEM, MONTH).status == "provisional"
    clock.set(at(12, 8, 0))
    row = closing.close(SYSTEM, MONTH)
    assert (row.status, row.revision) == ("final", 2), "a final month is news even when no figure moved"


def test_months_close_by_themselves(november, clock):
    def closed() -> list[tuple[str, str]]:
        return [(write_month(row.month), row.status) for row in closing.close_due()]

    clock.set(at(12, 4, 23))
    assert ("2026-11", "provisional") not in closed()
    clock.set(at(12, 5, 0))
    assert closed() == [("2026-11", "provisional")]
    assert closed() == []
    clock.set(at(12, 9, 23))
    assert closed() == []
    clock.set(at(12, 10, 0))
    assert closed() == [("2026-11", "final")]
    assert closed() == []


def test_a_month_the_manager_closed_is_left_alone(november, clock):
    settling.settle(november.host.actor(), [last_unit()], "came")
    assert closing.close(november.manager.actor(), MONTH).status == "final"
    clock.set(at(12, 15))
    assert [row.month for row in closing.close_due()] == [date(2026, 10, 1)], "only what was never closed"


def test_too_few_known_is_said_and_not_shown_as_zero(november):
    units = db.session.scalars(select(BookingUnit).order_by(BookingUnit.day)).all()
    with write_unit():
        for unit in db.session.scalars(select(BookingUnit).where(BookingUnit.id.in_([u.id for u in units[:4]]))):
            unit.outcome, unit.evidence = "unknown", None
    facts.refresh(MONTH, date(2026, 11, 30))
    found = figures(closing.close(SYSTEM, MONTH))
    assert found["desk_attended_halfdays"] is None
    assert found["null_reasons"]["desk_attended_halfdays"] == "too_few_known"
    assert (found["desk_known_halfdays"], found["desk_absent_halfdays"]) == (15, 0)


def test_without_any_recorded_presence_people_are_unknown(inside, place, cast, clock):
    clock.set(at(11, 2, 8))
    services.book_half_days(cast.member.actor(), date(2026, 11, 3), MORNING)
    clock.set(at(12, 12))
    found = figures(closing.close(SYSTEM, MONTH))
    for name in ("distinct_people", "worker_days", "newcomers", "distinct_people_ytd"):
        assert (found[name], found["null_reasons"][name]) == (None, "not_recorded")


def test_an_empty_month_counts_zero_people(inside, place, cast, clock):
    clock.set(at(12, 12))
    found = figures(closing.close(SYSTEM, MONTH))
    assert (found["distinct_people"], found["peak_seats"], found["peak_at"]) == (0, 0, None)
    assert found["null_reasons"]["peak_at"] == "nothing_booked"


def visit(person: Person, day: date, evidence: str = "host") -> None:
    start = datetime(day.year, day.month, day.day, 10, tzinfo=PARIS)
    with write_unit():
        db.session.add(
            Presence(
                person_id=person.id, day=day, arrived_at=start, left_at=start + timedelta(hours=1), evidence=evidence
            )
        )


def test_newcomers_returning_and_the_year(inside, place, cast, clock):
    people = cast.member, cast.colleague, cast.stranger
    clock.set(at(12, 12))
    visit(people[0], date(2026, 11, 3))
    visit(people[0], date(2026, 9, 30))
    visit(people[1], date(2026, 11, 4))
    visit(people[1], date(2026, 6, 1))  # longer ago than three months: neither new nor returning
    visit(people[2], date(2026, 11, 5))
    found = closing.figures_now(MONTH)
    assert (found["distinct_people"], found["newcomers"], found["returning_people"]) == (3, 1, 1)
    assert found["distinct_people_ytd"] is None, "nobody kept presences in January"
    visit(cast.host, date(2026, 1, 20))
    assert closing.figures_now(MONTH)["distinct_people_ytd"] == 4


def test_three_months_of_history_or_imported_first_visits(inside, place, cast, clock):
    clock.set(at(12, 12))
    visit(cast.member, date(2026, 8, 2))
    visit(cast.member, date(2026, 11, 2))
    assert closing.figures_now(MONTH)["newcomers"] is None
    visit(cast.colleague, date(2026, 8, 1))
    assert closing.figures_now(MONTH)["newcomers"] == 0
    assert closing.figures_now(date(2026, 10, 1))["newcomers"] is None
    visit(cast.stranger, date(2026, 9, 30), "import")
    assert closing.figures_now(date(2026, 10, 1))["newcomers"] == 0


def test_subscriptions_are_counted_by_month(inside, place, cast, clock):
    clock.set(at(12, 12))
    assert closing.figures_now(MONTH)["active_subscriptions"] is None
    months = [
        (cast.member, date(2026, 9, 1), date(2026, 10, 1)),
        (cast.member, MONTH, None),  # another plan: neither joined nor left
        (cast.colleague, MONTH, MONTH),
        (cast.stranger, date(2026, 10, 1), date(2026, 10, 1)),
    ]
    with write_unit():
        plan = Plan(name="Mi-temps", monthly_cents=9000)
        db.session.add(plan)
        db.session.flush()
        assert closing.figures_now(MONTH)["active_subscriptions"] == 0
        for person, first, last in months:
            db.session.add(
                Subscription(
                    person_id=person.id,
                    plan_id=plan.id,
                    name="Mi-temps",
                    first_month=first,
                    last_month=last,
                    monthly_cents=9000,
                    basis="ttc",
                    vat_rate_bp=0,
                )
            )
    found = closing.figures_now(MONTH)
    assert (found["active_subscriptions"], found["joined"], found["left"]) == (2, 1, 1)


def test_a_month_is_that_of_use_on_the_lieus_own_calendar(november, clock):
    """Booked in October, used in November; an evening that is already December in Paris is not November's."""
    row = closing.close(SYSTEM, MONTH)
    assert figures(row)["desk_booked_halfdays"] == 20
    made = db.session.scalars(select(Booking.created_at)).all()
    assert {instant.astimezone(PARIS).month for instant in made} == {10}
    assert closing.figures_now(date(2026, 10, 1))["desk_booked_halfdays"] == 0


def test_ten_times_the_history_is_the_same_work(november, clock, count_statements):
    def statements() -> int:
        db.session.rollback()
        db.session.expire_all()
        with count_statements() as seen:
            closing.close(SYSTEM, MONTH)
        return len(seen)

    closing.close(SYSTEM, date(2026, 10, 1))  # whatever is done once by the first closing
    facts.refresh(MONTH, date(2026, 11, 30))
    before = statements()
    with write_unit():
        calendar.ensure_days(date(2025, 1, 1), date(2026, 10, 1))
    for month in range(1, 13):
        for day in range(1, 28):
            visit(november.member, date(2025, month, day), "import")
    settling.settle(november.host.actor(), [last_unit()], "came")
    facts.refresh(MONTH, date(2026, 11, 30))
    assert statements() <= before <= 24


def test_the_outbox_tells_each_revision_once(november, run_outbox, monkeypatch):
    heard: list[dict] = []
    monkeypatch.setitem(outbox._handlers, "return.closed", lambda job: heard.append(job.payload))
    closing.close(SYSTEM, MONTH)
    closing.close(SYSTEM, MONTH)
    run_outbox()
    assert heard == [{"month": "2026-11", "revision": 1}]


def test_nothing_is_kept_that_its_reader_would_refuse(november):
    with write_unit():
        db.session.execute(update(Lieu).values(siret="123"))
    with pytest.raises(ReturnInvalid) as refused:
        closing.close(SYSTEM, MONTH)
    assert refused.value.at_field == "siret"
    assert queries.latest(MONTH) is None and told() == []
