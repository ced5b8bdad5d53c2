"""Undoing a cancellation, a move or an arrival: only while what follows from it still holds."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from coworking.accounts import staff
from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import offers, services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import AlreadyBooked, NotInService, SeveralPlaces, UndoTooLate
from coworking.claims.rules import ClaimConflict
from coworking.core.db import db
from coworking.core.errors import DomainError, NotFound
from coworking.core.timespan import Span
from coworking.membership.allowance_queries import USED
from coworking.presence import services as presence
from coworking.presence.models import Presence
from coworking.presence.rules import ArrivalStands
from coworking.pricing.models import Quote
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closed, Closing, Opening, OutsideOpeningHours
from tests.factories import make_subscription, make_tariff
from tests.support.threads import at_once

TUESDAY, THURSDAY = date(2026, 11, 24), date(2026, 11, 26)
MORNING, AFTERNOON = frozenset({"am"}), frozenset({"pm"})


def hours(start: int, end: int) -> Span:
    return Span(datetime(2026, 11, 26, start - 1, tzinfo=UTC), datetime(2026, 11, 26, end - 1, tzinfo=UTC))


@pytest.fixture
def cancelled(people, place):
    """A morning at the first desk that Anne cancelled a moment ago."""
    booking = services.book_half_days(people.member.actor(), THURSDAY, MORNING, resource=place.desks[0].public_id)
    return services.cancel(people.member.actor(), booking.public_id).public_id


def confirmed() -> int:
    return db.session.scalar(select(func.count()).where(Booking.status == "confirmed")) or 0


def test_the_desk_just_cancelled_is_given_again(people, place):
    """Nobody else gets it meanwhile, and undoing the cancellation is over: its place is taken."""
    anne, karim, third = people.member.actor(), people.colleague.actor(), place.desks[2]
    first = services.book_half_days(anne, THURSDAY, MORNING, resource=third.public_id)
    services.cancel(anne, first.public_id)
    assert offers.desk_offer(anne, THURSDAY, MORNING).resource.id == third.id, "as the sheet says it first"
    with pytest.raises(ClaimConflict):
        services.book_half_days(karim, THURSDAY, MORNING, resource=third.public_id)
    again = services.book_half_days(anne, THURSDAY, MORNING)
    assert [unit.resource_id for unit in again.units] == [third.id]
    with pytest.raises(UndoTooLate):
        services.undo_cancel(anne, first.public_id)
    assert confirmed() == 1


def test_the_morning_of_a_whole_day_just_cancelled_can_be_booked_again(people, place):
    anne, third = people.member.actor(), place.desks[2]
    day = services.book_half_days(anne, THURSDAY, MORNING | AFTERNOON, resource=third.public_id)
    services.cancel(anne, day.public_id)
    morning = services.book_half_days(anne, THURSDAY, MORNING)
    assert [unit.resource_id for unit in morning.units] == [third.id]
    assert services.book_half_days(people.colleague.actor(), THURSDAY, AFTERNOON, resource=third.public_id)


def test_a_cancellation_cannot_be_undone_once_the_day_closed(people, cancelled, run_outbox):
    spaces.add_closure(people.manager.actor(), Closing(THURSDAY, THURSDAY, None, None, "Travaux"))
    run_outbox()
    with pytest.raises(Closed):
        services.undo_cancel(people.member.actor(), cancelled)
    assert confirmed() == 0


def test_a_room_cancellation_cannot_be_undone_once_its_hours_closed(people, place):
    room = RequestedItem(resource=place.rooms[0].public_id)
    booking = services.book(people.member.actor(), Request(hours(9, 11), (room,)))
    services.cancel(people.member.actor(), booking.public_id)
    spaces.add_closure(people.manager.actor(), Closing(THURSDAY, THURSDAY, 10 * 60, 12 * 60, "Travaux"))
    with pytest.raises((Closed, OutsideOpeningHours)):
        services.undo_cancel(people.member.actor(), booking.public_id)


def test_a_cancellation_cannot_be_undone_once_its_desk_retired(people, place, cancelled):
    inventory.retire_resource(people.manager.actor(), place.desks[0].public_id, TUESDAY)
    with pytest.raises(NotInService):
        services.undo_cancel(people.member.actor(), cancelled)
    assert confirmed() == 0


def test_a_cancellation_cannot_be_undone_once_the_person_left(people, cancelled):
    staff.deactivate(people.manager.actor(), people.member.public_id)
    with pytest.raises(NotFound):
        services.undo_cancel(people.host.actor(), cancelled)
    assert confirmed() == 0


def test_a_cancellation_cannot_be_undone_once_another_desk_is_booked(people, place, cancelled):
    services.book_half_days(people.member.actor(), THURSDAY, MORNING, resource=place.desks[1].public_id)
    with pytest.raises(AlreadyBooked):
        services.undo_cancel(people.member.actor(), cancelled)
    assert confirmed() == 1


def test_a_cancellation_can_be_undone_with_another_half_day_booked(people, cancelled):
    services.book_half_days(people.member.actor(), THURSDAY, AFTERNOON)
    assert services.undo_cancel(people.member.actor(), cancelled).status == "confirmed"


def test_a_cancellation_of_several_places_is_undone_whole_or_not_at_all(people, place, clock):
    """A server whose clock is ahead has let one of them go, by this one's clock too early."""
    desk, room = RequestedItem(resource=place.desks[0].public_id), RequestedItem(resource=place.rooms[0].public_id)
    booking = services.book(people.member.actor(), Request(hours(9, 10), (desk, room)))
    services.cancel(people.member.actor(), booking.public_id)
    clock.advance(seconds=121)
    services.book(people.stranger.actor(), Request(hours(9, 10), (desk,)))
    clock.advance(seconds=-10)
    with pytest.raises(UndoTooLate):
        services.undo_cancel(people.member.actor(), booking.public_id)
    assert confirmed() == 1


