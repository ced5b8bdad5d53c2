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
from coworking.booking import checks, services
from coworking.booking.models import Booking
from coworking.claims.models import Claim
from coworking.core import outbox, units
from coworking.core.db import db
from coworking.core.displaced import RESOURCE
from coworking.core.errors import DomainError
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closing
from tests.factories import make_person, make_place

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
        held = db.session.scalars(select(Claim.resource_id).where(Claim.live.is_(True))).all()
        if change is CHANGES["retires the desk"]:  # another one was free
            assert [place.desks[1].id] == held
        else:
            assert db.session.scalar(select(func.count()).where(Booking.status == "confirmed")) == 0
            assert held == []


def test_the_last_free_desk_goes_to_one_of_two(app, cast):
    """Someone books the only other desk while what stood on the retired one is moved: nothing is taken twice."""
    with app.app_context():
        gone, other = [(desk.id, desk.public_id) for desk in make_place(desks=2).desks]
        moved = services.book_half_days(cast.member.actor(), THURSDAY, MORNING, resource=gone[1]).id
        inventory.retire_resource(cast.manager.actor(), gone[1], TUESDAY)
    start, told = threading.Barrier(2), []

    def stranger() -> None:
        with app.app_context():
            start.wait(10)
            try:
                services.book_half_days(cast.stranger.actor(), THURSDAY, MORNING)
            except DomainError as refusal:
                told.append(refusal.code)
            else:
                told.append("booked")

    def worker() -> None:
        with app.app_context():
            start.wait(10)
            outbox.run_due()

    run_together(stranger, worker)
    with app.app_context():
        status = db.session.scalar(select(Booking.status).where(Booking.id == moved))
        assert (told, status) in ((["booked"], "cancelled"), (["claim_conflict"], "confirmed"))
        assert db.session.scalars(select(Claim.resource_id).where(Claim.live.is_(True))).all() == [other[0]]
        assert db.session.scalars(select(outbox.OutboxRow.state).where(outbox.OutboxRow.topic == RESOURCE)).all() == [
            "done"
        ]


def test_sixteen_desks_retired_at_once_leave_each_booking_whole(app, cast):
    """Sixteen of 33 desks are retired at the same moment, by as many workers: everyone has one other desk, once."""
    with app.app_context():
        desks = [(desk.id, desk.public_id) for desk in make_place(desks=33).desks]
        guests = [make_person("Invité", str(n), None) for n in range(16)]
        for n, guest in enumerate(guests):
            services.book_half_days(cast.host.actor(), THURSDAY, MORNING, person=guest.public_id, resource=desks[n][1])
    start = threading.Barrier(16)

    def retire(n: int) -> Callable[[], None]:
        def run() -> None:
            with app.app_context():
                start.wait(20)
                inventory.retire_resource(cast.manager.actor(), desks[n][1], TUESDAY)
                outbox.run_due()

        return run

    run_together(*(retire(n) for n in range(16)))
    with app.app_context():
        outbox.run_due()
        held = db.session.scalars(select(Claim.resource_id).where(Claim.live.is_(True))).all()
        assert db.session.scalar(select(func.count()).where(Booking.status == "confirmed")) == 16
        assert len(held) == len(set(held)) == 16
        assert not set(held) & {row_id for row_id, _ in desks[:16]}
        assert list(checks.claims_held()) == list(checks.quotes()) == []


def run_together(*runs: Callable[[], None]) -> None:
    threads = [threading.Thread(target=run) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
