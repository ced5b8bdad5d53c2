"""What became of payments through a gateway, written down once. Each function is one short unit of work.

Settling fetches the gateway's object, then writes in one unit. The payer's return, a notification and our own looks may
all come at once and in any order: the payment's row is locked, and nothing goes back (`online_rules.next_state`).
"""

from __future__ import annotations

from sqlalchemy import or_, select

from coworking.billing.gateways import registry
from coworking.billing.gateways.port import CheckoutFact, Gateway, GatewayUnavailable, Notification
from coworking.billing.online_entries import allot, reach, state_of, tell
from coworking.billing.online_models import OnlinePayment
from coworking.billing.online_refunds import note_money_back
from coworking.billing.online_rules import (
    check_fact,
    next_state,
)
from coworking.core import outbox
from coworking.core.db import db
from coworking.core.units import end_read, locked, write_unit

NOTIFIED = "billing.notified"
"""The outbox topic of gateways' notifications; its key holds the notification's own id, so that each counts once."""


def settle(gateway_name: str, checkout_id: str) -> OnlinePayment | None:
    """Fetch a checkout and write down what became of it; None where it is not one of ours. Twice is fine.

    Raises `GatewayUnavailable`, `GatewayRefused`, `FactDisagrees`. Not inside a unit.
    """
    gateway = registry.gateway_named(gateway_name)
    if gateway is None:
        raise GatewayUnavailable(f"there are no keys for {gateway_name}")
    end_read()
    return note_fetched(gateway, gateway.fetch(checkout_id))


def note_fetched(gateway: Gateway, fact: CheckoutFact) -> OnlinePayment | None:
    """Write down what was fetched, and what went back of it where the gateway says that something did."""
    row = note_fact(gateway.name, fact)
    if row is not None and fact.has_money_back and fact.payment_id is not None:
        note_money_back(gateway, fact.payment_id, gateway.money_back(fact.payment_id))
    return row


def note_fact(gateway_name: str, fact: CheckoutFact) -> OnlinePayment | None:
    """Write down what the gateway says of a checkout; None where it is not one of ours."""
    with write_unit(
        beside=True
    ):  # a request that opens another page notes this first: its own key waits for its own unit
        known = [OnlinePayment.checkout_id == fact.checkout_id]
        if fact.key is not None:  # its answer was lost when it was opened
            known.append((OnlinePayment.public_id == fact.key) & OnlinePayment.checkout_id.is_(None))
        row = db.session.scalar(locked(select(OnlinePayment).where(OnlinePayment.gateway == gateway_name, or_(*known))))
        if row is None:
            return None
        check_fact(fact, cents=row.cents, currency=row.currency, is_live=row.is_live)
        row.checkout_id = fact.checkout_id
        before, state = state_of(row), next_state(state_of(row), fact.state)
        if state != before:
            row.means, row.foreign_id = fact.means or row.means, fact.payment_id or row.foreign_id
            reach(row, state, fact.reason)
            if state == "paid":
                allot(row)
            is_bad_news = state == "failed" and (before == "pending" or row.saved_means_id is not None)
            if state == "paid" or is_bad_news:
                tell(row, state)
        return row


def notified(gateway_name: str, told: Notification) -> bool:
    """Store a gateway's notification, to be looked into by a worker; False where it was stored before."""
    with write_unit():
        payload = {"gateway": gateway_name, "checkout": told.checkout_id, "payment": told.payment_id}
        return outbox.enqueue(NOTIFIED, f"{NOTIFIED}:{gateway_name}:{told.id}", payload)
