"""What became of payments through a gateway, written down once. Each function is one short unit of work.

Settling fetches the gateway's object, then writes in one unit. The payer's return, a notification and our own looks may
all come at once and in any order: the payment's row is locked, and nothing goes back (`online_rules.next_state`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, or_, select

from coworking.billing import charges, drafts, queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import CheckoutFact, Gateway, GatewayUnavailable, Notification
from coworking.billing.models import Charge, Invoice
from coworking.billing.online_entries import allot, reach, state_of, tell
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart
from coworking.billing.online_refunds import note_money_back
from coworking.billing.online_rules import (
    check_fact,
    next_state,
)
from coworking.billing.rules import NothingToInvoice
from coworking.billing.services import issue_in_unit
from coworking.core import outbox
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.keyring import signing_key
from coworking.core.months import month_of
from coworking.core.policy import SYSTEM
from coworking.core.units import end_read, for_update, write_unit
from coworking.pricing import sales
from coworking.pricing.models import Sale
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

TOO_LATE = "billing.paid_too_late"
"""The outbox topic of money that came for what can no longer be had."""
INVOICE = "billing.sale_invoice"
"""The outbox topic of an invoice that could not be issued when its money came."""
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


_THIS = (
    OnlinePayment.gateway == bindparam("gateway"),
    or_(
        OnlinePayment.checkout_id == bindparam("checkout"),
        # Its answer was lost when it was opened.
        (OnlinePayment.public_id == bindparam("key")) & OnlinePayment.checkout_id.is_(None),
    ),
)
_SOLD = select(Sale.public_id).join(OnlinePayment).where(*_THIS)
_LOCKED = for_update(select(OnlinePayment).where(*_THIS))
_LOCKED_OF_INVOICES = for_update(select(OnlinePayment).where(*_THIS, OnlinePayment.sale_id.is_(None)))


def note_fact(gateway_name: str, fact: CheckoutFact) -> OnlinePayment | None:
    """Write down what the gateway says of a checkout; None where it is not one of ours."""
    this = {"gateway": gateway_name, "checkout": fact.checkout_id, "key": fact.key}
    # A request that opens another page notes this first: its own key waits for its own unit.
    with write_unit(beside=True):
        sale, row = None, db.session.scalar(_LOCKED_OF_INVOICES, this)
        if row is None and (sold := db.session.scalar(_SOLD, this)) is not None:
            sale = sales.lock(sold)  # what was sold is locked before its payment
            row = db.session.scalar(_LOCKED, this)
        if row is None:
            return None
        check_fact(fact, cents=row.cents, currency=row.currency, is_live=row.is_live)
        row.checkout_id = fact.checkout_id
        before, state = state_of(row), next_state(state_of(row), fact.state)
        if state != before:
            row.means, row.foreign_id = fact.means or row.means, fact.payment_id or row.foreign_id
            reach(row, state, fact.reason)
            if state == "paid" and sale is not None:
                _pay_sale(row, sale)
            elif state == "paid":
                allot(row)
            is_bad_news = state == "failed" and (before == "pending" or row.saved_means_id is not None)
            if (state == "paid" and sale is None) or is_bad_news:
                tell(row, state)
        return row


def _pay_sale(payment: OnlinePayment, sale: Sale) -> None:
    """Let what was sold count, with an invoice that is paid already; what can no longer be had is given back.

    Where the invoice cannot be issued (the lieu's own address went missing, say), the money still counts: issuing is
    tried again, and a manager sees it.
    """
    if sale.state == "paid" or not sales.pay(sale):
        outbox.enqueue(TOO_LATE, f"{TOO_LATE}:{payment.public_id}", {"payment": payment.public_id})
        return
    db.session.flush()
    try:
        invoice_sale(payment, sale)
    except DomainError as error:  # before anything but its charges is written
        log.warning("no invoice for the sale %s yet: %s", sale.public_id, error)
        outbox.enqueue(INVOICE, f"{INVOICE}:{payment.public_id}", {"payment": payment.public_id})


def invoice_sale(payment: OnlinePayment, sale: Sale) -> None:
    """Issue the invoice of a sale that was paid by ``payment``, and pay it with that; in the open unit, both locked.

    Raises what prevents issuing. Where a month's run has billed its charges meanwhile, that invoice is paid.
    """
    month = month_of(spaces.today())
    assert sale.made_id is not None, "what was paid counts"
    sold = charges.charge_sold(sale.subject_kind, sale.made_id, month)
    billed = db.session.scalars(select(Invoice).join(Charge).where(Charge.id.in_(sold))).first()
    invoice = billed or _issued(payment, month, sold)
    db.session.add(OnlinePaymentPart(online_payment_id=payment.id, invoice_id=invoice.id, cents=payment.cents))
    db.session.flush()
    db.session.expire(payment, ["parts"])
    allot(payment)


def _issued(payment: OnlinePayment, month: date, sold: Sequence[int]) -> Invoice:
    ready = drafts.prepare_from(queries.charges_due(month, Charge.id.in_(sold)), month)
    if not ready:
        raise NothingToInvoice()
    return issue_in_unit(SYSTEM, signing_key(), ready[0], month, paid_by=payment.means or "card")


def notified(gateway_name: str, told: Notification) -> bool:
    """Store a gateway's notification, to be looked into by a worker; False where it was stored before."""
    with write_unit():
        payload = {"gateway": gateway_name, "checkout": told.checkout_id, "payment": told.payment_id}
        if told.payout_id is not None:
            payload["payout"] = told.payout_id
        return outbox.enqueue(NOTIFIED, f"{NOTIFIED}:{gateway_name}:{told.id}", payload)
