"""A move can be undone for ten minutes, as though nothing had happened."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import former, outcomes, services
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import (
    AlreadyBooked,
    AlreadyStarted,
    CancelledBooking,
    FormerPlaceTaken,
    MoveUndoTooLate,
    NotInService,
)
from coworking.claims.queries import day_version
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.units import write_unit
from coworking.membership import services as memberships
from coworking.membership.entitlement import UndoChangesPrice
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closed, Closing
from tests.booking.moves import (
    AFTERNOON,
    DAY,
    FRIDAY,
    MORNING,
    THURSDAY,
    TODAY,
    book_desk,
    book_room,
    hours,
    live,
    standing,
)
from tests.factories import make_agreement, make_subscription, make_tariff

MOVES = {
    "another desk": lambda place: {"resource": place.desks[1].public_id},
    "another day": lambda place: {"span": hours(9, 18, FRIDAY)},
    "another month": lambda place: {"span": hours(9, 18, date(2026, 12, 3)), "resource": place.desks[2].public_id},
    "half of it": lambda place: {"span": hours(9, 13)},
}
ROOM_MOVES = {
    "another room": lambda place: {"resource": place.rooms[1].public_id},
    "part of its own time": lambda place: {"span": hours(10, 13)},
    "another day and room": lambda place: {"span": hours(14, 15, FRIDAY), "resource": place.rooms[1].public_id},
}
COVERS = {
    "paid as one goes": lambda people: None,
    "a plan": lambda people: make_subscription(people.member),
    "a plan for one half": lambda people: make_subscription(people.member, halfdays=1),
    "an employer": lambda people: make_agreement(),
    "an employer for one half, a plan": lambda people: (
        make_agreement(halfdays=1),
        make_subscription(people.member),
    ),
}


def undone_as_though_nothing_happened(people, clock, booking: str, move: dict[str, Any]) -> None:
    before = standing(booking)
    services.move(people.member.actor(), booking, **move)
    assert standing(booking) != before
    clock.advance(minutes=9, seconds=59)
    services.undo_move(people.member.actor(), booking)
    assert standing(booking) == before
    owed = [
        tuple(row)
        for row in db.session.execute(
            select(Quote.amount_cents, Quote.payer_organisation_id).where(Quote.state == "live")
        )
    ]
    clock.set(datetime(2026, 12, 5, 9, tzinfo=UTC))
    for _again in range(2):
        charges.gather_recent()
    charged = db.session.execute(
        select(Charge.amount_cents, Charge.payer_organisation_id).where(Charge.source == "quote")
    )
    assert sorted(map(repr, charged)) == sorted(repr(row) for row in owed if row[0])


@pytest.mark.parametrize("cover", COVERS)
@pytest.mark.parametrize("way", MOVES)
def test_a_desk_moved_and_undone_is_as_though_nothing_happened(movers, place, clock, cover, way):
    COVERS[cover](movers)
    undone_as_though_nothing_happened(movers, clock, book_desk(movers, place), MOVES[way](place))


@pytest.mark.parametrize("way", ROOM_MOVES)
def test_a_room_moved_and_undone_is_as_though_nothing_happened(movers, place, clock, way):
    undone_as_though_nothing_happened(movers, clock, book_room(movers, place), ROOM_MOVES[way](place))


def test_the_former_price_comes_back_whatever_prices_are_now(movers, place):
    booking = book_desk(movers, place)
    before = standing(booking)
    make_tariff(desk=1200, valid_from=THURSDAY)
    services.move(movers.member.actor(), booking, resource=place.desks[2].public_id)
    assert live() == [("tariff", 1200)] * 2
    services.undo_move(movers.member.actor(), booking)
    assert standing(booking) == before


def test_undoing_undoes_the_last_move_once(movers, place):
    booking = book_desk(movers, place)
    for n in (1, 2):
        services.move(movers.member.actor(), booking, resource=place.desks[n].public_id)
    for _again in range(2):
        services.undo_move(movers.member.actor(), booking)
        assert {unit["units"][0][0] for unit in [standing(booking)]} == {place.desks[1].id}


def test_a_move_to_the_same_place_leaves_nothing_to_undo(movers, place):
    booking = book_desk(movers, place)
    before = standing(booking)
    services.move(movers.member.actor(), booking, resource=place.desks[0].public_id)
    services.undo_move(movers.member.actor(), booking)
    assert standing(booking) == before


def test_the_same_half_day_by_other_hours_keeps_its_price_and_its_way_back(movers, place):
    booking = book_desk(movers, place, MORNING)
    services.move(movers.member.actor(), booking, resource=place.desks[2].public_id)
    make_tariff(desk=1200, valid_from=TODAY)
    before = standing(booking)
    services.move(movers.member.actor(), booking, span=hours(10, 12), resource=place.desks[2].public_id)
    assert standing(booking) == before
    services.undo_move(movers.member.actor(), booking)
    assert [unit[0] for unit in standing(booking)["units"]] == [place.desks[0].id]


def test_a_move_is_not_undone_once_the_former_place_is_taken(movers, place):
    booking = book_desk(movers, place)
    services.move(movers.member.actor(), booking, resource=place.desks[1].public_id)
    services.book_half_days(movers.stranger.actor(), THURSDAY, AFTERNOON, resource=place.desks[0].public_id)
    before = standing(booking)
    with pytest.raises(FormerPlaceTaken) as refusal:
        services.undo_move(movers.member.actor(), booking)
    assert refusal.value.params["name"] == "Poste 1"
    assert standing(booking) == before


def test_a_half_day_that_went_to_another_booking_is_not_owed_twice(movers, place):
    make_subscription(movers.member, halfdays=1)
    booking = book_desk(movers, place, MORNING)
    services.move(movers.member.actor(), booking, span=hours(9, 13, date(2026, 12, 3)))
    services.book_half_days(movers.member.actor(), FRIDAY, MORNING)
    before = standing(booking)
    with pytest.raises(UndoChangesPrice):
        services.undo_move(movers.member.actor(), booking)
    assert standing(booking) == before


def test_a_plan_that_ended_meanwhile_covers_nothing_again(movers, place):
    plan = make_subscription(movers.member)
    december = date(2026, 12, 3)
    booking = services.book_half_days(movers.member.actor(), december, MORNING).public_id
    services.move(movers.member.actor(), booking, span=hours(9, 13))
    memberships.end_subscription(movers.member.actor(), plan.public_id)
    with pytest.raises(UndoChangesPrice):
        services.undo_move(movers.member.actor(), booking)


def test_a_move_is_not_undone_once_its_day_closed_or_its_desk_retired(movers, place):
    booking = book_desk(movers, place)
    services.move(movers.member.actor(), booking, span=hours(9, 18, FRIDAY), resource=place.desks[1].public_id)
    spaces.add_closure(movers.manager.actor(), Closing(THURSDAY, THURSDAY, None, None, "Travaux"))
    with pytest.raises(Closed):
        services.undo_move(movers.member.actor(), booking)
    services.move(movers.member.actor(), booking, resource=place.desks[2].public_id)
    inventory.retire_resource(movers.manager.actor(), place.desks[1].public_id, TODAY)
    with pytest.raises(NotInService):
        services.undo_move(movers.member.actor(), booking)


def test_undoing_a_move_gives_no_second_place(movers, place):
    booking = book_desk(movers, place)
    services.move(movers.member.actor(), booking, span=hours(9, 18, FRIDAY))
    services.book_half_days(movers.member.actor(), THURSDAY, MORNING, resource=place.desks[3].public_id)
    with pytest.raises(AlreadyBooked):
        services.undo_move(movers.member.actor(), booking)


def test_a_move_can_be_undone_for_ten_minutes_and_not_longer(movers, place, clock):
    booking = book_desk(movers, place)
    services.move(movers.member.actor(), booking, resource=place.desks[1].public_id)
    clock.advance(minutes=10)
    with pytest.raises(MoveUndoTooLate):
        services.undo_move(movers.member.actor(), booking)


def test_once_a_booking_has_begun_only_staff_undo_its_move_and_never_into_the_past(movers, place, clock):
    clock.set(hours(8, 9, TODAY).start)
    actor = movers.member.actor()
    booking = services.book_half_days(actor, TODAY, DAY, resource=place.desks[0].public_id).public_id
    clock.set(datetime(2026, 11, 24, 7, 55, tzinfo=UTC))
    services.move(actor, booking, resource=place.desks[1].public_id)
    clock.advance(minutes=6)
    with pytest.raises(AlreadyStarted):
        services.undo_move(actor, booking)
    services.undo_move(movers.host.actor(), booking)
    room = services.book(
        actor, Request(hours(9, 10, TODAY), (RequestedItem(resource=place.rooms[0].public_id),))
    ).public_id
    clock.set(datetime(2026, 11, 24, 8, 55, tzinfo=UTC))
    services.move(movers.host.actor(), room, span=hours(14, 15, TODAY))
    clock.advance(minutes=5)
    with pytest.raises(MoveUndoTooLate):
        services.undo_move(movers.host.actor(), room)


def test_a_move_is_not_undone_by_a_stranger_nor_once_the_booking_is_cancelled(movers, place):
    booking = book_desk(movers, place)
    services.move(movers.member.actor(), booking, resource=place.desks[1].public_id)
    with pytest.raises(NotFound):
        services.undo_move(movers.stranger.actor(), booking)
    services.cancel(movers.member.actor(), booking)
    with pytest.raises(CancelledBooking):
        services.undo_move(movers.member.actor(), booking)
    services.undo_cancel(movers.member.actor(), booking)
    services.undo_move(movers.member.actor(), booking)
    assert {unit[0] for unit in standing(booking)["units"]} == {place.desks[0].id}


def test_undoing_a_move_counts_up_the_versions_of_both_days(movers, place):
    booking = book_desk(movers, place)
    services.move(movers.host.actor(), booking, span=hours(9, 18, FRIDAY))
    versions = [day_version(THURSDAY), day_version(FRIDAY)]
    services.undo_move(movers.host.actor(), booking)
    assert all(now > before for now, before in zip([day_version(THURSDAY), day_version(FRIDAY)], versions, strict=True))


# Arrivals -------------------------------------------------------------------------------------------------------------


def settle(booking: str, outcome: str, clock) -> None:
    with write_unit():
        units = db.session.scalars(select(BookingUnit).join(Booking).where(Booking.public_id == booking)).all()
        outcomes.decide_outcomes(units, outcome, "host", clock.now)


def outcomes_of(booking: str) -> set[str]:
    return {unit[4] for unit in standing(booking)["units"]}


@pytest.mark.parametrize(("before", "after"), [("came", None), (None, "came"), ("came", "pending")])
def test_an_outcome_recorded_since_the_move_is_kept_when_it_is_undone(movers, place, clock, before, after):
    actor = movers.member.actor()
    booking = services.book_half_days(actor, TODAY, DAY, resource=place.desks[0].public_id).public_id
    if before:
        settle(booking, before, clock)
    services.move(movers.host.actor(), booking, resource=place.desks[1].public_id)
    if after:
        settle(booking, after, clock)
    services.undo_move(movers.host.actor(), booking)
    assert outcomes_of(booking) == {after or before}


def test_undoing_a_move_to_another_day_restores_the_arrival(movers, place, clock):
    actor = movers.member.actor()
    booking = services.book_half_days(actor, TODAY, DAY, resource=place.desks[0].public_id).public_id
    presence.arrive(actor)
    before = standing(booking)
    services.move(movers.host.actor(), booking, span=hours(9, 18, FRIDAY))
    assert outcomes_of(booking) == {"pending"}
    services.undo_move(movers.host.actor(), booking)
    assert standing(booking) == before


# E-mails --------------------------------------------------------------------------------------------------------------


def test_a_move_undone_within_ten_minutes_sends_no_email(movers, place, clock, run_outbox, mailbox):
    booking = book_desk(movers, place)
    clock.advance(minutes=11)
    run_outbox()
    services.move(movers.member.actor(), booking, span=hours(9, 18, FRIDAY), resource=place.desks[1].public_id)
    clock.advance(minutes=5)
    services.undo_move(movers.member.actor(), booking)
    for _minute in range(15):
        clock.advance(minutes=1)
        run_outbox()
    assert len(mailbox()) == 1


def test_what_can_be_undone_is_known_after_a_reload(movers, place, clock):
    booking = book_desk(movers, place)
    services.move(movers.member.actor(), booking, resource=place.desks[1].public_id)
    db.session.rollback()
    row = db.session.scalars(select(Booking)).one()
    found = former.undoable_move(row, clock.now, by_staff=False)
    assert found is not None and (found.what, found.span) == ("Poste 1", hours(9, 18))
    assert former.undoable_move(row, found.undo_until, by_staff=False) is None
    assert db.session.scalar(select(func.count()).select_from(Booking)) == 1
