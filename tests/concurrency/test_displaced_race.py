"""Someone books while the manager closes the day, retires the desk or closes the account: no booking slips through.

The booking is held between its look and its commit, while the change is made and what it displaces is cancelled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.accounts import staff
from coworking.booking import services
from coworking.booking.models import Booking
from coworking.claims.models import Claim
from coworking.core import outbox, units
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closing

TUESDAY, THURSDAY = date(2026, 11, 24), date(2026, 11, 26)
MORNING = frozenset({"am"})

CHANGES: dict[str, Callable[..., object]] = {
    "closes the day": lambda place, cast: spaces.add_closure(
        cast.manager.actor(), Closing(THURSDAY, THURSDAY, None, None, "Travaux")
    ),
    "retires the desk": lambda place, cast: inventory.retire_resource(
        cast.manager.actor(), place.desks[0].public_id, TUESDAY
    ),
    "closes the account": lambda place, cast: staff.deactivate(cast.manager.actor(), cast.member.public_id),
}


@pytest.mark.parametrize("way", ["books", "takes back"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_booking_under_way_does_not_slip_past_a_change(app, place, cast, change, way):
    holding, release = threading.Event(), threading.Event()
    desk, told = place.desks[0].public_id, []
    cancelled = ""
    if way == "takes back":
        with app.app_context():
            booking = services.book_half_days(cast.member.actor(), THURSDAY, MORNING, resource=desk)
            cancelled = services.cancel(cast.member.actor(), booking.public_id).public_id

    def hold(_unit: units.UnitOfWork) -> None:
        if threading.current_thread().name == "member":
            holding.set()
            release.wait(10)

    def member() -> None:
        with app.app_context():
            try:
                if cancelled:
                    services.undo_cancel(cast.member.actor(), cancelled)
                else:
                    services.book_half_days(cast.member.actor(), THURSDAY, MORNING, resource=desk)
            except DomainError as refusal:
                told.append(refusal.code)
            else:
                told.append("booked")

    def manager() -> None:
        with app.app_context():
            change(place, cast)
            outbox.run_due()

    units.before_commit.append(hold)
    try:
        threads = [threading.Thread(name=run.__name__, target=run) for run in (member, manager)]
        threads[0].start()
        assert holding.wait(10)
        threads[1].start()
        threads[1].join(0.5)
        release.set()
        for thread in threads:
            thread.join(30)
    finally:
        units.before_commit.remove(hold)
    assert told == ["booked"]  # it was first
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Booking.status == "confirmed")) == 0
        assert db.session.scalar(select(func.count()).where(Claim.live.is_(True))) == 0
