"""A room set free before its time is free on every screen, and what happened in it stays true."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from coworking.booking import checks as booking_checks
from coworking.booking import queries, services
from coworking.booking.models import BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import HalfDayStays, NotBegun
from coworking.claims.rules import ClaimConflict
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.frontdesk.bars import bars
from coworking.frontdesk.today import today
from coworking.presence import checks, settling
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource
from coworking.statistics import facts
from tests.factories import make_tariff

TUESDAY = date(2026, 11, 24)
TIDYING = 15


def wall(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


@pytest.fixture
def meeting(inside, place, cast, clock):
    """The member has a room from ten to twelve, which needs a quarter of an hour of tidying up."""
    clock.set(wall(8))
    make_tariff(desk=900, room=1500)
    with write_unit():
        db.session.execute(update(Resource).where(Resource.id == place.rooms[0].id).values(buffer_after=TIDYING))
    db.session.rollback()
    made = services.book(
        cast.member.actor(), Request(Span(wall(10), wall(12)), (RequestedItem(resource=place.rooms[0].public_id),))
    )
    yield made.public_id
    clock.set(wall(9, day=25))
    settling.settle_seen()
    found = [*checks.came_and_was_there(), *checks.was_there_and_came(), *booking_checks.claims_held()]
    assert found == []


def held(place) -> list[tuple[datetime, datetime]]:
    """Use and guarded end of what the planning shows of the room."""
    _version, shown = bars(TUESDAY, spaces.day(TUESDAY).span)
    return [(bar.end, bar.guarded_end) for bar in shown or () if bar.resource_id == place.rooms[0].id]


def outcome(meeting: str) -> str:
    db.session.rollback()
    return db.session.scalars(select(BookingUnit.outcome)).one()


def test_it_is_free_on_every_screen_once_tidied_up(meeting, place, cast, clock):
    clock.set(wall(9, 55))
    presence.arrive(cast.member.actor())
    clock.set(wall(10, 20))
    presence.set_free(cast.host.actor(), meeting)
    assert held(place) == [(wall(10, 20), wall(10, 35))]
    found = today(is_manager=False)
    assert [one.presence.person_id for one in found.lingering] == [cast.member.id]
    assert found.here == []
    assert queries.booking_for(cast.host.actor(), meeting).ends_at == wall(10, 20)
    assert place.rooms[0].name not in found.free, "it is being tidied up"
    room = place.rooms[0].public_id
    clock.set(wall(10, 36))
    assert place.rooms[0].name in today(is_manager=False).free
    services.book(cast.stranger.actor(), Request(Span(wall(10, 45), wall(12)), (RequestedItem(resource=room),)))


def test_what_was_booked_stays_owed_and_what_was_used_is_counted(meeting, place, cast, clock):
    clock.set(wall(9, 55))
    presence.arrive(cast.member.actor())
    clock.set(wall(10, 20))
    presence.set_free(cast.host.actor(), meeting)
    assert list(db.session.scalars(select(Quote.amount_cents).where(Quote.state == "live"))) == [3000]
    clock.set(wall(8, day=25))
    (fact,) = facts.between(TUESDAY, TUESDAY)
    assert (fact.room_booked, fact.room_attended, fact.workers) == (20, 20, 1)


@pytest.mark.parametrize("arrives", [(10, 0), (9, 55), None])
def test_in_its_first_minute(meeting, place, cast, clock, arrives):
    if arrives:
        clock.set(wall(*arrives) + timedelta(seconds=20))
        presence.arrive(cast.member.actor())
    clock.set(wall(10) + timedelta(seconds=30))
    presence.set_free(cast.host.actor(), meeting)
    assert held(place) == [(wall(10, 1), wall(10, 16))]
    assert outcome(meeting) == ("came" if arrives else "pending"), "nobody said that they never came"


def test_who_arrived_this_very_minute_keeps_it(meeting, place, cast, clock):
    clock.set(wall(10, 30) + timedelta(seconds=10))
    presence.arrive(cast.member.actor())
    clock.advance(seconds=20)
    presence.set_free(cast.host.actor(), meeting)
    assert held(place) == [(wall(10, 31), wall(10, 46))]


def test_before_it_begins_there_is_nothing_to_free(meeting, cast, clock):
    clock.set(wall(9, 59))
    with pytest.raises(NotBegun):
        presence.set_free(cast.host.actor(), meeting)


def test_a_second_press_changes_nothing(meeting, place, cast, clock, count_statements):
    clock.set(wall(10, 20))
    presence.set_free(cast.host.actor(), meeting)
    clock.set(wall(11))
    presence.set_free(cast.host.actor(), meeting)
    assert held(place) == [(wall(10, 20), wall(10, 35))]


def test_who_has_a_desk_and_a_room_frees_the_room_alone(meeting, place, cast, clock):
    services.book_half_days(cast.member.actor(), TUESDAY, frozenset({"am", "pm"}))
    clock.set(wall(9))
    presence.arrive(cast.member.actor())
    clock.set(wall(10, 20))
    ((_, (one,)),) = today(is_manager=False).here
    assert one.room is not None and one.room.resource_id == place.rooms[0].id
    presence.set_free(cast.host.actor(), meeting)
    ((_, (one,)),) = today(is_manager=False).here
    assert one.room is None and {unit.half for unit in one.units} == {"am", "pm"}


def test_setting_free_can_be_undone_while_the_room_is_free(meeting, place, cast, clock):
    clock.set(wall(10, 20))
    presence.set_free(cast.host.actor(), meeting)
    presence.undo_set_free(cast.host.actor(), meeting)
    assert held(place) == [(wall(12), wall(12, 15))]
    presence.set_free(cast.host.actor(), meeting)
    room = place.rooms[0].public_id
    services.book(cast.stranger.actor(), Request(Span(wall(11), wall(12)), (RequestedItem(resource=room),)))
    with pytest.raises(ClaimConflict):
        presence.undo_set_free(cast.host.actor(), meeting)
    assert sorted(held(place)) == [(wall(10, 20), wall(10, 35)), (wall(12), wall(12, 15))]


def test_only_the_team_frees_rooms(meeting, cast, clock):
    clock.set(wall(10, 20))
    for call in (presence.set_free, presence.undo_set_free):
        with pytest.raises(NotFound):
            call(cast.member.actor(), meeting)


def test_a_desk_stays_booked_for_its_half_days(cast, place, inside, clock):
    clock.set(wall(8))
    whole = services.book_half_days(cast.member.actor(), TUESDAY, frozenset({"am", "pm"})).public_id
    clock.set(wall(10, 20))
    with pytest.raises(HalfDayStays):
        presence.set_free(cast.host.actor(), whole)
