"""Part of a day closes: the other half-day stays booked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.booking import checks, services
from coworking.booking.models import Booking
from coworking.claims.models import Claim
from coworking.claims.queries import day_version
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.displaced import Toll
from coworking.core.units import write_unit
from coworking.membership.models import LedgerEntry
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closing
from tests.booking.displacing import AFTERNOON, CANCELLED, CONFIRMED, DAY, FRIDAY, owed_of, room, status
from tests.factories import make_subscription
from tests.support import emails as golden

AFTERNOON_CLOSED = Closing(FRIDAY, FRIDAY, 14 * 60, 18 * 60, "Inventaire")


def test_a_closed_afternoon_leaves_the_morning(payers, place, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY, resource=place.desks[0].public_id)
    toll, before = Toll(shortened=1), day_version(FRIDAY)
    spaces.add_closure(payers.manager.actor(), AFTERNOON_CLOSED, agreed=toll)
    run_outbox()
    assert status(booking) == CONFIRMED
    assert owed_of(booking) == [(place.desks[0].id, 900, "live")]
    kept = db.session.get_one(Booking, booking.id)
    assert (kept.starts_at.hour, kept.ends_at.hour) == (8, 12)  # in universal time
    (held,) = db.session.scalars(select(Claim).where(Claim.live)).all()
    assert held.use == kept.span
    assert db.session.scalar(select(func.count()).select_from(Quote).where(Quote.state == "released")) == 1
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.displaced")).one()
    assert entry.details == {"why": "closed", "became": "shortened"}
    assert list(checks.claims_held()) == list(checks.quotes()) == []
    assert day_version(FRIDAY) > before


def test_a_closed_morning_leaves_the_afternoon_and_gives_the_plan_its_half_day(payers, place, run_outbox):
    make_subscription(payers.stranger)
    booking = services.book_half_days(payers.stranger.actor(), FRIDAY, DAY)
    spaces.add_closure(payers.manager.actor(), Closing(FRIDAY, FRIDAY, 0, 13 * 60, "Travaux"))
    run_outbox()
    assert [unit.half for unit in db.session.get_one(Booking, booking.id).units] == ["pm"]
    kinds = db.session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.id)).all()
    assert kinds == ["hold", "hold", "release"]


def test_a_day_that_has_begun_loses_only_the_afternoon(payers, clock, run_outbox):
    booking = services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    clock.set(datetime(2026, 11, 27, 9, tzinfo=UTC))
    presence.arrive(payers.member.actor())
    spaces.add_closure(payers.manager.actor(), AFTERNOON_CLOSED)
    run_outbox()
    kept = db.session.get_one(Booking, booking.id)
    assert [(unit.half, unit.outcome) for unit in kept.units] == [("am", "came")]


def test_a_meeting_across_the_closing_is_cancelled(payers, place, run_outbox):
    across = room(payers.colleague, place, 13, 15)
    spaces.add_closure(payers.manager.actor(), AFTERNOON_CLOSED, agreed=Toll(cancelled=1))
    run_outbox()
    assert status(across) == CANCELLED


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_e_mail_says_what_remains_and_when_it_is_closed(payers, clock, run_outbox, mailbox, locale):
    with write_unit():
        db.session.get_one(Person, payers.member.id).locale = locale
        db.session.get_one(Person, payers.colleague.id).locale = locale
    services.book_half_days(payers.member.actor(), FRIDAY, DAY)
    services.book_half_days(payers.colleague.actor(), FRIDAY, AFTERNOON)
    clock.advance(minutes=11)
    run_outbox()
    spaces.add_closure(payers.manager.actor(), AFTERNOON_CLOSED)
    run_outbox()
    clock.advance(minutes=11)
    run_outbox()
    by_person = {email["To"]: email for email in mailbox()}
    golden.check(by_person["member@demo.example"], "booking/news-shortened")
    golden.check(by_person["colleague@demo.example"], "booking/news-displaced-afternoon")
