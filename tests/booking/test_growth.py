"""What one booking costs does not grow with the bookings before it: what the database reads, at ten times the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert

from coworking.booking import offers, queries, services
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rooms import rooms_on
from coworking.claims.models import Claim
from coworking.core import outbox
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.types import public_id
from coworking.core.units import write_unit
from coworking.membership import entitlement_queries
from coworking.membership.models import LedgerEntry
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces
from tests.factories import make_subscription, make_tariff
from tests.support.work import analysed, unknown, worked

THURSDAY, FRIDAY = date(2026, 11, 26), date(2026, 11, 27)
MORNING = frozenset({"am"})
LAST_OF_OCTOBER = date(2026, 10, 31)
SEED = 200


def add_history(place, person, subscription, first: int, last: int) -> None:
    """The ``first`` to ``last`` day before November: each with the person at the first desk and somebody in each room."""
    # By the rows' ids, which stand out of the way of those that PostgreSQL gives.
    days = {1_000_000 - n: LAST_OF_OCTOBER - timedelta(days=n) for n in range(first + 1, last + 1)}
    desk, rooms = place.desks[0], place.rooms

    def span(day: date) -> dict[str, datetime]:
        start = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
        return {"starts_at": start, "ends_at": start + timedelta(hours=4)}

    def claim(resource, holder: int, day: date) -> dict[str, object]:
        use = {f"use_{edge}": at for edge, at in span(day).items()}
        return (
            {"resource_id": resource.id, "holder_kind": "booking", "holder_id": holder, "long": False} | span(day) | use
        )

    with write_unit():
        db.session.execute(
            insert(Booking),
            [{"id": n, "person_id": person.id, "day": day} | span(day) for n, day in days.items()],
        )
        quote = {
            "person_id": person.id,
            "payer_person_id": person.id,
            "cover": "subscription",
            "subscription_id": subscription.id,
            "resource_id": desk.id,
            "half": "am",
            "unit": "half_day",
            "minutes": 240,
            "unit_cents": 0,
            "amount_cents": 0,
            "basis": "ttc",
            "vat_rate_bp": 0,
        }
        db.session.execute(insert(Quote), [quote | {"id": n, "day": day} | span(day) for n, day in days.items()])
        unit = {"resource_id": desk.id, "half": "am", "outcome": "came"}
        db.session.execute(
            insert(BookingUnit),
            [unit | {"booking_id": n, "quote_id": n, "day": day} | span(day) for n, day in days.items()],
        )
        entry = {"subscription_id": subscription.id, "person_id": person.id}
        db.session.execute(
            insert(LedgerEntry),
            [
                entry | {"quote_id": n, "month": day.replace(day=1), "kind": kind}
                for n, day in days.items()
                for kind in ("hold", "consume")
            ],
        )
        db.session.execute(insert(Claim), [claim(row, n, day) for n, day in days.items() for row in (desk, *rooms)])
        done = {"topic": "booking.news", "payload": {}, "state": "done", "attempts": 1}
        db.session.execute(
            insert(outbox.OutboxRow),
            [
                done | {"key": f"booking-news:{public_id()}:{n}", "due_at": span(day)["ends_at"]}
                for n, day in days.items()
            ],
        )
        trail = {"action": "booking.made", "subject_kind": "booking", "person_id": person.id, "details": {}}
        db.session.execute(
            insert(AuditEntry),
            [trail | {"subject_id": n, "occurred_at": span(day)["ends_at"]} for n, day in days.items()],
        )


def acts(place, cast, day: date) -> dict[str, Callable[[], object]]:
    """What one does on ``day``, one after the other: each finds the lieu as the one before left it."""
    member, room = cast.member.actor(), place.rooms[0].public_id
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    made: dict[str, str] = {}

    def book(name: str, make: Callable[[], Booking]) -> Callable[[], object]:
        return lambda: made.update({name: make().public_id})

    def look(at_what: Callable[[], object]) -> Callable[[], object]:
        def inside() -> None:
            with write_unit():  # where the work is counted on either engine
                at_what()

        return inside

    return {
        "look at a desk": look(lambda: offers.desk_offer(member, day, MORNING)),
        "look at the rooms": look(lambda: rooms_on(spaces.day(day), timedelta(hours=1), 1, cast.member.id)),
        "what is left": look(lambda: entitlement_queries.remaining(cast.member.id, day)),
        "what is coming": look(lambda: queries.coming_bookings(cast.member.id)),
        "book a desk": book("desk", lambda: services.book_half_days(member, day, MORNING)),
        "book a room": book(
            "room",
            lambda: services.book(member, Request(Span(at, at + timedelta(hours=1)), (RequestedItem(resource=room),))),
        ),
        "move the desk": lambda: services.move(member, made["desk"], resource=place.desks[2].public_id),
        "cancel the desk": lambda: services.cancel(member, made["desk"]),
        "undo": lambda: services.undo_cancel(member, made["desk"]),
        "cancel again": lambda: services.cancel(member, made["desk"]),
        "cancel the room": lambda: services.cancel(member, made["room"]),
    }


@pytest.mark.parametrize("known", [unknown, analysed], ids=["unknown to the planner", "analysed"])
def test_ten_times_the_history_costs_the_same(inside, place, cast, known):
    make_tariff()
    subscription = make_subscription(cast.member, halfdays=None)
    costs: dict[int, dict[str, int]] = {}
    first = 0
    for last, day in ((SEED, THURSDAY), (10 * SEED, FRIDAY)):
        add_history(place, cast.member, subscription, first, last)
        costs[last] = {}
        with known(db.engine):
            for name, act in acts(place, cast, day).items():
                with worked(db.engine) as work:
                    act()
                costs[last][name] = work.amount
        first = last
    few, many = costs.values()
    assert few["book a desk"], "nothing was counted"
    grown = {name: (few[name], many[name]) for name in few if many[name] > few[name] + SEED}
    assert not grown, f"(with {SEED} days of history, with ten times as many): {grown}"
