"""Whole histories at random: plans taken, changed, at rest; packs; desks and rooms booked and cancelled, months that pass.

After every step the ledger's sums are the balances that people read, and the nightly checks find nothing. At the end what
was quoted is what was charged, and what was charged is what the invoices say.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from coworking.billing import services as billing
from coworking.billing.models import Charge, Invoice
from coworking.booking import services as booking
from coworking.booking.placing import Request, RequestedItem
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.months import month_after, month_of, months_between
from coworking.core.timespan import Span
from coworking.core.units import end_read, snapshot, write_unit
from coworking.membership import changing, checks, services
from coworking.membership.allowance_rules import Brought
from coworking.membership.day_rate_queries import halves_of
from coworking.membership.day_rate_rules import standing_alone
from coworking.membership.entitlement_queries import remaining
from coworking.membership.ledger_queries import accounts_of
from coworking.membership.models import Subscription
from coworking.membership.opening import open_month
from coworking.membership.opening_rules import MonthOpening
from coworking.pricing.group_rules import Reduction
from coworking.pricing.models import Quote
from coworking.pricing.rules import Unit
from coworking.spaces import queries as spaces
from tests import factories
from tests.conftest import _empty
from tests.support.billing import make_billing_lieu, settled

FIRST_DAY = date(2026, 11, 5)
STEPS = 36
HALVES = ("am", "pm")


class History:
    """One person's life in a lieu that sells plans of three kinds and packs, and whose employer pays some half-days."""

    def __init__(self, clock, random: Random) -> None:
        self.clock, self.random = clock, random
        self.lieu = make_billing_lieu(vat_status="exempt")
        factories.make_tariff(day=1500)
        students = factories.make_group("étudiant", desk=Reduction(percent_bp=2500), plan=Reduction(percent_bp=5000))
        factories.make_reduced(self.lieu.cast.member, students, valid_until=date(2026, 12, 20))
        self.plans = [
            factories.make_plan("Petit", cents=3000, halfdays=3, rollover_halfdays=2, trial_cents=1000).public_id,
            factories.make_plan("Salle", cents=6000, halfdays=6, room_minutes=180, rollover_minutes=60).public_id,
            factories.make_plan("Grand", cents=12000, halfdays=12, min_months=3, is_prorata=True).public_id,
        ]
        self.packs = [
            factories.make_pack_offer("Cinq", units=5, cents=4000, months=1).public_id,
            factories.make_pack_offer("Heures", unit="hour", units=180, cents=3000, months=2).public_id,
        ]
        settled(self.lieu)
        self.actor = self.lieu.cast.member.actor()
        self.rooms = [room.public_id for room in self.lieu.place.rooms]
        self.made: list[str] = []
        services.subscribe(self.actor, random.choice(self.plans), first_month=month_of(FIRST_DAY))

    def live(self) -> None:
        """One step, whatever it meets; what is refused changes nothing."""
        step = self.random.choice([self.book] * 6 + [self.room] * 3 + [self.cancel, self.undo, self.change_plan] * 2)
        step = self.random.choice(
            [step, step, step, step, self.pass_time, self.take, self.buy, self.rest, self.and_back, self.move_in]
        )
        try:
            step()
        except DomainError:
            db.session.rollback()
        end_read()

    def book(self) -> None:
        day = spaces.today() + timedelta(days=self.random.randrange(0, 25))
        payer = self.random.choice([None, "me", "me"])
        halves = frozenset(self.random.sample(HALVES, self.random.choice([1, 1, 2])))
        self.made.append(booking.book_half_days(self.actor, day, halves, payer=payer).public_id)  # type: ignore[arg-type]

    def room(self) -> None:
        day = spaces.today() + timedelta(days=self.random.randrange(1, 40))
        start = datetime(day.year, day.month, day.day, self.random.randrange(9, 15), tzinfo=UTC)
        span = Span(start, start + timedelta(minutes=self.random.choice([30, 60, 90])))
        request = Request(span, (RequestedItem(resource=self.random.choice(self.rooms)),), payer="me")
        self.made.append(booking.book(self.actor, request).public_id)

    def cancel(self) -> None:
        if self.made:
            booking.cancel(self.actor, self.random.choice(self.made))

    def undo(self) -> None:
        if self.made:
            booking.undo_cancel(self.actor, self.made[-1])

    def and_back(self) -> None:
        """Booked and cancelled in time, a half-day leaves everything as it was."""
        before = self.balances(), self.owed()
        day = spaces.today() + timedelta(days=self.random.randrange(3, 30))
        made = booking.book_half_days(self.actor, day, frozenset({"am"}), payer="me")
        booking.cancel(self.actor, made.public_id)
        assert (self.balances(), self.owed()) == before

    def take(self) -> None:
        first = self.random.choice([0, 0, 1])
        month = month_after(month_of(spaces.today()), first)
        services.subscribe(self.actor, self.random.choice(self.plans), first_month=month)

    def change_plan(self) -> None:
        changing.change_plan(self.actor, self.random.choice(self.plans), at_once=self.random.random() < 0.5)

    def rest(self) -> None:
        changing.pause(self.actor, back=month_after(month_of(spaces.today()), self.random.choice([2, 3])))

    def move_in(self) -> None:
        """Something of this month or the one before was used elsewhere."""
        month = month_after(month_of(spaces.today()), self.random.choice([0, 0, -1]))
        used, carried = self.random.randrange(1, 4), self.random.choice([0, 0, 1])
        brought: dict[Unit, Brought] = {"half_day": Brought(used, carried)}
        if self.random.random() < 0.4:
            brought["hour"] = Brought(60, 30 * carried)
        with write_unit():
            open_month(self.lieu.manager, self.lieu.cast.member.public_id, MonthOpening(month, brought))

    def buy(self) -> None:
        services.buy_pack(self.actor, self.random.choice(self.packs))

    def pass_time(self) -> None:
        self.clock.now = now() + timedelta(days=self.random.choice([1, 3, 9, 20]), minutes=self.random.randrange(90))

    def months(self) -> list[date]:
        return months_between(FIRST_DAY, month_after(spaces.today(), 2))

    def balances(self) -> list[tuple[object, ...]]:
        """What each allowance gives, used, booked and left, by month."""
        found = [
            (month, one.kind, one.name, one.unit, one.since, one.given, one.used, one.booked, one.left)
            for month in self.months()
            for one in accounts_of(self.lieu.cast.member.id, month, spaces.today())
        ]
        end_read()
        return found

    def owed(self) -> list[tuple[object, ...]]:
        """What is owed for each half-day at a desk."""
        found = [
            (quote.day, quote.half, quote.payer_organisation_id, quote.amount_cents)
            for quote in db.session.scalars(select(Quote).where(Quote.state != "released", Quote.half.is_not(None)))
        ]
        end_read()
        return sorted(found, key=str)

    def check_days(self) -> None:
        """Nobody keeps the price of a second half-day without a first one beside it."""
        quotes = list(db.session.scalars(select(Quote).where(Quote.state != "released")))
        alone = {half.quote_id for half in standing_alone(halves_of(quotes))}
        assert not [quote for quote in quotes if quote.id in alone and quote.state == "live"]
        end_read()

    def check_left(self) -> None:
        """What is left is what the month's page explains, line by line."""
        member, today = self.lieu.cast.member.id, spaces.today()
        said = [(one.name, one.unit, one.left) for one in remaining(member, today) if not (one.employer or one.is_pack)]
        explained = [
            (one.name, one.unit, one.left)
            for one in accounts_of(member, month_of(today), today)
            if one.kind == "plan" and one.since <= today
        ]
        assert sorted(said, key=str) == sorted(explained, key=str)
        end_read()

    def check(self) -> None:
        self.check_days()
        self.check_left()
        for month, kind, name, _unit, _since, total, used, booked, left in self.balances():
            assert total is None or (left >= 0 and total == used + booked + left), (month, kind, name)  # type: ignore[operator]
        with snapshot():
            for look in (
                checks.overdrawn,
                checks.of_plans,
                checks.brought_into_plans,
                checks.packs_overdrawn,
                checks.packs_of_others,
                checks.entries,
                checks.agreements_overspent,
                checks.reduced_of_others,
            ):
                assert list(look()) == [], look.__name__

    def settle(self) -> None:
        """Everything is over: each month is invoiced, and the bills say what was quoted."""
        last = month_of(spaces.today())
        self.clock.now = datetime(last.year, last.month, 1, 9, tzinfo=UTC) + timedelta(days=70)
        for month in months_between(FIRST_DAY, month_after(spaces.today(), -1)):
            assert billing.run(self.lieu.manager, month).problems == []
        charges = list(db.session.scalars(select(Charge)))
        of_quotes = {one.source_id: one.amount_cents for one in charges if one.source == "quote"}
        owed = db.session.scalars(select(Quote).where(Quote.state != "released", Quote.amount_cents > 0))
        assert of_quotes == {quote.id: quote.amount_cents for quote in owed if quote.day < spaces.today()}
        plans = Counter((one.source_id, one.month) for one in charges if one.source == "subscription")
        assert max(plans.values(), default=1) == 1, "each month of a plan is charged once"
        taken_back = set(db.session.scalars(select(Subscription.id).where(Subscription.withdrawn_at.is_not(None))))
        assert taken_back.isdisjoint(row_id for row_id, _month in plans)
        for invoice in db.session.scalars(select(Invoice)):
            of_it = select(func.sum(Charge.amount_cents)).where(Charge.invoice_id == invoice.id)
            lines = json.loads(invoice.payload)["lines"]
            assert sum(line["amount_cents"] for line in lines) == db.session.scalar(of_it) == invoice.payable_cents


@settings(
    max_examples=5,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a history takes seconds: shrinking one would take long, and its seed says enough
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_ledger_quotes_charges_and_invoices_agree_whatever_happens(app, clock, seed):
    _empty(app)
    clock.now = datetime(2026, 11, 5, 7, tzinfo=UTC)
    with app.app_context():
        history = History(clock, Random(seed))
        for _ in range(STEPS):
            history.live()
            history.check()
        history.settle()
        history.check()
