"""A day closes, a desk is retired, an account is closed: what no longer fits is cancelled free of charge, with an e-mail."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from coworking.accounts import staff
from coworking.accounts.models import Person
from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.claims.models import Claim
from coworking.claims.queries import day_version
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.displaced import WouldDisplace
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import ACCESSIBLE, STAFFED, Closing, Opening
from tests.support import letters as golden

WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (25, 26, 27))
DAY, MORNING, AFTERNOON = frozenset({"am", "pm"}), frozenset({"am"}), frozenset({"pm"})
FRIDAY_CLOSED = Closing(FRIDAY, FRIDAY, None, None, "Travaux")


def status(booking) -> tuple[str, bool, int | None]:
    db.session.rollback()
    found = db.session.get_one(Booking, booking.id)
    return found.status, found.cancelled_late, found.cancelled_by_id


GONE, STANDS = ("cancelled", False, None), ("confirmed", False, None)


def room(person, place, first: int, last: int, day: int = 27):
    span = Span(datetime(2026, 11, day, first - 1, tzinfo=UTC), datetime(2026, 11, day, last - 1, tzinfo=UTC))
    return services.book(person.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))


def test_a_closed_day_gives_everything_back_free_and_says_so(payers, clock, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    kept = services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    clock.set(datetime(2026, 11, 27, 6, tzinfo=UTC))  # on the day itself: far beyond the deadline
    before = day_version(FRIDAY)
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    assert status(booking) == GONE
    assert status(kept) == STANDS
    assert db.session.scalars(select(Claim.live).where(Claim.holder_id == booking.id)).all() == [False]
    states = select(Quote.state).where(Quote.day == FRIDAY)
    assert set(db.session.scalars(states)) == {"released"}
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.displaced")).one()
    assert (entry.subject_id, entry.person_id, entry.details) == (booking.id, payers.member.id, {"why": "closed"})
    assert day_version(FRIDAY) > before


def test_what_has_begun_is_left_to_the_host(payers, clock, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    clock.set(datetime(2026, 11, 27, 9, tzinfo=UTC))
    presence.arrive(payers.member.actor())
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    assert status(booking) == STANDS


def test_part_of_a_day_takes_only_what_it_touches(payers, place, run_outbox):
    morning = services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    afternoon = services.book_half_days(payers.member.actor(), FRIDAY, AFTERNOON)
    early, late = room(payers.colleague, place, 9, 11), room(payers.colleague, place, 12, 14)
    spaces.add_closure(payers.manager.actor(), Closing(FRIDAY, FRIDAY, 13 * 60, 18 * 60, "Inventaire"))
    run_outbox()
    assert [status(row) for row in (morning, afternoon, early, late)] == [STANDS, GONE, STANDS, GONE]


def test_a_half_day_that_only_gets_shorter_stands(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    spaces.add_closure(payers.manager.actor(), Closing(FRIDAY, FRIDAY, 9 * 60, 10 * 60, "Réunion"))
    run_outbox()
    assert status(booking) == STANDS


def test_new_hours_take_what_they_no_longer_offer(payers, run_outbox):
    morning = services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    afternoon = services.book_half_days(payers.member.actor(), FRIDAY, AFTERNOON)
    mornings = [Opening(day, layer, 540, 720) for day in range(5) for layer in (ACCESSIBLE, STAFFED)]
    spaces.set_schedule(payers.manager.actor(), valid_from=THURSDAY, split_minute=780, openings=mornings)
    run_outbox()
    assert [status(morning), status(afternoon)] == [STANDS, GONE]


def test_retiring_a_desk_cancels_bookings_after_its_last_day(payers, place, run_outbox):
    last = services.book_half_days(payers.member.actor(), THURSDAY, DAY, resource=place.desks[0].public_id)
    after = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    other = services.book_half_days(payers.colleague.actor(), FRIDAY, DAY, resource=place.desks[1].public_id)
    inventory.retire_resource(payers.manager.actor(), place.desks[0].public_id, THURSDAY)
    run_outbox()
    assert [status(row) for row in (last, after, other)] == [STANDS, GONE, STANDS]


def test_a_closed_account_leaves_no_desk_held_and_gets_no_letter(payers, run_outbox, mailbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    other = services.book_half_days(payers.colleague.actor(), FRIDAY, DAY)
    staff.deactivate(payers.manager.actor(), payers.member.public_id)
    run_outbox()
    run_outbox()
    assert [status(booking), status(other)] == [GONE, STANDS]
    assert mailbox() == []


def test_an_account_opened_again_at_once_keeps_what_it_has(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    staff.deactivate(payers.manager.actor(), payers.member.public_id)
    staff.reactivate(payers.manager.actor(), payers.member.public_id)
    run_outbox()
    assert status(booking) == STANDS


def test_a_closure_taken_back_at_once_takes_nothing(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    closure, _days = spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    spaces.remove_closure(payers.manager.actor(), closure.public_id)
    run_outbox()
    assert status(booking) == STANDS


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_letter_reads(payers, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.member.id).locale = locale
    services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    clock.advance(minutes=11)
    run_outbox()
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    clock.advance(minutes=11)
    run_outbox()
    letters = [letter for letter in mailbox() if "Poste 1" in letter["Subject"]]
    golden.check(letters[-1], "booking/news-displaced")
    assert "METHOD:CANCEL" in next(letters[-1].iter_attachments()).get_payload(decode=True).decode()


# Told before it is done -----------------------------------------------------------------------------------------------


def test_more_than_was_agreed_changes_nothing(payers, place):
    boss = payers.manager.actor()
    services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    services.book_half_days(payers.colleague.actor(), FRIDAY, DAY)
    closed = [Opening(0, layer, 540, 720) for layer in (ACCESSIBLE, STAFFED)]
    for change in (
        lambda agreed: spaces.add_closure(boss, FRIDAY_CLOSED, agreed=agreed),
        lambda agreed: spaces.set_schedule(boss, valid_from=THURSDAY, split_minute=780, openings=closed, agreed=agreed),
    ):
        for agreed in (0, 1):
            with pytest.raises(WouldDisplace) as refused:
                change(agreed)
            assert refused.value.count == 2
    with pytest.raises(WouldDisplace):
        staff.deactivate(boss, payers.member.public_id, agreed=0)
    with pytest.raises(WouldDisplace):
        inventory.retire_resource(boss, place.desks[0].public_id, THURSDAY - timedelta(days=2), agreed=0)
    assert db.session.scalars(select(AuditEntry)).all() == []
    spaces.add_closure(boss, FRIDAY_CLOSED, agreed=2)


def test_the_manager_is_told_how_many_and_presses_once_more(app, place, cast, sign_in, run_outbox):
    with app.app_context():
        booking = services.book_half_days(cast.member.actor(), FRIDAY, DAY)
    boss = sign_in(cast.manager)
    form = {"reason": "Travaux", "first_day": "2026-11-27"}
    told = boss.post("/settings/closures", data=form)
    assert told.status_code == 422
    assert "1 réservation à venir ne tient plus" in told.text
    assert 'name="agreed" value="1"' in told.text
    done = boss.post("/settings/closures", data={**form, "agreed": "1"})
    assert done.status_code == 303
    run_outbox()
    with app.app_context():
        assert status(booking) == GONE


def test_closing_an_account_is_told_too(app, place, cast, sign_in):
    with app.app_context():
        services.book_half_days(cast.member.actor(), FRIDAY, DAY)
    boss, path = sign_in(cast.manager), f"/people/{cast.member.public_id}/deactivate"
    told = boss.post(path, data={"agreed": "0"})
    assert told.status_code == 409
    assert "1 réservation à venir." in told.text and 'name="agreed" value="1"' in told.text
    assert boss.post(path, data={"agreed": "1"}).status_code == 303


def test_a_desk_or_the_holidays_too(app, place, cast, sign_in):
    with app.app_context():
        services.book_half_days(cast.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    boss, path = sign_in(cast.manager), f"/settings/resources/{place.desks[0].public_id}/retire"
    told = boss.post(path, data={"last_day": "2026-11-26"})
    assert told.status_code == 422
    assert 'name="agreed" value="1"' in told.text
    assert boss.post(path, data={"last_day": "2026-11-26", "agreed": "1"}).status_code == 303
