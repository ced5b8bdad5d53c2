"""What is said afterwards: presences and outcomes agree, and every correction leaves a trace."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.presence import checks, settling
from coworking.presence import queries as presences
from coworking.presence import services as presence
from coworking.presence.rules import (
    AlreadyThere,
    ClosedForGood,
    LeftBefore,
    NothingToTakeBack,
    ReasonNeeded,
    ToCome,
    TooLongAgo,
)
from coworking.statistics import facts
from coworking.statistics import services as statistics
from tests.factories import make_tariff

TUESDAY = date(2026, 11, 24)
DAY = frozenset({"am", "pm"})


@pytest.fixture
def people(inside, place, cast, clock):
    clock.set(wall(7))
    yield cast
    assert [*checks.came_and_was_there(), *checks.was_there_and_came()] == []


def wall(hour: int, minute: int = 0, day: int = 24, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour - 1, minute, tzinfo=UTC)


def units(person) -> list[BookingUnit]:
    statement = (
        select(BookingUnit)
        .join(Booking)
        .where(Booking.person_id == person.id, Booking.status == "confirmed", BookingUnit.day == TUESDAY)
        .order_by(BookingUnit.starts_at)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(statement))


def outcomes(person) -> list[str]:
    return [unit.outcome for unit in units(person)]


def ids(person) -> list[int]:
    return [unit.id for unit in units(person)]


def trail(action: str) -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def test_said_absent_after_all_is_no_worker_day(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9))
    presence.arrive(people.member.actor())
    clock.set(wall(17))
    settling.settle(people.host.actor(), ids(people.member), "absent")
    assert outcomes(people.member) == ["absent", "absent"]
    assert presences.presences_on(TUESDAY) == []
    clock.set(wall(8, day=25))
    (fact,) = facts.between(TUESDAY, TUESDAY)
    assert (fact.desk_attended, fact.desk_absent, fact.workers) == (0, 2, 0)
    assert [entry.details["evidence"] for entry in trail("presence.withdrawn")] == ["self"]


@pytest.mark.parametrize(("which", "there"), [(0, (wall(13), None)), (1, (wall(9), wall(13)))])
def test_said_absent_for_one_half_keeps_the_other(people, clock, which, there):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9))
    presence.arrive(people.member.actor())
    clock.set(wall(18, 30))
    settling.settle(people.host.actor(), [ids(people.member)[which]], "absent")
    assert sorted(outcomes(people.member)) == ["absent", "came"]
    (row,) = presences.presences_on(TUESDAY)
    assert (row.arrived_at, row.left_at) == there
    assert row.evidence == "self"


def test_one_half_said_to_have_come_leaves_the_other_to_be_asked(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(8, day=25))
    settling.settle(people.host.actor(), ids(people.member)[:1], "came")
    settling.settle_seen()
    assert outcomes(people.member) == ["came", "pending"]


def test_what_was_decided_is_corrected_with_a_reason_and_a_trace(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(8, day=25))
    settling.settle(people.host.actor(), ids(people.member), "absent")
    with pytest.raises(ReasonNeeded):
        settling.settle(people.host.actor(), ids(people.member), "came")
    with pytest.raises(ReasonNeeded):
        settling.settle(people.host.actor(), ids(people.member), "came", reason=" \n ")
    assert outcomes(people.member) == ["absent", "absent"]
    settling.settle(people.host.actor(), ids(people.member), "came", reason="Vu en salle\nde réunion")
    assert outcomes(people.member) == ["came", "came"]
    last = trail("unit.settled")[-1]
    assert last.details == {"was": "absent", "now": "came", "reason": "Vu en salle de réunion"}
    assert (last.actor_id, last.person_id) == (people.host.id, people.member.id)
    settling.settle(people.host.actor(), ids(people.member), "unknown", reason="Personne ne sait")
    assert outcomes(people.member) == ["unknown", "unknown"]
    assert presences.presences_on(TUESDAY) == []


def test_members_settle_nothing(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(8, day=25))
    for call in (
        lambda: settling.settle(people.member.actor(), ids(people.member), "came"),
        lambda: settling.undo_settling(people.member.actor(), wall(8, day=25)),
        lambda: settling.enter_arrival(
            people.member.actor(), people.member.public_id, day=TUESDAY, arrived_at=wall(9), reason="x"
        ),
    ):
        with pytest.raises(NotFound):
            call()
    assert outcomes(people.member) == ["pending", "pending"]


def test_one_press_for_all_is_undone_in_one(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    services.book_half_days(people.stranger.actor(), TUESDAY, DAY)
    clock.set(wall(8, day=25))
    settling.settle(people.host.actor(), ids(people.stranger)[:1], "came")
    clock.advance(minutes=1)
    done = settling.settle(people.host.actor(), [*ids(people.member), *ids(people.stranger)[1:]], "came")
    assert (done.count, done.fresh) == (3, True)
    clock.advance(minutes=1)
    assert settling.undo_settling(people.host.actor(), done.at) == [TUESDAY] * 3
    assert outcomes(people.member) == ["pending", "pending"]
    assert outcomes(people.stranger) == ["came", "pending"]
    assert [row.person_id for row in presences.presences_on(TUESDAY)] == [people.stranger.id]
    with pytest.raises(NothingToTakeBack):
        settling.undo_settling(people.host.actor(), done.at)
    again = settling.settle(people.host.actor(), ids(people.member), "absent")
    clock.set(wall(8, day=26))
    with pytest.raises(NothingToTakeBack):
        settling.undo_settling(people.host.actor(), again.at)


def test_a_forgotten_walk_in_is_entered_the_next_day(people, clock):
    make_tariff(desk=900)
    clock.set(wall(8, day=25))
    host = people.host.actor()
    asked = {"day": TUESDAY, "arrived_at": wall(9, 30), "left_at": wall(17)}
    with pytest.raises(ReasonNeeded):
        settling.enter_arrival(host, people.member.public_id, **asked)
    settling.enter_arrival(host, people.member.public_id, **asked, reason="Oublié hier")
    assert [(unit.half, unit.outcome) for unit in units(people.member)] == [("am", "came"), ("pm", "came")]
    (fact,) = facts.between(TUESDAY, TUESDAY)
    assert (fact.desk_booked, fact.desk_attended, fact.workers) == (2, 2, 1)
    assert [entry.details for entry in trail("presence.entered")] == [{"reason": "Oublié hier"}]
    charges.gather_recent()
    assert [row.amount_cents for row in db.session.scalars(select(Charge))] == [900, 900]
    with pytest.raises(AlreadyThere):
        settling.enter_arrival(host, people.member.public_id, **asked, reason="Encore")


def test_a_forgotten_arrival_settles_what_was_booked(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(8, day=25))
    settling.enter_arrival(
        people.host.actor(), people.member.public_id, day=TUESDAY, arrived_at=wall(14), reason="Oublié hier"
    )
    assert outcomes(people.member) == ["absent", "came"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"day": TUESDAY, "arrived_at": wall(9), "left_at": wall(8)}, LeftBefore),
        ({"day": date(2026, 11, 25), "arrived_at": wall(9, day=25)}, ToCome),
        ({"day": TUESDAY, "arrived_at": wall(9), "left_at": wall(9, day=25)}, ToCome),
        ({"day": date(2026, 9, 30), "arrived_at": wall(10, day=30, month=9)}, TooLongAgo),
    ],
)
def test_what_no_arrival_can_be_is_refused(people, clock, asked, error):
    clock.set(wall(8, day=25))
    with pytest.raises(error):
        settling.enter_arrival(people.host.actor(), people.member.public_id, **asked, reason="Oublié")
    assert presences.presences_on(TUESDAY) == []


def test_after_seven_days_a_correction_is_still_possible(people, clock):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(9) + timedelta(days=8))
    settling.expire_unconfirmed()
    assert outcomes(people.member) == ["unknown", "unknown"]
    settling.settle(people.host.actor(), ids(people.member), "came", reason="Retrouvé dans le cahier")
    assert outcomes(people.member) == ["came", "came"]


def test_a_closed_month_is_corrected_by_a_manager_and_restated(people, clock, run_outbox):
    services.book_half_days(people.member.actor(), TUESDAY, DAY)
    clock.set(wall(8, day=25))
    settling.settle(people.host.actor(), ids(people.member), "absent")
    clock.set(wall(12, day=12, month=12))
    assert statistics.close(people.manager.actor(), TUESDAY).status == "final"
    with pytest.raises(ClosedForGood):
        settling.settle(people.host.actor(), ids(people.member), "came", reason="Cahier relu")
    with pytest.raises(ReasonNeeded):
        settling.settle(people.manager.actor(), ids(people.member), "came")
    assert outcomes(people.member) == ["absent", "absent"]
    settling.settle(people.manager.actor(), ids(people.member), "came", reason="Cahier relu")
    settling.enter_arrival(
        people.manager.actor(), people.stranger.public_id, day=TUESDAY, arrived_at=wall(9), reason="Cahier relu"
    )
    run_outbox()
    assert statistics.queries.latest(date(2026, 11, 1)).revision == 1, "corrections rarely come alone"
    clock.advance(minutes=10)
    run_outbox()
    last = statistics.queries.latest(date(2026, 11, 1))
    assert (last.revision, last.status, last.reason) == (2, "restatement", "Cahier relu")
    assert '"desk_attended_halfdays":3' in last.figures
