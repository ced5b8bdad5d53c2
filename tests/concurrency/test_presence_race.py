"""Many hands at the door at the same moment."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.presence import checks, settling
from coworking.presence import services as presence
from coworking.presence.models import Presence
from tests.factories import make_tariff
from tests.support.threads import at_once

TUESDAY = date(2026, 11, 24)


def wall(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


@pytest.fixture
def door(app, place, cast, clock):
    yield cast
    clock.set(wall(19))
    with app.app_context():
        settling.settle_seen()
        assert [*checks.came_and_was_there(), *checks.was_there_and_came()] == []


def run(app, call):
    """``call`` in a context of its own; a refusal's code otherwise."""

    def act() -> str:
        with app.app_context():
            try:
                call()
            except DomainError as refusal:
                return refusal.code
            return "done"

    return act


def test_sixteen_taps_are_one_presence_and_one_desk_a_half(app, door, clock):
    with app.app_context():
        make_tariff()
    host, who = door.host.actor(), door.member.public_id
    for moment in (wall(10), wall(14)):
        clock.set(moment)
        assert set(at_once([run(app, lambda: presence.arrive(host, person=who))] * 16)) == {"done"}
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Presence)) == 1
        halves = db.session.scalars(select(BookingUnit.half).join(Booking).where(Booking.status == "confirmed"))
        assert sorted(halves) == ["am", "pm"]


def test_leaving_by_several_hands_takes_the_afternoon_once(app, door, clock):
    clock.set(wall(10))
    with app.app_context():
        presence.arrive(door.member.actor())
    clock.set(wall(17))
    acts = [run(app, lambda: presence.leave(door.host.actor(), person=door.member.public_id))] * 8
    assert set(at_once(acts)) == {"done"}
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(BookingUnit)) == 2


def test_said_absent_while_they_arrive_is_one_or_the_other(app, door, clock):
    """Whichever comes last, presence and outcome say the same (the fixture looks)."""
    clock.set(wall(8))
    with app.app_context():
        booking = services.book_half_days(door.member.actor(), TUESDAY, frozenset({"am", "pm"}))
        ids = [unit.id for unit in booking.units]
    clock.set(wall(14))
    acts = [
        run(app, lambda: presence.arrive(door.member.actor())),
        run(app, lambda: settling.settle(door.host.actor(), ids, "absent")),
        run(app, lambda: settling.settle(door.manager.actor(), ids[1:], "came")),
    ]
    assert set(at_once(acts * 4)) == {"done"}


def test_a_forgotten_arrival_entered_by_two_is_entered_once(app, door, clock):
    clock.set(wall(12))
    who = door.member.public_id

    def enter() -> None:
        settling.enter_arrival(door.host.actor(), who, day=TUESDAY, arrived_at=wall(9), left_at=wall(11))

    assert sorted(at_once([run(app, enter)] * 6)) == ["already_there"] * 5 + ["done"]
