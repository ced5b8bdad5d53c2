"""A move says its price first, and is made at that price or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coworking.booking import services
from coworking.booking.moving import Agreed
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import (
    CheaperLateMove,
    InPast,
)
from coworking.membership.entitlement import PriceChanged
from tests.booking.moves import AFTERNOON, MORNING, THURSDAY, TODAY, book_desk, book_room, hours, live, standing
from tests.factories import make_agreement, make_subscription, make_tariff


def test_a_move_at_a_price_that_was_not_shown_is_refused_and_changes_nothing(movers, place):
    booking = book_desk(movers, place)
    before = standing(booking)
    dearer = place.desks[1].public_id
    for agreed in (Agreed(same=True), Agreed(cents=1800), Agreed(cents=2800, taken=1)):
        with pytest.raises(PriceChanged) as refusal:
            services.move(movers.member.actor(), booking, resource=dearer, agreed=agreed)
        assert refusal.value.params["amount"] == 2800
        assert standing(booking) == before
    services.move(movers.member.actor(), booking, resource=dearer, agreed=Agreed(cents=2800, taken=0))
    assert live() == [("tariff", 1400)] * 2


def test_the_same_price_is_the_one_that_was_quoted_not_the_one_of_today(movers, place):
    booking = book_desk(movers, place)
    make_tariff(desk=1200, valid_from=TODAY)
    with pytest.raises(PriceChanged):
        services.move(movers.member.actor(), booking, resource=place.desks[2].public_id, agreed=Agreed(same=True))
    assert live() == [("tariff", 900)] * 2


def test_an_allowance_used_meanwhile_is_another_price(movers, place):
    make_subscription(movers.member, halfdays=2)
    request = Request(hours(9, 13), (RequestedItem(resource=place.desks[1].public_id),), payer="me")
    booking = services.book(movers.member.actor(), request).public_id
    services.book_half_days(movers.member.actor(), date(2026, 12, 1), MORNING)
    services.book_half_days(movers.member.actor(), date(2026, 12, 2), MORNING)
    with pytest.raises(PriceChanged):
        services.move(
            movers.member.actor(), booking, span=hours(9, 13, date(2026, 12, 3)), agreed=Agreed(cents=0, taken=1)
        )
    assert live()[0] == ("subscription", 0)


def test_moving_from_the_employer_s_allowance_to_one_s_own_is_another_price(movers, place):
    """Both cost the person nothing, but one of them is used up."""
    make_subscription(movers.member)
    make_agreement(halfdays=1)
    booking = book_desk(movers, place, MORNING)
    december = date(2026, 12, 1)
    services.book_half_days(movers.member.actor(), december, AFTERNOON)
    for agreed in (Agreed(same=True), Agreed(cents=0, taken=0)):
        with pytest.raises(PriceChanged):
            services.move(movers.member.actor(), booking, span=hours(9, 13, december), agreed=agreed)
    services.move(movers.member.actor(), booking, span=hours(9, 13, december), agreed=Agreed(cents=0, taken=1))


def test_a_move_without_an_agreed_price_is_made_at_any_price(movers, place):
    booking = book_desk(movers, place)
    services.move(movers.host.actor(), booking, resource=place.desks[1].public_id)
    assert live() == [("tariff", 1400)] * 2


LATE = datetime(2026, 11, 25, 19, tzinfo=UTC)


def test_moving_late_to_a_cheaper_place_is_refused(movers, place, clock):
    """Eight hours of a room would become eight hours of one that is free of charge."""
    meeting, desk = book_room(movers, place), book_desk(movers, place, AFTERNOON)
    clock.set(LATE)
    before = standing(meeting)
    for agreed in (Agreed(), Agreed(same=True), Agreed(cents=0, taken=0)):
        with pytest.raises(CheaperLateMove):
            services.move(movers.member.actor(), meeting, resource=place.rooms[1].public_id, agreed=agreed)
    with pytest.raises(CheaperLateMove):
        services.move(movers.member.actor(), meeting, span=hours(9, 13), resource=place.desks[3].public_id)
    assert standing(meeting) == before
    services.move(movers.member.actor(), desk, resource=place.desks[1].public_id)
    services.move(movers.host.actor(), meeting, resource=place.rooms[1].public_id)
    assert live() == [("free", 0), ("tariff", 1400)]
    clock.advance(minutes=9)
    services.undo_move(movers.member.actor(), desk)
    assert live() == [("free", 0), ("tariff", 900)]


def test_moving_late_returns_no_half_day_to_a_plan(movers, place, clock):
    make_subscription(movers.member)
    make_tariff(resources={place.desks[2]: 0}, valid_from=THURSDAY)
    booking = book_desk(movers, place)
    clock.set(LATE)
    with pytest.raises(CheaperLateMove):
        services.move(movers.member.actor(), booking, resource=place.desks[2].public_id)
    services.move(movers.member.actor(), booking, resource=place.desks[1].public_id, agreed=Agreed(same=True))
    assert live() == [("subscription", 0)] * 2


def test_a_running_meeting_can_move_to_another_room(movers, place, clock):
    clock.set(hours(8, 9, TODAY).start)
    asked = Request(hours(10, 12, TODAY), (RequestedItem(resource=place.rooms[0].public_id),))
    meeting = services.book(movers.member.actor(), asked).public_id
    before = standing(meeting)
    clock.set(hours(11, 12, TODAY).start)
    with pytest.raises(InPast):
        services.move(movers.host.actor(), meeting, span=hours(9, 12, TODAY), resource=place.rooms[1].public_id)
    services.move(movers.host.actor(), meeting, resource=place.rooms[1].public_id)
    assert [unit[0] for unit in standing(meeting)["units"]] == [place.rooms[1].id]
    services.undo_move(movers.host.actor(), meeting)
    assert standing(meeting) == before
