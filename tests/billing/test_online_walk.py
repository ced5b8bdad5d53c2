"""Whatever happens in whatever order, what the gateway took is in the books: on invoices, given back, or waiting to be."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from sqlalchemy import func, select

from coworking.billing import checks, online, online_looking, online_opening, online_queries, paying, queries, services
from coworking.billing.gateways.port import GatewayUnavailable
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlinePayment, OnlineRefund
from coworking.billing.online_rules import UNSETTLED
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.units import end_read, snapshot
from tests.support.billing import OCTOBER, TODAY, BillingLieu
from tests.support.gateway import MemoryGateway

STEPS = 60
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
                + [self.look, self.give_back]
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

    def give_back(self) -> None:
        for surplus in online_queries.surpluses():
            public_id, cents = surplus.payment.public_id, self.draw.randrange(1, surplus.cents + 1)
            online.give_back(self.manager, public_id, cents, TODAY, "gateway")


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
    online_looking.reconcile()
    for checkout_id in gateway.facts:  # of what had ended and was paid after all, a notification tells
        online.settle("stripe", checkout_id)
    end_read()

    taken = sum(fact.cents for fact in gateway.facts.values() if fact.state == "paid")
    on_invoices = db.session.scalar(select(func.sum(Payment.cents)).where(Payment.online_payment_id.is_not(None))) or 0
    given_back = db.session.scalar(select(func.sum(OnlineRefund.cents))) or 0
    waiting = sum(row.cents for row in online_queries.surpluses())
    assert on_invoices + given_back + waiting == taken
    for row in db.session.scalars(select(Invoice).where(Invoice.kind == "invoice")):
        assert 0 <= sum(payment.cents for payment in queries.payments_of(row)) <= row.payable_cents
    states = db.session.scalars(select(OnlinePayment.state)).all()
    never_opened = [state for state in states if state == "opening"]
    assert [state for state in states if state in UNSETTLED] == never_opened, (
        "only what the gateway never heard of waits"
    )
    end_read()
    with snapshot():
        assert [*checks.charged(), *checks.paid_online()] == []
