"""A day closes, a desk is retired, an account is closed: what cannot be kept is cancelled free of charge."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from coworking.accounts import staff
from coworking.accounts.models import Person
from coworking.booking import services
from coworking.claims.models import Claim
from coworking.claims.queries import day_version
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import ACCESSIBLE, STAFFED, Closing, Opening
from tests.booking.displacing import (
    AFTERNOON,
    CANCELLED,
    CONFIRMED,
    DAY,
    FRIDAY,
    FRIDAY_CLOSED,
    MORNING,
    THURSDAY,
    desks_of,
    room,
    status,
)
from tests.support import emails as golden


def test_bookings_of_a_closed_day_are_cancelled_free_of_charge_and_audited(payers, clock, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    kept = services.book_half_days(payers.member.actor(), THURSDAY, DAY)
    clock.set(datetime(2026, 11, 27, 6, tzinfo=UTC))  # on the day itself: far beyond the deadline
    before = day_version(FRIDAY)
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    assert status(booking) == CANCELLED
    assert status(kept) == CONFIRMED
    assert db.session.scalars(select(Claim.live).where(Claim.holder_id == booking.id)).all() == [False]
    states = select(Quote.state).where(Quote.day == FRIDAY)
    assert set(db.session.scalars(states)) == {"released"}
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.displaced")).one()
    assert (entry.subject_id, entry.person_id, entry.details) == (booking.id, payers.member.id, {"why": "closed"})
    assert day_version(FRIDAY) > before


def test_a_booking_that_has_begun_is_left_to_the_host(payers, clock, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    clock.set(datetime(2026, 11, 27, 9, tzinfo=UTC))
    presence.arrive(payers.member.actor())
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    assert status(booking) == CONFIRMED


def test_closing_part_of_a_day_cancels_only_the_bookings_in_it(payers, place, run_outbox):
    morning = services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    afternoon = services.book_half_days(payers.member.actor(), FRIDAY, AFTERNOON)
    early, late = room(payers.colleague, place, 9, 11), room(payers.colleague, place, 12, 14)
    spaces.add_closure(payers.manager.actor(), Closing(FRIDAY, FRIDAY, 13 * 60, 18 * 60, "Inventaire"))
    run_outbox()
    assert [status(row) for row in (morning, afternoon, early, late)] == [CONFIRMED, CANCELLED, CONFIRMED, CANCELLED]


def test_a_booking_whose_half_day_gets_shorter_is_kept(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    spaces.add_closure(payers.manager.actor(), Closing(FRIDAY, FRIDAY, 9 * 60, 10 * 60, "Réunion"))
    run_outbox()
    assert status(booking) == CONFIRMED


def test_new_opening_hours_cancel_bookings_outside_them(payers, run_outbox):
    morning = services.book_half_days(payers.member.actor(), FRIDAY, MORNING)
    afternoon = services.book_half_days(payers.member.actor(), FRIDAY, AFTERNOON)
    mornings = [Opening(day, layer, 540, 720) for day in range(5) for layer in (ACCESSIBLE, STAFFED)]
    spaces.set_schedule(payers.manager.actor(), valid_from=THURSDAY, split_minute=780, openings=mornings)
    run_outbox()
    assert [status(morning), status(afternoon)] == [CONFIRMED, CANCELLED]


def test_a_retired_desk_moves_the_bookings_after_its_last_day(payers, place, run_outbox):
    last = services.book_half_days(payers.member.actor(), THURSDAY, DAY, resource=place.desks[0].public_id)
    after = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    other = services.book_half_days(payers.colleague.actor(), FRIDAY, DAY, resource=place.desks[1].public_id)
    inventory.retire_resource(payers.manager.actor(), place.desks[0].public_id, THURSDAY)
    run_outbox()
    assert [status(row) for row in (last, after, other)] == [CONFIRMED, CONFIRMED, CONFIRMED]
    assert [desks_of(row) for row in (last, after, other)] == [["Poste 1"] * 2, ["Poste 3"] * 2, ["Poste 2"] * 2]


def test_closing_an_account_frees_its_desks_without_an_email(payers, run_outbox, mailbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    other = services.book_half_days(payers.colleague.actor(), FRIDAY, DAY)
    staff.deactivate(payers.manager.actor(), payers.member.public_id)
    run_outbox()
    run_outbox()
    assert [status(booking), status(other)] == [CANCELLED, CONFIRMED]
    assert mailbox() == []


def test_an_account_opened_again_at_once_keeps_what_it_has(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    staff.deactivate(payers.manager.actor(), payers.member.public_id)
    staff.reactivate(payers.manager.actor(), payers.member.public_id)
    run_outbox()
    assert status(booking) == CONFIRMED


def test_a_closure_cancelled_at_once_changes_no_booking(payers, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    closure, _days = spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    spaces.remove_closure(payers.manager.actor(), closure.public_id)
    run_outbox()
    assert status(booking) == CONFIRMED


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_e_mail_about_a_cancelled_booking_reads(payers, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.member.id).locale = locale
    services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    clock.advance(minutes=11)
    run_outbox()
    spaces.add_closure(payers.manager.actor(), FRIDAY_CLOSED)
    run_outbox()
    clock.advance(minutes=11)
    run_outbox()
    emails = [email for email in mailbox() if "Poste 1" in email["Subject"]]
    golden.check(emails[-1], "booking/news-displaced")
    assert "METHOD:CANCEL" in next(emails[-1].iter_attachments()).get_payload(decode=True).decode()
