"""A desk or room is retired: its bookings move to another at no higher price, the rest is cancelled."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.booking import checks, services
from coworking.booking import displaced as bookings
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import MoveUndoTooLate
from coworking.claims.models import Claim
from coworking.core import displaced
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.displaced import Toll, WouldDisplace
from coworking.core.outbox import Job
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.membership.models import LedgerEntry
from coworking.pricing.models import Quote
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from tests.booking.displacing import (
    AFTERNOON,
    CANCELLED,
    CONFIRMED,
    DAY,
    FRIDAY,
    MORNING,
    THURSDAY,
    WEDNESDAY,
    desks_of,
    owed_of,
    retire,
    status,
)
from tests.factories import make_cast, make_place, make_subscription, make_tariff
from tests.support import emails as golden


def test_one_of_seventeen_desks_is_retired_and_everyone_keeps_a_desk(app, clock, run_outbox):
    with app.app_context():
        place, cast = make_place(desks=17), make_cast()
        make_tariff()
        booked = [
            services.book_half_days(cast.member.actor(), day, DAY, resource=place.desks[4].public_id)
            for day in (WEDNESDAY, THURSDAY, FRIDAY)
        ]
        toll = Toll(moved=3)
        inventory.retire_resource(cast.manager.actor(), place.desks[4].public_id, date(2026, 11, 24), agreed=toll)
        run_outbox()
        assert [status(row) for row in booked] == [CONFIRMED] * 3
        assert [desks_of(row) for row in booked] == [["Poste 1"] * 2] * 3
        for row in booked:
            assert owed_of(row) == [(place.desks[0].id, 900, "live")] * 2
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(entry.action, entry.details) for entry in entries] == [
            ("resource.retired", {"last_day": "2026-11-24", "moved": 3}),
            *[("booking.displaced", {"why": "retired", "became": "moved"})] * 3,
        ]
        assert db.session.scalar(select(func.count()).select_from(Claim).where(Claim.live)) == 3
        assert list(checks.claims_held()) == list(checks.claims_released()) == list(checks.quotes()) == []


def test_a_dearer_desk_is_given_only_where_no_other_is_free_and_at_the_old_price(people, place, run_outbox):
    make_tariff(resources={place.desks[1]: 1200, place.desks[2]: 500})
    cheaper = services.book_half_days(people.member.actor(), FRIDAY, MORNING, resource=place.desks[0].public_id)
    dearer = services.book_half_days(people.member.actor(), THURSDAY, MORNING, resource=place.desks[0].public_id)
    for person, desk in ((people.colleague, 2), (people.stranger, 3)):
        services.book_half_days(person.actor(), THURSDAY, MORNING, resource=place.desks[desk].public_id)
    services.book_half_days(people.colleague.actor(), FRIDAY, MORNING, resource=place.desks[3].public_id)
    retire(people, place.desks[0])
    run_outbox()
    assert owed_of(cheaper) == [(place.desks[2].id, 500, "live")]
    assert owed_of(dearer) == [(place.desks[1].id, 900, "live")]


def test_a_plan_still_covers_the_half_days_that_move(payers, place, run_outbox):
    make_subscription(payers.stranger, halfdays=2)
    booking = services.book_half_days(payers.stranger.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    retire(payers, place.desks[0])
    run_outbox()
    assert owed_of(booking) == [(place.desks[1].id, 0, "live")] * 2
    kinds = db.session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.id)).all()
    assert sorted(kinds) == ["hold"] * 4 + ["release"] * 2


def test_only_half_days_without_another_desk_are_cancelled(payers, place, run_outbox):
    """On Friday every other desk is taken for the afternoon; the morning goes on elsewhere."""
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    none = services.book_half_days(payers.member.actor(), THURSDAY, MORNING, resource=place.desks[0].public_id)
    others = (payers.colleague, payers.stranger, payers.host)
    for person, desk in zip(others, place.desks[1:], strict=True):
        services.book_half_days(person.actor(), FRIDAY, AFTERNOON, resource=desk.public_id)
        services.book_half_days(person.actor(), THURSDAY, DAY, resource=desk.public_id)
    with pytest.raises(WouldDisplace) as refused:
        retire(payers, place.desks[0], agreed=Toll(moved=2))
    assert refused.value.toll == Toll(shortened=1, cancelled=1)
    retire(payers, place.desks[0], agreed=refused.value.toll)
    run_outbox()
    assert [status(none), status(booking)] == [CANCELLED, CONFIRMED]
    assert owed_of(booking) == [(place.desks[1].id, 900, "live")]
    released = select(func.count()).select_from(Quote).where(Quote.state == "released")
    assert db.session.scalar(released) == 3  # Thursday's morning; Friday's morning at the old desk, its afternoon


def test_two_half_days_go_to_two_desks_where_no_desk_is_free_all_day(payers, place, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    for person, desk, half in (
        (payers.colleague, 1, MORNING), (payers.stranger, 2, AFTERNOON), (payers.host, 3, DAY),
    ):  # fmt: skip
        services.book_half_days(person.actor(), FRIDAY, half, resource=place.desks[desk].public_id)
    retire(payers, place.desks[0])
    run_outbox()
    assert desks_of(booking) == ["Poste 3", "Poste 2"]
    assert list(checks.claims_held()) == []


def test_a_retired_room_goes_to_one_that_seats_everyone(payers, place, run_outbox):
    inventory.add_resources(
        payers.manager.actor(),
        kind="room",
        zone_public_id=spaces.queries.zones()[1].public_id,
        names=["Grande"],
        seats=20,
    )
    span = Span(datetime(2026, 11, 27, 9, tzinfo=UTC), datetime(2026, 11, 27, 10, tzinfo=UTC))
    item = (RequestedItem(resource=place.rooms[0].public_id),)
    many = services.book(payers.member.actor(), Request(span, item, guests=5))
    retire(payers, place.rooms[0])
    run_outbox()
    assert desks_of(many) == ["Grande"]


def test_a_retirement_carried_out_twice_moves_a_booking_once(payers, place, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    retire(payers, place.desks[0])
    job = Job("1", displaced.RESOURCE, "again", {"resource": place.desks[0].public_id}, 1)
    bookings.settle_affected(job)
    run_outbox()
    assert desks_of(booking) == ["Poste 2"] * 2
    assert db.session.scalar(select(func.count()).select_from(Quote)) == 4


def test_a_move_by_the_lieu_cannot_be_undone(payers, place, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    retire(payers, place.desks[0])
    run_outbox()
    with pytest.raises(MoveUndoTooLate):
        services.undo_move(payers.member.actor(), booking.public_id)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_e_mail_names_the_other_desk(payers, place, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.member.id).locale = locale
    services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    clock.advance(minutes=11)
    run_outbox()
    retire(payers, place.desks[0])
    run_outbox()
    clock.advance(minutes=11)
    run_outbox()
    golden.check(mailbox()[-1], "booking/news-moved-by-lieu")
