"""Money of online payments that goes back: refunds, asked for here or made on a gateway's own site, and disputes.

A refund is committed as asked for, then a worker calls the gateway with its key, then what became of it is committed. It
counts as gone from the moment it was asked for; when it fails, the money stands on its invoices again.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date

from sqlalchemy import select

from coworking.billing import online_queries, paying, queries, rules
from coworking.billing.charges import check_manager
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import (
    DisputeFact,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    MoneyBack,
    RefundFact,
)
from coworking.billing.online_entries import allot, locked_payment, tell
from coworking.billing.online_models import OnlineDispute, OnlinePayment, OnlineRefund
from coworking.billing.online_rules import (
    REFUND_METHODS,
    FactDisagrees,
    GatewayMissing,
)
from coworking.core import audit, outbox
from coworking.core.cash import cash_moved
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.formats import money
from coworking.core.policy import SYSTEM, Actor
from coworking.core.types import public_id as new_id
from coworking.core.units import end_read, locked, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

REFUND = "billing.refund"
"""The outbox topic of refunds that a gateway is to be asked for."""


# Giving back ----------------------------------------------------------------------------------------------------------


def give_back(actor: Actor, public_id: str, cents: int, given_on: date, method: str) -> OnlineRefund:
    """Give back ``cents`` of what a payment brought too much, or of what was credited since; audited.

    ``method`` ``gateway``: a worker asks the gateway for it. Any other: a manager did it by hand on ``given_on``, which is
    for what came too much only. Raises `rules.RefundTooMuch`, `RefundMethodUnknown`, `GatewayMissing`, `ReceivedInFuture`,
    `NotFound`.
    """
    check_manager(actor)
    if method not in REFUND_METHODS:
        raise rules.RefundMethodUnknown()
    if given_on > spaces.today():
        raise rules.ReceivedInFuture(field="given_on")
    online_queries.online_payment(public_id)
    with write_unit():
        row = locked_payment(public_id)
        through = method == "gateway"
        back = online_queries.going_back([row])[row.id]
        left = back.refundable if through else back.surplus
        if not 0 < cents <= left:
            raise rules.RefundTooMuch(left=money(left, row.currency))
        if through and registry.gateway_named(row.gateway) is None:
            raise GatewayMissing()
        refund = OnlineRefund(
            public_id=new_id() if through else None,
            online_payment_id=row.id,
            cents=cents,
            given_on=given_on,
            method=method,
            state="asked" if through else None,
            created_by_id=actor.person_id,
            changed_at=now() if through else None,
        )
        row.refunds.append(refund)
        allot(row)
        if method == "cash":
            cash_moved(actor, "online_refund", refund.id, -cents)
        audit.record(
            actor, "billing.given_back", ("online_payment", row.id), person_id=row.payer_person_id, cents=cents
        )
        if through:
            outbox.enqueue(REFUND, f"{REFUND}:{refund.public_id}", {"payment": public_id, "refund": refund.public_id})
        return refund


def refund_invoice(actor: Actor, public: str, cents: int, method: str) -> None:
    """Give back ``cents`` today of what was paid for an invoice beyond what it comes to; audited.

    ``gateway``: through one of its online payments; else by hand, of what was credited since or of what came too much
    online. Raises `rules.RefundTooMuch`, `RefundMethodUnknown`, `GatewayMissing`, `NotFound`.
    """
    check_manager(actor)
    invoice = queries.standing_for(actor, public).invoice
    found = online_queries.of_invoices([invoice.id])
    back = online_queries.going_back(found)
    left = [(row.public_id, back[row.id].refundable, back[row.id].surplus) for row in found]
    over = max(-queries.owed_on(invoice), 0)
    end_read()
    through = method == "gateway"
    if not through and 0 < cents <= over:
        paying.record_refund(actor, public, cents, method)
        return
    for payment, refundable, surplus in left:
        if 0 < cents <= (refundable if through else surplus):
            give_back(actor, payment, cents, spaces.today(), method)
            return
    most = max([0 if through else over, *(refundable if through else surplus for _, refundable, surplus in left)])
    raise rules.RefundTooMuch(left=money(most, invoice.currency))


def carry_out(public_id: str, refund_id: str) -> None:
    """Ask the gateway for a refund and write down what it answers. Twice is fine. Not inside a unit.

    Raises `GatewayUnavailable`; a refusal is the end of the refund, and its money stands on its invoices again.
    """
    payment = online_queries.online_payment(public_id)
    refund = next(one for one in payment.refunds if one.public_id == refund_id)
    if refund.state != "asked" or payment.foreign_id is None:
        return
    name, payment_id, cents = payment.gateway, payment.foreign_id, refund.cents
    known = {one.foreign_id for one in payment.refunds if one is not refund and one.foreign_id is not None}
    gateway = registry.gateway_named(name)
    if gateway is None or gateway.is_live != payment.is_live:
        raise GatewayUnavailable(f"there are no keys for {name}")
    end_read()
    try:
        fact = gateway.refund(payment_id, cents, refund_id, known)
    except GatewayRefused as refusal:
        log.warning("%s refused the refund %s: %s %s", name, refund_id, refusal.code, refusal)
        fact = RefundFact("", refund_id, "failed", cents, refusal.code)
    note_money_back(gateway, payment_id, MoneyBack(refunds=(replace(fact, key=refund_id),)))


# What the gateway tells -----------------------------------------------------------------------------------------------


def settle_money_back(gateway_name: str, payment_id: str) -> bool:
    """Fetch what went back of the money that a gateway names ``payment_id``; whether it is of a payment of ours.

    Raises `GatewayUnavailable`, `GatewayRefused`, `FactDisagrees`. Not inside a unit.
    """
    gateway = registry.gateway_named(gateway_name)
    if gateway is None:
        raise GatewayUnavailable(f"there are no keys for {gateway_name}")
    is_ours = online_queries.is_ours(gateway_name, payment_id)
    end_read()
    return is_ours and note_money_back(gateway, payment_id, gateway.money_back(payment_id))


def note_money_back(gateway: Gateway, payment_id: str, back: MoneyBack) -> bool:
    """Write down refunds and disputes as the gateway tells them, also those of its own site; False: not of ours."""
    with write_unit(beside=True):
        ours = (OnlinePayment.gateway == gateway.name) & (OnlinePayment.foreign_id == payment_id)
        row = db.session.scalar(locked(select(OnlinePayment).where(ours)))
        if row is None:
            return False
        for refund in back.refunds:
            _note_refund(row, refund, by_key=gateway.refunds_by_key)
        for dispute in back.disputes:
            _note_dispute(row, dispute)
        allot(row)
        return True


def _note_refund(payment: OnlinePayment, fact: RefundFact, *, by_key: bool) -> None:
    refund = _refund_meant(payment, fact, by_key=by_key)
    state = "asked" if fact.state == "pending" else fact.state
    if refund is None:
        refund = OnlineRefund(
            online_payment_id=payment.id,
            cents=fact.cents,
            given_on=spaces.today(),
            method="gateway",
            state="asked",
            foreign_id=fact.refund_id,
            changed_at=now(),
        )
        payment.refunds.append(refund)
        audit.record(SYSTEM, "billing.refunded_there", ("online_payment", payment.id), cents=fact.cents)
    if refund.cents != fact.cents:
        raise FactDisagrees(f"the refund {fact.refund_id} is of {fact.cents} instead of {refund.cents}")
    refund.foreign_id = refund.foreign_id or fact.refund_id or None
    if (
        state != refund.state and refund.state != "failed" and state != "asked"
    ):  # a done one may fail, and no other goes back
        refund.state, refund.reason, refund.changed_at = state, fact.reason, now()
        db.session.flush()
        if state == "done":
            tell(payment, "refunded", refund=refund.id)


def _refund_meant(payment: OnlinePayment, fact: RefundFact, *, by_key: bool) -> OnlineRefund | None:
    """The refund that a fact is about: by the gateway's name of it, else by our key, else one that still has no name."""
    of_gateway = [refund for refund in payment.refunds if refund.state is not None]
    for refund in of_gateway:
        if fact.refund_id and refund.foreign_id == fact.refund_id:
            return refund
    for refund in of_gateway:
        if fact.key is not None and refund.public_id == fact.key:
            return refund
    unnamed = (one for one in of_gateway if one.foreign_id is None and one.state == "asked" and one.cents == fact.cents)
    return None if by_key else next(unnamed, None)


def _note_dispute(payment: OnlinePayment, fact: DisputeFact) -> None:
    dispute = next((one for one in payment.disputes if one.foreign_id == fact.dispute_id), None)
    if dispute is None:
        dispute = OnlineDispute(
            online_payment_id=payment.id, foreign_id=fact.dispute_id, cents=fact.cents, state="open", noted_at=now()
        )
        payment.disputes.append(dispute)
        audit.record(SYSTEM, "billing.disputed", ("online_payment", payment.id), cents=fact.cents)
    found = (fact.cents, fact.state, fact.reason, fact.respond_by)
    if found != (dispute.cents, dispute.state, dispute.reason, dispute.respond_by):
        dispute.cents, dispute.state, dispute.reason, dispute.respond_by = found
        dispute.changed_at = now()
        db.session.flush()
