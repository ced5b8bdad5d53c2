"""Whatever happens in whatever order, what the gateway took is in the books: on invoices, given back, or waiting to be."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from sqlalchemy import func, select

from coworking.billing import (
    checks,
    online,
    online_looking,
    online_opening,
    online_queries,
    online_refunds,
    paying,
    queries,
    services,
)
from coworking.billing.gateways.port import DisputeFact, GatewayUnavailable, MoneyBack, RefundFact
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlineDispute, OnlinePayment, OnlineRefund
from coworking.billing.online_rules import UNSETTLED
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.units import end_read, snapshot
from tests.support.billing import OCTOBER, TODAY, BillingLieu
from tests.support.gateway import MemoryGateway

STEPS = 100
NEXT = {"open": ("pending", "paid", "expired"), "pending": ("paid", "failed"), "expired": ("paid",)}
"""What may become of a checkout at the gateway; money may reach one that had ended."""


class Walk:
    """Acts drawn at random by payers, the gateway, our worker and the manager."""

    def __init__(self, seed: int, gateway: MemoryGateway, lieu: BillingLieu, invoices: list[str]) -> None:
        self.draw, self.gateway, self.manager, self.invoices = random.Random(seed), gateway, lieu.manager, invoices
        self.old = []

    def act(self) -> None:
        self.gateway.away = self.draw.random() < 0.1
        self.gateway.loses = self.draw.random() < 0.2
        with suppress(DomainError, GatewayUnavailable):
            self.draw.choice(
                [self.open] * 4
                + [self.move] * 6
                + [self.tell] * 4
                + [self.tell_late] * 2
                + [self.by_hand, self.credit]
                + [self.look, self.give_back, self.refund_fails, self.refund_there, self.dispute]
                + [self.refund] * 4
                + [self.carry_out, self.tell_money_back] * 3
            )()
        end_read()

    def open(self) -> None:
        online_opening.open_payment(
            [self.draw.choice(self.invoices)], "stripe", pay_url="http://lieu.test/pay/x", locale="fr"
        )

    def move(self) -> None:
        """Something happens at the gateway, of which nobody tells."""
        movable = [fact for fact in self.gateway.facts.values() if fact.state in NEXT]
        if movable:
            fact = self.draw.choice(movable)
            self.old.append(fact)
            self.gateway.become(fact.checkout_id, self.draw.choice(NEXT[fact.state]))

    def tell(self) -> None:
        if self.gateway.facts:
            online.settle("stripe", self.draw.choice(list(self.gateway.facts)))

    def tell_late(self) -> None:
        """A worker that fetched long ago writes down what it saw."""
        if self.old:
            online.note_fact("stripe", self.draw.choice(self.old))

    def by_hand(self) -> None:
        paying.record_payment(self.manager, self.draw.choice(self.invoices), self.draw.randrange(1, 400), TODAY, "cash")

    def credit(self) -> None:
        if self.draw.random() < 0.2:
            services.credit(self.manager, self.draw.choice(self.invoices), "Une erreur")

    def look(self) -> None:
        online_looking.reconcile()

    def refund(self) -> None:
        """The manager takes back a part of what was paid online, and gives it back."""
        for row in queries.standings_of(self.invoices):
            if row.paid_cents > 1 and self.draw.random() < 0.5:
                line = queries.content(row.invoice)["lines"][0]["amount_cents"]
                cents = self.draw.randrange(1, min(line, row.paid_cents) + 1)
                with suppress(DomainError):
                    services.credit(self.manager, row.invoice.public_id, "Une partie", taken={0: cents})
                for method in ("gateway", self.draw.choice(["gateway", "cash"])):
                    with suppress(DomainError):
                        online_refunds.refund_invoice(self.manager, row.invoice.public_id, cents // 2 + 1, method)

    def carry_out(self) -> None:
        """The worker asks for the refunds that are wanted; twice at times."""
        asked = select(OnlinePayment.public_id, OnlineRefund.public_id).join(
            OnlineRefund, OnlineRefund.online_payment_id == OnlinePayment.id
        )
        self.gateway.refunds_become = self.draw.choice(["done", "pending", "failed"])
        for payment, refund in db.session.execute(asked.where(OnlineRefund.public_id.is_not(None))).all():
            end_read()
            online_refunds.carry_out(payment, refund)

    def refund_fails(self) -> None:
        """Days later the payer's bank sends a refund back."""
        for payment_id, back in self.gateway.back.items():
            for one in back.refunds:
                if one.state != "failed" and self.draw.random() < 0.3:
                    self.gateway.refund_becomes(payment_id, one.refund_id, "failed", "expired_card")

    def refund_there(self) -> None:
        """Somebody refunds a part on the gateway's own site, which takes no more than there is."""
        payment_id = self.paid_there()
        if payment_id is not None and self.left_there(payment_id) > 300:
            cents = self.draw.randrange(1, 300)
            fact = RefundFact(f"re_there_{self.draw.random()}", None, "done", cents)
            back = self.gateway.back.get(payment_id, MoneyBack())
            self.gateway.back[payment_id] = MoneyBack((*back.refunds, fact), back.disputes)

    def dispute(self) -> None:
        """The payer's bank takes money back, or gives it back again."""
        if (payment_id := self.paid_there()) is not None:
            back = self.gateway.back.get(payment_id, MoneyBack())
            if (left := self.left_there(payment_id)) > 0:
                fact = DisputeFact("dp_" + payment_id, self.draw.choice(["open", "won", "lost"]), left)
                self.gateway.back[payment_id] = MoneyBack(back.refunds, (fact,))

    def left_there(self, payment_id: str) -> int:
        gone = sum(one.cents for one in self.gateway.back.get(payment_id, MoneyBack()).refunds if one.state != "failed")
        return next(fact.cents for fact in self.gateway.facts.values() if fact.payment_id == payment_id) - gone

    def paid_there(self) -> str | None:
        paid = [fact.payment_id for fact in self.gateway.facts.values() if fact.state == "paid"]
        return self.draw.choice(paid) if paid else None

    def tell_money_back(self) -> None:
        for payment_id in list(self.gateway.back):
            online_refunds.settle_money_back("stripe", payment_id)

    def give_back(self) -> None:
        for surplus in online_queries.surpluses():
            public_id, cents = surplus.payment.public_id, self.draw.randrange(1, surplus.cents + 1)
            online_refunds.give_back(self.manager, public_id, cents, TODAY, "gateway")


