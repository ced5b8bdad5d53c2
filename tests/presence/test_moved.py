"""Whoever has arrived and is moved to another desk has arrived there."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import BookingUnit
from coworking.core.db import db
from coworking.presence import checks, settling
from coworking.presence import queries as presences
from coworking.presence import services as presence
from coworking.statistics import services as statistics
from coworking.statistics.queries import latest

TUESDAY = date(2026, 11, 24)


def wall(hour: int, day: int = 24, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour - 1, tzinfo=UTC)


@pytest.mark.parametrize("walks_in", [False, True])
def test_the_final_figures_say_came(inside, place, cast, clock, walks_in):
    clock.set(wall(7))
    if not walks_in:
        services.book_half_days(cast.member.actor(), TUESDAY, frozenset({"am", "pm"}))
    clock.set(wall(9))
    arrival = presence.arrive(cast.member.actor())
    booking, was = arrival.booking.public_id, arrival.booking.units[0].resource_id
    clock.set(wall(10))
    services.move(cast.host.actor(), booking, resource=place.desks[3].public_id)
    (row,) = presences.presences_on(TUESDAY)
    assert row.booking is not None and row.booking.public_id == booking
    units = db.session.scalars(select(BookingUnit)).all()
    assert {unit.resource_id for unit in units} == {place.desks[3].id} != {was}
    assert {(unit.outcome, unit.evidence) for unit in units} == {("came", "self")}
    clock.set(wall(12, day=11, month=12))
    settling.expire_unconfirmed()
    statistics.close(cast.manager.actor(), TUESDAY)
    found = latest(date(2026, 11, 1))
    assert found is not None and found.status == "final"
    halves = 1 if walks_in else 2
    for name in ("booked", "attended", "known"):
        assert f'"desk_{name}_halfdays":{halves}' in found.figures
    assert [*checks.came_and_was_there(), *checks.was_there_and_came()] == []
