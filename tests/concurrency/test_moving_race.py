"""One booking moved and moved back by many hands at once: it stands in one place, and is owed once."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest
from sqlalchemy import select

from coworking.booking import checks as bookings
from coworking.booking import services
from coworking.booking.models import Booking
from coworking.claims import checks as claims
from coworking.claims.models import Claim
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.units import snapshot
from coworking.membership import checks as memberships
from coworking.membership.allowance_queries import USED
from coworking.membership.models import LedgerEntry
from coworking.pricing.models import Quote
from coworking.spaces.models import Resource
from tests.factories import make_agreement, make_place, make_subscription, make_tariff
from tests.support.threads import at_once

HANDS = 16
THURSDAY = date(2026, 11, 26)


@pytest.fixture
def desks(app, cast):
    """A desk for each move, half of them at another price."""
    with app.app_context():
        desks = make_place(desks=HANDS // 2 + 1).desks
        make_tariff(resources=dict.fromkeys(desks[::2], 1400))
        make_subscription(cast.member, halfdays=3)
        make_agreement(halfdays=1)
        return db.session.scalars(select(Resource).where(Resource.kind == "desk").order_by(Resource.id)).all()


def attempt(app, act) -> str:
    with app.app_context():
        try:
            return act().public_id
        except DomainError as refusal:
            return refusal.code


def broken(app) -> list[str]:
    """What the live data do not hold of what is promised of bookings and allowances."""
    checks = (bookings.claims_held, bookings.quotes, claims.overlaps, memberships.overdrawn, memberships.entries)
    with app.app_context(), snapshot():
        return [found for check in checks for found in check()]


def test_moves_and_undos_at_once_leave_one_place_and_a_balanced_ledger(app, cast, desks):
    with app.app_context():
        made = services.book_half_days(
            cast.member.actor(), THURSDAY, frozenset({"am", "pm"}), resource=desks[0].public_id
        ).public_id
    moves = [partial(services.move, cast.member.actor(), made, resource=desk.public_id) for desk in desks[1:]]
    undos = [partial(services.undo_move, actor.actor(), made) for actor in (cast.member, cast.host) * (HANDS // 4)]
    told = at_once([partial(attempt, app, act) for act in (*moves, *undos)])
    assert set(told) == {made}, "each of them follows another one"
    with app.app_context():
        booking = db.session.scalars(select(Booking)).one()
        (held,) = db.session.scalars(select(Claim).where(Claim.live))
        assert {unit.resource_id for unit in booking.units} == {held.resource_id}
        assert (held.use, len(booking.units)) == (booking.span, 2)
        owed = {quote.id: quote.cover for quote in db.session.scalars(select(Quote).where(Quote.state == "live"))}
        assert {unit.quote_id for unit in booking.units} == owed.keys()
        assert sorted(owed.values()) == ["agreement", "subscription"]
        used = select(USED).group_by(LedgerEntry.agreement_id, LedgerEntry.subscription_id)
        assert list(db.session.scalars(used)) == [1, 1]
    assert broken(app) == []


def test_one_place_left_and_wanted_back_goes_to_one_of_them(app, cast, desks):
    """Whoever left it and those who want it now ask at once: one gets it, the others keep what they have or nothing."""
    with app.app_context():
        made = services.book_half_days(
            cast.member.actor(), THURSDAY, frozenset({"am"}), resource=desks[0].public_id
        ).public_id
        services.move(cast.member.actor(), made, resource=desks[1].public_id)

    def book(person):
        return services.book_half_days(
            person.actor(), THURSDAY, frozenset({"am"}), resource=desks[0].public_id, several_places=True
        )

    others = [partial(book, cast.host) for _n in range(HANDS // 2)]
    back = [partial(services.undo_move, cast.member.actor(), made)] * (HANDS // 2)
    told = at_once([partial(attempt, app, act) for act in (*back, *others)])
    with app.app_context():
        (holder,) = db.session.scalars(select(Claim.holder_id).where(Claim.live, Claim.resource_id == desks[0].id))
        mine = db.session.scalars(select(Booking).where(Booking.public_id == made)).one()
        (place,) = {unit.resource_id for unit in mine.units}
        assert place == (desks[0].id if holder == mine.id else desks[1].id)
        assert set(told[: HANDS // 2]) == ({made} if holder == mine.id else {"claim_conflict"})
    assert broken(app) == []