@pytest.mark.parametrize("seed", range(6))
def test_the_books_hold_what_the_gateway_took(gateway, billing_lieu, inside, seed):
    issued = services.run(billing_lieu.manager, OCTOBER).issued
    walk = Walk(seed, gateway, billing_lieu, [row.public_id for row in issued])
    for _step in range(STEPS):
        walk.act()
    gateway.away = gateway.loses = False
    for checkout_id, fact in list(gateway.facts.items()):
        if fact.state in {"open", "pending"}:
            gateway.become(checkout_id, "expired" if fact.state == "open" else "failed")
    walk.gateway.refunds_become = "done"
    walk.carry_out()
    online_looking.reconcile()
    for checkout_id in gateway.facts:  # of what had ended and was paid after all, a notification tells
        online.settle("stripe", checkout_id)
    walk.tell_money_back()
    end_read()

    taken = sum(fact.cents for fact in gateway.facts.values() if fact.state == "paid")
    on_invoices = db.session.scalar(select(func.sum(Payment.cents)).where(Payment.online_payment_id.is_not(None))) or 0
    effective = OnlineRefund.state.is_distinct_from("failed")
    given_back = db.session.scalar(select(func.sum(OnlineRefund.cents)).where(effective)) or 0
    lost = db.session.scalar(select(func.sum(OnlineDispute.cents)).where(OnlineDispute.state == "lost")) or 0
    waiting = sum(row.cents for row in online_queries.surpluses())
    twice = sum(max(-online_queries.left_of(row), 0) for row in db.session.scalars(select(OnlinePayment)))
    assert on_invoices + given_back + lost + waiting == taken + twice
    there = [one for back in gateway.back.values() for one in back.refunds if one.state != "failed"]
    by_hand = db.session.scalar(select(func.sum(OnlineRefund.cents)).where(OnlineRefund.state.is_(None))) or 0
    assert sum(one.cents for one in there) == given_back - by_hand, "what the gateway refunded is what the books say"
    print(
        "WALK",
        seed,
        given_back,
        lost,
        waiting,
        twice,
        taken,
        len(there),
        [r.state for r in db.session.scalars(select(OnlineRefund))],
    )
    for row in db.session.scalars(select(Invoice).where(Invoice.kind == "invoice")):
        assert sum(payment.cents for payment in queries.payments_of(row)) <= row.payable_cents
    states = db.session.scalars(select(OnlinePayment.state)).all()
    never_opened = [state for state in states if state == "opening"]
    assert [state for state in states if state in UNSETTLED] == never_opened, (
        "only what the gateway never heard of waits"
    )
    end_read()
    with snapshot():
        assert [*checks.charged(), *checks.paid_online()] == []