def test_a_booking_of_several_places_is_not_moved_into_one(people, place):
    both = (RequestedItem(kind="desk"), RequestedItem(resource=place.rooms[0].public_id))
    booking = services.book(people.member.actor(), Request(hours(9, 10), both))
    for elsewhere in ({"resource": place.desks[2].public_id}, {"span": hours(14, 15)}):
        with pytest.raises(SeveralPlaces):
            services.move(people.member.actor(), booking.public_id, **elsewhere)
    assert len(db.session.scalars(select(Booking)).one().units) == 2


def test_a_day_that_is_over_keeps_its_cancellation(people, clock):
    """It is charged as it ended, from midnight on: a booking brought back would be charged a second time."""
    make_tariff()
    nights = [Opening(weekday, "accessible", 9 * 60, 24 * 60) for weekday in range(6)]
    spaces.set_schedule(people.manager.actor(), valid_from=THURSDAY, split_minute=780, openings=nights)
    booking = services.book_half_days(people.member.actor(), THURSDAY, AFTERNOON)
    clock.set(datetime(2026, 11, 26, 22, 59, 30, tzinfo=UTC))
    services.cancel(people.host.actor(), booking.public_id)
    clock.set(datetime(2026, 11, 26, 23, 0, 30, tzinfo=UTC))
    charges.gather_recent()
    with pytest.raises(UndoTooLate):
        services.undo_cancel(people.host.actor(), booking.public_id)
    charges.gather_recent()
    assert db.session.scalar(select(func.count()).select_from(Charge)) == 1


def test_an_arrival_of_yesterday_cannot_be_undone(people, clock):
    make_tariff()
    arrival = presence.arrive(people.member.actor())
    clock.advance(days=1)
    charges.gather_recent()
    with pytest.raises(ArrivalStands):
        presence.undo_arrival(people.host.actor(), arrival.presence.public_id)
    assert db.session.scalars(select(Quote.state)).all() == ["live"]
    assert db.session.scalar(select(func.count()).select_from(Charge)) == 1


def test_a_host_reads_why_an_arrival_cannot_be_undone(app, place, cast, clock, sign_in):
    with app.app_context():
        arrival = presence.arrive(cast.member.actor()).presence.public_id
    clock.advance(days=1)
    page = sign_in(cast.host).post(f"/today/arrivals/{arrival}/undo", follow_redirects=True)
    assert "Cette arrivée date d’un jour passé" in page.text


def test_a_wrong_tap_undone_by_several_hands_is_undone_once(app, place, cast):
    with app.app_context():
        make_tariff()
        make_subscription(cast.member, halfdays=5)
        arrival = presence.arrive(cast.member.actor()).presence.public_id

    def undo() -> str:
        with app.app_context():
            try:
                presence.undo_arrival(cast.host.actor(), arrival)
            except DomainError as refusal:
                return refusal.code
            return "undone"

    assert sorted(at_once([undo] * 6)) == ["not_found"] * 5 + ["undone"]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Presence)) == 0
        assert db.session.scalar(select(USED)) == 0
