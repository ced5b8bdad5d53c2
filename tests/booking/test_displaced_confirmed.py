"""How many bookings a change cancels or moves is shown and confirmed before it is made."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from coworking.accounts import staff
from coworking.booking import services
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.displaced import NO_TOLL, Toll, WouldDisplace
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import ACCESSIBLE, STAFFED, Opening
from tests.booking.displacing import (
    AFTERNOON,
    CANCELLED,
    DAY,
    FRIDAY,
    FRIDAY_CLOSED,
    MORNING,
    THURSDAY,
    WEDNESDAY,
    retire,
    status,
)


def test_a_change_that_displaces_more_bookings_than_confirmed_is_refused(payers, place):
    boss = payers.manager.actor()
    services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    services.book_half_days(payers.colleague.actor(), FRIDAY, DAY)
    closed = [Opening(0, layer, 540, 720) for layer in (ACCESSIBLE, STAFFED)]
    for change in (
        lambda agreed: spaces.add_closure(boss, FRIDAY_CLOSED, agreed=agreed),
        lambda agreed: spaces.set_schedule(boss, valid_from=THURSDAY, split_minute=780, openings=closed, agreed=agreed),
    ):
        for agreed in (NO_TOLL, Toll(cancelled=1), Toll(moved=2), Toll(shortened=2)):
            with pytest.raises(WouldDisplace) as refused:
                change(agreed)
            assert refused.value.toll == Toll(cancelled=2)
    with pytest.raises(WouldDisplace):
        staff.deactivate(boss, payers.member.public_id, agreed=NO_TOLL)
    with pytest.raises(WouldDisplace):
        inventory.retire_resource(boss, place.desks[0].public_id, THURSDAY - timedelta(days=2), agreed=NO_TOLL)
    assert db.session.scalars(select(AuditEntry)).all() == []
    spaces.add_closure(boss, FRIDAY_CLOSED, agreed=Toll(cancelled=2))


def test_the_manager_confirms_how_many_bookings_are_cancelled(app, place, cast, sign_in, run_outbox):
    with app.app_context():
        booking = services.book_half_days(cast.member.actor(), FRIDAY, DAY)
    boss = sign_in(cast.manager)
    form = {"reason": "Travaux", "first_day": "2026-11-27"}
    told = boss.post("/settings/closures", data=form)
    assert told.status_code == 422
    assert "1 réservation à venir ne tient plus" in told.text
    assert 'name="agreed" value="0-0-1"' in told.text
    done = boss.post("/settings/closures", data={**form, "agreed": "0-0-1"})
    assert done.status_code == 303
    run_outbox()
    with app.app_context():
        assert status(booking) == CANCELLED


def test_closing_an_account_shows_the_cancelled_bookings_first(app, place, cast, sign_in):
    with app.app_context():
        services.book_half_days(cast.member.actor(), FRIDAY, DAY)
    boss, path = sign_in(cast.manager), f"/people/{cast.member.public_id}/deactivate"
    told = boss.post(path, data={"agreed": ""})
    assert told.status_code == 409
    assert "1 réservation à venir." in told.text and 'name="agreed" value="0-0-1"' in told.text
    assert boss.post(path, data={"agreed": "0-0-1"}).status_code == 303


def test_retiring_a_desk_shows_the_moved_bookings_first(app, place, cast, sign_in):
    with app.app_context():
        services.book_half_days(cast.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    boss, path = sign_in(cast.manager), f"/settings/resources/{place.desks[0].public_id}/retire"
    told = boss.post(path, data={"last_day": "2026-11-26"})
    assert told.status_code == 422
    assert 'name="agreed" value="1-0-0"' in told.text
    assert boss.post(path, data={"last_day": "2026-11-26", "agreed": "1-0-0"}).status_code == 303


def test_weighing_reads_as_little_for_many_bookings_as_for_one(app, place, cast, count_statements):
    with app.app_context():
        services.book_half_days(cast.member.actor(), WEDNESDAY, DAY, resource=place.desks[0].public_id)
        with count_statements() as one, pytest.raises(WouldDisplace):
            retire(cast, place.desks[0], agreed=NO_TOLL)
        for day in (THURSDAY, FRIDAY, date(2026, 11, 30)):
            for half in (MORNING, AFTERNOON):
                services.book_half_days(cast.colleague.actor(), day, half, resource=place.desks[0].public_id)
        with count_statements() as seven, pytest.raises(WouldDisplace):
            retire(cast, place.desks[0], agreed=NO_TOLL)
        assert len(seven) == len(one)
