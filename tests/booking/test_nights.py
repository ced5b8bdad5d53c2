"""A room booked over midnight, where the lieu is open then: one booking, which both its days know of."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import displaced as bookings
from coworking.booking import services
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import AlreadyInRoom, BeyondHorizon, NotInService, NotOnOneDay
from coworking.claims.models import Claim
from coworking.claims.queries import day_version
from coworking.claims.rules import ClaimConflict
from coworking.core import displaced
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.outbox import Job
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.pricing.models import Quote
from coworking.spaces import calendar, queries
from coworking.spaces import services as spaces
from coworking.spaces.models import Resource
from coworking.spaces.rules import Closed, Closing
from tests.booking.nights import FRIDAY, NIGHT, THURSDAY, at, book, fresh, sound
from tests.statistics.oracle import PARIS
from tests.support.threads import at_once

# Booking ----------------------------------------------------------------------------------------------------------------


def test_it_is_one_booking_of_the_day_it_begins_on(nights, place):
    versions = [day_version(day) for day in (THURSDAY, FRIDAY)]
    made = book(nights.member, place.rooms[0])
    assert (made.day, made.span, [unit.span for unit in made.units]) == (THURSDAY, NIGHT, [NIGHT])
    quote = db.session.scalars(select(Quote)).one()
    assert (quote.day, quote.minutes, quote.amount_cents) == (THURSDAY, 120, 3000)
    assert [claim.use for claim in db.session.scalars(select(Claim))] == [NIGHT]
    assert all(day_version(day) > known for day, known in zip((THURSDAY, FRIDAY), versions, strict=True))
    sound()


def test_the_hour_after_midnight_cannot_be_booked_again(nights, place):
    book(nights.member, place.rooms[0])
    with pytest.raises(ClaimConflict):
        book(nights.stranger, place.rooms[0], Span(at(27, 0), at(27, 1)))
    with pytest.raises(AlreadyInRoom):
        book(nights.member, place.rooms[1], Span(at(27, 0, 30), at(27, 2)))
    book(nights.stranger, place.rooms[0], Span(at(27, 1), at(27, 2)))
    with pytest.raises(ClaimConflict):
        book(nights.stranger, place.rooms[0], Span(at(25, 23, 30), at(26, 23, 15)))


def test_a_night_cannot_be_booked_over_a_booking_of_the_morning(nights, place):
    book(nights.stranger, place.rooms[0], Span(at(27, 0, 30), at(27, 2)))
    with pytest.raises(ClaimConflict):
        book(nights.member, place.rooms[0])
    book(nights.colleague, place.rooms[1], Span(at(27, 0), at(27, 1)))
    with pytest.raises(AlreadyInRoom):
        book(nights.colleague, place.rooms[0], Span(at(26, 22), at(27, 0, 15)))


@pytest.mark.parametrize("hours", [24, 25])
def test_it_lasts_a_day_at_most(nights, place, hours):
    span = Span(at(26, 12), at(26, 12) + timedelta(hours=hours))
    if hours == 24:
        assert book(nights.member, place.rooms[0], span).span == span
    else:
        with pytest.raises(NotOnOneDay):
            book(nights.member, place.rooms[0], span)


def test_desks_stay_within_a_day(nights):
    with pytest.raises(NotOnOneDay):
        services.book(nights.member.actor(), Request(NIGHT, (RequestedItem(kind="desk"),)))


def test_where_the_lieu_closes_at_night_nothing_goes_over_it(people, place):
    with pytest.raises(NotOnOneDay):
        book(people.member, place.rooms[0], Span(at(26, 17), at(27, 10)))


def test_both_days_are_within_the_horizon(nights, place):
    last = datetime(2026, 11, 24, 23, tzinfo=PARIS) + timedelta(days=queries.lieu().horizon_days)
    with pytest.raises(BeyondHorizon):
        book(nights.member, place.rooms[0], Span(last, last + timedelta(hours=2)))
    book(nights.member, place.rooms[0], Span(last, last + timedelta(hours=1)))


def test_a_room_retired_that_day_is_not_there_after_midnight(nights, place):
    with write_unit():
        db.session.get_one(Resource, place.rooms[0].id).in_service_until = THURSDAY
    with pytest.raises(NotInService):
        book(nights.member, place.rooms[0])


def test_the_night_clocks_go_back_has_an_hour_more(nights, place, clock):
    clock.set(datetime(2027, 10, 20, 10, tzinfo=UTC))
    with write_unit():
        calendar.ensure_days(date(2027, 10, 20), date(2027, 11, 10))
    span = Span(datetime(2027, 10, 30, 21, tzinfo=UTC), datetime(2027, 10, 31, 4, tzinfo=UTC))  # from 23:00 to 5:00
    book(nights.member, place.rooms[0], span)
    quote = db.session.scalars(select(Quote)).one()
    assert (quote.minutes, quote.amount_cents, quote.day) == (7 * 60, 7 * 1500, date(2027, 10, 30))


def test_the_night_and_the_morning_after_race_for_one_hour(app, open_always, place):
    def ask(person, span: Span) -> str:
        with app.app_context():
            try:
                book(person, place.rooms[0], span)
            except DomainError as refusal:
                return refusal.code
            return "booked"

    for n in range(6):
        day = timedelta(days=n)
        night, morning = (Span(s.start + day, s.end + day) for s in (NIGHT, Span(at(27, 0), at(27, 1))))
        asks = [(open_always.member, night), (open_always.stranger, morning)] * 4
        told = Counter(at_once([partial(ask, *one) for one in asks]))
        with app.app_context():
            spans = [
                row.use for row in db.session.scalars(select(Claim).where(Claim.live)) if row.use.overlaps(morning)
            ]
        assert told["booked"] == 1 and len(spans) == 1, told
        assert set(told) <= {"booked", "claim_conflict", "already_booked"}


# Changing ---------------------------------------------------------------------------------------------------------------


def test_it_is_charged_once_it_is_over(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(27, 0, 30))
    charges.gather_recent()
    assert db.session.scalars(select(Charge)).all() == []
    services.cancel(nights.host.actor(), booking.public_id, mistake=True)
    assert services.undo_cancel(nights.host.actor(), booking.public_id).status == "confirmed"
    clock.set(at(27, 1))
    charges.gather_recent()
    assert [(row.day, row.month) for row in db.session.scalars(select(Charge))] == [(THURSDAY, date(2026, 11, 1))]
    sound()


def test_moving_it_and_undoing_the_move_counts_up_the_version_of_every_day(nights, place):
    booking = book(nights.member, place.rooms[0])
    days = [date(2026, 11, day) for day in (26, 27, 28, 29)]
    before = [day_version(day) for day in days]
    services.move(nights.member.actor(), booking.public_id, span=Span(at(28, 22), at(29, 2)))
    moved = [day_version(day) for day in days]
    assert all(now > known for now, known in zip(moved, before, strict=True))
    assert fresh(booking).day == date(2026, 11, 28)
    services.undo_move(nights.member.actor(), booking.public_id)
    assert all(day_version(day) > known for day, known in zip(days, moved, strict=True))
    assert (fresh(booking).day, fresh(booking).span) == (THURSDAY, NIGHT)
    sound()


def test_a_move_that_went_is_not_undone_over_someone_else_s_morning(nights, place):
    booking = book(nights.member, place.rooms[0])
    services.move(nights.member.actor(), booking.public_id, span=Span(at(26, 20), at(26, 22)))
    book(nights.stranger, place.rooms[0], Span(at(27, 0), at(27, 1)))
    with pytest.raises(ClaimConflict):
        services.undo_move(nights.member.actor(), booking.public_id)


def test_too_late_to_cancel_it_gets_no_shorter(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    clock.set(at(26, 20))
    with pytest.raises(DomainError) as refused:
        services.move(nights.member.actor(), booking.public_id, span=Span(at(26, 22), at(26, 23)))
    assert refused.value.code == "late_move"
    services.move(nights.member.actor(), booking.public_id, span=Span(at(26, 22), at(27, 0)))


@pytest.mark.parametrize("day", [THURSDAY, FRIDAY])
def test_a_closure_of_either_day_cancels_it(nights, place, run_outbox, mailbox, day):
    booking = book(nights.member, place.rooms[0])
    kept = book(nights.stranger, place.rooms[1], Span(at(28, 23), at(29, 1)))
    spaces.add_closure(nights.manager.actor(), Closing(day, day, None, None, "Travaux"))
    run_outbox()
    assert (fresh(booking).status, fresh(booking).cancelled_because) == ("cancelled", "closed")
    assert fresh(kept).status == "confirmed"
    with pytest.raises(Closed):
        book(nights.member, place.rooms[0])
    sound()


def test_a_closure_after_it_leaves_it(nights, place, run_outbox):
    booking = book(nights.member, place.rooms[0])
    spaces.add_closure(nights.manager.actor(), Closing(FRIDAY, FRIDAY, 60, 1440, "Travaux"))
    run_outbox()
    assert fresh(booking).status == "confirmed"


def test_a_retired_room_s_night_goes_to_another_free_on_both_days(nights, place, clock):
    booking = book(nights.member, place.rooms[0])
    busy = book(nights.stranger, place.rooms[1], Span(at(27, 0), at(27, 1)))
    with write_unit():
        db.session.get_one(Resource, place.rooms[0].id).in_service_until = THURSDAY
    retired = (displaced.RESOURCE, {"resource": place.rooms[0].public_id})
    assert bookings.weigh(*retired).cancelled == 1
    services.cancel(nights.stranger.actor(), busy.public_id)
    clock.advance(minutes=3)  # until then the place is kept for them
    assert bookings.weigh(*retired).moved == 1
    bookings.settle_affected(Job("1", retired[0], "again", retired[1], 1))
    (unit,) = fresh(booking).units
    assert (unit.resource.name, unit.span) == (place.rooms[1].name, NIGHT)
    sound()
