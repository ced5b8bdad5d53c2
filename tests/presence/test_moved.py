"""Whoever has arrived and is moved to another desk has arrived there."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking, BookingUnit
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.presence import checks, settling
from coworking.presence import queries as presences
from coworking.presence import services as presence
from coworking.statistics import services as statistics
from coworking.statistics.queries import latest

TUESDAY = date(2026, 11, 24)


def wall(hour: int, day: int = 24, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour - 1, tzinfo=UTC)


def outcomes(booking: str) -> list[str]:
    db.session.rollback()
    of_booking = select(BookingUnit.outcome).join(Booking).where(Booking.public_id == booking)
    return list(db.session.scalars(of_booking.order_by(BookingUnit.starts_at)))


def undo_the_arrival(cast, arrival: str) -> None:
    presence.undo_arrival(cast.host.actor(), arrival)


def leave_for_the_day(cast, _arrival: str) -> None:
    presence.leave(cast.host.actor(), person=cast.member.public_id)


def to_friday(actor, booking: str) -> None:
    services.move(actor, booking, span=Span(wall(9, 27), wall(18, 27)))


AWAY = {"cancelled": (services.cancel, services.undo_cancel), "moved": (to_friday, services.undo_move)}


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize(
    ("meanwhile", "then"),
    [(undo_the_arrival, ["pending", "pending"]), (leave_for_the_day, ["came", "pending"])],
)
def test_what_happened_while_a_booking_was_away_is_known_when_it_is_back(inside, place, cast, meanwhile, then, away):
    go, come_back = AWAY[away]
    booking = services.book_half_days(cast.member.actor(), TUESDAY, frozenset({"am", "pm"})).public_id
    arrival = presence.arrive(cast.member.actor()).presence.public_id
    assert outcomes(booking) == ["came", "came"]
    go(cast.host.actor(), booking)
    meanwhile(cast, arrival)
    come_back(cast.host.actor(), booking)
    assert outcomes(booking) == then
    assert [*checks.came_and_was_there(), *checks.was_there_and_came()] == []


def test_who_is_there_already_has_come_to_what_is_moved_to_today(inside, place, cast):
    member = cast.member.actor()
    afternoon = services.book_half_days(member, date(2026, 11, 27), frozenset({"pm"})).public_id
    presence.arrive(member)
    services.move(cast.host.actor(), afternoon, span=Span(wall(13), wall(18)))
    assert outcomes(afternoon) == ["came"]


def test_an_arrival_while_full_counts_for_the_desk_restored_later(inside, place, cast, clock):
    clock.set(wall(12))
    whole, afternoon = frozenset({"am", "pm"}), frozenset({"pm"})
    booking = services.book_half_days(cast.member.actor(), TUESDAY, afternoon).public_id
    for other in (cast.colleague, cast.stranger, cast.host):
        services.book_half_days(other.actor(), TUESDAY, whole)
    services.book_half_days(cast.manager.actor(), TUESDAY, frozenset({"am"}))
    services.cancel(cast.host.actor(), booking)
    assert presence.arrive(cast.member.actor()).booking is None
    services.undo_cancel(cast.host.actor(), booking)
    clock.set(wall(14))
    settling.settle_seen()
    assert outcomes(booking) == ["came"]


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
