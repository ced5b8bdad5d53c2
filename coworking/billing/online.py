"""What became of payments through a gateway, written down once. Each function is one short unit of work.

Settling fetches the gateway's object, then writes in one unit. The payer's return, a notification and our own looks may
all come at once and in any order: the payment's row is locked, and nothing goes back (`online_rules.next_state`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select

from coworking.billing import online_queries, queries, rules
from coworking.billing.charges import check_manager
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import (
    CheckoutFact,
    GatewayUnavailable,
)
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlinePayment, OnlinePaymentStep, OnlineRefund
from coworking.billing.online_rules import (
    REFUND_METHODS,
    UNSETTLED,
    OnlineState,
    RefundMethodUnknown,
    RefundTooMuch,
    check_fact,
    next_state,
    shares_of,
)
from coworking.core import audit, outbox
from coworking.core.cash import cash_moved
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.formats import money
from coworking.core.policy import SYSTEM, Actor
from coworking.core.units import end_read, locked, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

LOOK = "billing.look"
"""The outbox topic of our own looks at a payment that nothing has settled yet."""
TOLD = "billing.online_told"
"""The outbox topic of what the payer is told by e-mail: money that arrived, a debit that the bank refused."""
LOOKS = (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8), timedelta(hours=25))
"""How long after the last one the next look comes; from then on one comes every day."""


# Settling -------------------------------------------------------------------------------------------------------------


def settle(gateway_name: str, checkout_id: str) -> OnlinePayment | None:
    """Fetch a checkout and write down what became of it; None where it is not one of ours. Twice is fine.

    Raises `GatewayUnavailable`, `GatewayRefused`, `FactDisagrees`. Not inside a unit.
    """
    gateway = registry.gateway_named(gateway_name)
    if gateway is None:
        raise GatewayUnavailable(f"there are no keys for {gateway_name}")
    end_read()
    return note_fact(gateway_name, gateway.fetch(checkout_id))


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
        before, state = _state(row), next_state(_state(row), fact.state)
        if state != before:
            row.means, row.foreign_id = fact.means or row.means, fact.payment_id or row.foreign_id
            reach(row, state, fact.reason)
            if state == "paid":
                _allot(row)
            is_bad_news = state == "failed" and (before == "pending" or row.saved_means_id is not None)
            if state == "paid" or is_bad_news:
                tell(row, state)
        return row


def tell(payment: OnlinePayment, state: OnlineState) -> None:
    """Have the payer told by e-mail that their payment arrived, or that it did not."""
    outbox.enqueue(TOLD, f"{TOLD}:{payment.public_id}:{state}", {"payment": payment.public_id, "state": state})


def _allot(payment: OnlinePayment) -> None:
    """Pay the invoices of a payment that arrived, each at most what is still owed on it."""
    invoices = {
        row.id: row
        for row in db.session.scalars(
            locked(
                select(Invoice).where(Invoice.id.in_([part.invoice_id for part in payment.parts])).order_by(Invoice.id)
            )
        )
    }
    today = spaces.today()
    taken = shares_of([(part.cents, queries.owed_on(invoices[part.invoice_id])) for part in payment.parts])
    for part, cents in zip(payment.parts, taken, strict=True):
        if cents:
            invoice = invoices[part.invoice_id]
            db.session.add(
                Payment(
                    invoice_id=invoice.id,
                    cents=cents,
                    received_on=today,
                    method=payment.means or "card",
                    reference=payment.foreign_id,
                    online_payment_id=payment.id,
                )
            )
            audit.record(
                SYSTEM, "billing.paid_online", ("invoice", invoice.id), person_id=invoice.payer_person_id, cents=cents
            )


def give_back(actor: Actor, public_id: str, cents: int, given_on: date, method: str) -> OnlineRefund:
    """Write down that a manager gave back ``cents`` of what a payment brought too much; audited.

    Raises `RefundTooMuch`, `RefundMethodUnknown`, `ReceivedInFuture`, `NotFound`.
    """
    check_manager(actor)
    if method not in REFUND_METHODS:
        raise RefundMethodUnknown()
    if given_on > spaces.today():
        raise rules.ReceivedInFuture(field="given_on")
    online_queries.online_payment(public_id)
    with write_unit():
        row = locked_payment(public_id)
        (found,) = online_queries.surpluses(OnlinePayment.id == row.id) or (None,)
        left = found.cents if found is not None else 0
        if not 0 < cents <= left:
            raise RefundTooMuch(left=money(left, row.currency))
        refund = OnlineRefund(
            online_payment_id=row.id, cents=cents, given_on=given_on, method=method, created_by_id=actor.person_id
        )
        db.session.add(refund)
        audit.record(
            actor, "billing.given_back", ("online_payment", row.id), person_id=row.payer_person_id, cents=cents
        )
        if method == "cash":
            db.session.flush()
            cash_moved(actor, "online_refund", refund.id, -cents)
        return refund


# Within the unit ------------------------------------------------------------------------------------------------------


def invoices_locked(public_ids: Sequence[str]) -> list[Invoice]:
    rows = list(
        db.session.scalars(
            locked(
                select(Invoice).where(Invoice.public_id.in_(public_ids), Invoice.kind == "invoice").order_by(Invoice.id)
            )
        )
    )
    if len(rows) != len(set(public_ids)):
        raise NotFound()
    return rows


def locked_payment(public_id: str) -> OnlinePayment:
    return db.session.scalars(locked(select(OnlinePayment).where(OnlinePayment.public_id == public_id))).one()


def _state(payment: OnlinePayment) -> OnlineState:
    return next(state for state in (*UNSETTLED, "paid", "failed", "expired") if state == payment.state)


def reach(payment: OnlinePayment, state: OnlineState, reason: str | None) -> None:
    payment.state, payment.reason, payment.changed_at = state, reason, now()
    db.session.add(OnlinePaymentStep(online_payment_id=payment.id, state=state, reason=reason, noted_at=now()))


def look_later(public_id: str, turn: int) -> None:
    wait = LOOKS[min(turn, len(LOOKS) - 1)]
    outbox.enqueue(LOOK, f"{LOOK}:{public_id}:{turn}", {"payment": public_id, "turn": turn}, due_at=now() + wait)


def notified(gateway_name: str, event_id: str, checkout_id: str) -> bool:
    """Store a gateway's notification, to be looked into by a worker; False where it was stored before."""
    with write_unit():
        key = f"{NOTIFIED}:{gateway_name}:{event_id}"
        return outbox.enqueue(NOTIFIED, key, {"gateway": gateway_name, "checkout": checkout_id})


NOTIFIED = "billing.notified"
"""The outbox topic of gateways' notifications; its key holds the notification's own id, so that each counts once."""
