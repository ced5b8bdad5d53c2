"""One cancelling: who asks, who made a mistake, what the lieu takes back; every column each time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from coworking.accounts import staff
from coworking.booking import services
from coworking.booking.models import Booking
from coworking.claims.models import Claim
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.pricing.models import Quote
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closing

THURSDAY = date(2026, 11, 26)
MORNING = frozenset({"am"})
LATE = datetime(2026, 11, 25, 18, 30, tzinfo=UTC)


def book(payers, by=None) -> str:
    person = payers.stranger
    return services.book_half_days((by or person).actor(), THURSDAY, MORNING, person=person.public_id).public_id


def columns() -> tuple[str | None, bool, int | None, str]:
    """Why, late, by whom, and what became of the price."""
    db.session.rollback()
    booking = db.session.scalars(select(Booking)).one()
    assert booking.status == "cancelled" and booking.cancelled_at is not None
    state = db.session.scalars(select(Quote.state)).one()
    return booking.cancelled_because, booking.cancelled_late, booking.cancelled_by_id, state


def trail() -> list[tuple[str, dict]]:
    rows = db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("booking.%")).order_by(AuditEntry.id))
    return [(row.action, row.details) for row in rows]


def test_what_one_asks_for_too_late_counts_as_used(payers, clock):
    made = book(payers)
    clock.set(LATE)
    services.cancel(payers.stranger.actor(), made)
    assert columns() == ("asked", True, payers.stranger.id, "kept")
    assert trail() == []


def test_asked_for_by_phone_it_is_the_persons_own_late_cancelling(payers, clock):
    made = book(payers)
    clock.set(LATE)
    services.cancel(payers.host.actor(), made)
    assert columns() == ("asked", True, payers.host.id, "kept")
    assert trail() == [("booking.cancelled", {"late": True, "why": "asked"})]


def test_cancelling_a_mistake_of_staff_is_never_late(payers, clock):
    made = book(payers, payers.host)
    clock.set(LATE)
    services.cancel(payers.host.actor(), made, mistake=True)
    assert columns() == ("mistake", False, payers.host.id, "released")
    assert trail()[-1] == ("booking.cancelled", {"late": False, "why": "mistake"})


def test_no_member_calls_their_late_cancelling_a_mistake(payers, clock):
    made = book(payers)
    clock.set(LATE)
    services.cancel(payers.stranger.actor(), made, mistake=True)
    assert columns() == ("asked", True, payers.stranger.id, "kept")


def test_the_sheet_offers_it_to_staff_once_it_is_late(app, place, cast, sign_in, clock):
    with app.app_context():
        made = book(cast)
    path, words = f"/bookings/{made}", "C’était notre erreur"
    assert words not in sign_in(cast.host).get(path).text
    clock.set(LATE)
    assert words not in sign_in(cast.stranger).get(path).text
    page = sign_in(cast.host).get(path).text
    form = next(one for one in page.split("<form")[1:] if words in one)
    sent = dict(re.findall(r'name="(\w+)" value="(\w*)"', form.split("</form>")[0]))
    assert sent.keys() >= {"mistake"}, "the button says what it is"
    sign_in(cast.host).post(f"{path}/cancel", data={"mistake": sent["mistake"]})
    with app.app_context():
        assert db.session.scalars(select(Booking.cancelled_because)).one() == "mistake"


@pytest.mark.parametrize(
    ("cause", "change"),
    [
        ("closed", lambda boss, p, c: spaces.add_closure(boss, Closing(THURSDAY, THURSDAY, None, None, "Travaux"))),
        (
            "retired",  # with all other desks, so that it can go nowhere
            lambda boss, p, c: [
                inventory.retire_resource(boss, desk.public_id, THURSDAY - timedelta(days=2)) for desk in p.desks
            ],
        ),
        ("left", lambda boss, p, c: staff.deactivate(boss, c.stranger.public_id)),
    ],
)
def test_bookings_cancelled_by_the_lieu_are_not_owed(payers, place, clock, run_outbox, cause, change):
    book(payers)
    clock.set(LATE)
    change(payers.manager.actor(), place, payers)
    run_outbox()
    assert columns() == (cause, False, None, "released")
    assert ("booking.displaced", {"why": cause}) in trail()
    assert db.session.scalars(select(Claim.live)).all() == [False]


def test_an_undo_clears_every_column(payers, clock):
    made = book(payers)
    clock.set(LATE)
    services.cancel(payers.stranger.actor(), made)
    services.undo_cancel(payers.stranger.actor(), made)
    db.session.rollback()
    booking = db.session.scalars(select(Booking)).one()
    assert (booking.status, booking.cancelled_at, booking.cancelled_because) == ("confirmed", None, None)
    assert (booking.cancelled_late, booking.cancelled_by_id) == (False, None)
