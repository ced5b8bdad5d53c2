"""Payments through a gateway: opened, settled, looked after. Each function is one or two short units of work.

Opening commits the intent, calls the gateway with the payment's own id as key, then commits what it answered. A crash in
between leaves a payment that is ``opening``: asking again continues it, and `look_after` finds out what became of it.

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
from coworking.billing.gateways.port import (
    CheckoutFact,
    CheckoutWanted,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    NotExpirable,
)
from coworking.billing.gateways.registry import gateway_named
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart, OnlinePaymentStep, OnlineRefund
from coworking.billing.online_rules import (
    REFUND_METHODS,
    UNSETTLED,
    FactDisagrees,
    GatewayAway,
    GatewayMissing,
    NothingToPay,
    OnlineState,
    PaymentPending,
    RefundMethodUnknown,
    RefundTooMuch,
    SeveralPayers,
    TooSmallForCard,
    check_fact,
    next_state,
    shares_of,
)
from coworking.core import audit, outbox
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
REUSED_FOR = timedelta(hours=20)
"""How long a gateway's page is given again to who asks to pay the same; it takes money for 24 hours."""
LEFT_TO_PAY = timedelta(minutes=2)
"""A page that ends sooner is not given again."""
LOST_AFTER = timedelta(days=2)
"""After this no page exists any more for a payment of which the gateway knows nothing."""


# Opening --------------------------------------------------------------------------------------------------------------


def open_payment(
    invoices: Sequence[str], gateway_name: str, *, pay_url: str, locale: str, actor: Actor = SYSTEM
) -> OnlinePayment:
    """Where the payer of ``invoices`` (public ids) pays all that is owed on them: a payment with its ``checkout_url``.

    Asked again for the same amounts, it gives the same page, so that two tabs cannot pay twice. ``pay_url``: where the
    payer comes back to. Raises `NothingToPay`, `PaymentPending`, `SeveralPayers`, `TooSmallForCard`, `GatewayMissing`, and
    `GatewayAway` when the gateway does not answer.
    """
    gateway = next((one for one in online_queries.offered() if one.name == gateway_name), None)
    if gateway is None:
        raise GatewayMissing()
    _close_others(invoices, gateway)
    payment, label = _intend(invoices, gateway, locale, actor)
    if payment.checkout_url is not None:
        return payment
    end_read()
    back = f"{pay_url}/back?payment={payment.public_id}"
    wanted = CheckoutWanted(
        key=payment.public_id,
        cents=payment.cents,
        currency=payment.currency,
        label=label,
        email=None,
        locale=payment.locale,
        return_url=back,
        cancel_url=pay_url,
    )
    try:
        opened = gateway.open_checkout(wanted)
    except GatewayUnavailable as error:
        log.warning("%s did not open a checkout: %s", gateway.name, error)
        raise GatewayAway() from error
    except GatewayRefused as refusal:
        log.warning("%s refused to open a checkout: %s %s", gateway.name, refusal.code, refusal)
        with write_unit():
            row = _locked(payment.public_id)
            if row.state == "opening":  # another tab may have opened it meanwhile
                _reach(row, "failed", refusal.code)
        raise GatewayAway() from refusal
    with write_unit():
        row = _locked(payment.public_id)
        if row.state in {"opening", "open"}:
            row.checkout_id, row.checkout_url, row.expires_at = opened.checkout_id, opened.url, opened.expires_at
        if row.state == "opening":
            _reach(row, "open", None)
        return row


def _intend(invoices: Sequence[str], gateway: Gateway, locale: str, actor: Actor) -> tuple[OnlinePayment, str]:
    """The intent to pay what is owed on ``invoices``, committed: one that waits already, or a new one."""
    with write_unit() as unit:
        rows = _invoices_locked(invoices)
        owed = [(row, _owed(row)) for row in rows]
        parts = {row.id: cents for row, cents in owed if cents > 0}
        if not parts:
            raise NothingToPay()
        if len({(row.payer_person_id, row.payer_organisation_id) for row in rows}) > 1:
            raise SeveralPayers()
        before = online_queries.of_invoices([row.id for row in rows])
        if any(row.state == "pending" for row in before):
            raise PaymentPending()
        if sum(parts.values()) < gateway.least_cents:
            raise TooSmallForCard()
        numbers = ", ".join(row.number for row in rows if row.id in parts)
        label = f"{spaces.lieu().name} : {numbers}"[:250]
        again = next((row for row in before if _is_same(row, gateway, parts)), None)
        if again is not None:
            unit.result = again.public_id
            return again, label
        payment = OnlinePayment(
            gateway=gateway.name,
            is_live=gateway.is_live,
            payer_person_id=rows[0].payer_person_id,
            payer_organisation_id=rows[0].payer_organisation_id,
            cents=sum(parts.values()),
            currency=rows[0].currency,
            state="opening",
            locale=locale,
            created_by_id=actor.person_id,
            parts=[OnlinePaymentPart(invoice_id=invoice_id, cents=cents) for invoice_id, cents in parts.items()],
            steps=[OnlinePaymentStep(state="opening", noted_at=now())],
        )
        db.session.add(payment)
        db.session.flush()
        _look_later(payment.public_id, 0)
        unit.result = payment.public_id
        return payment, label


def _is_same(payment: OnlinePayment, gateway: Gateway, parts: dict[int, int]) -> bool:
    """Whether ``payment`` still waits, at that gateway, for just these amounts."""
    return (
        payment.state in {"opening", "open"}
        and (payment.gateway, payment.is_live) == (gateway.name, gateway.is_live)
        and payment.created_at > now() - REUSED_FOR
        and (payment.expires_at is None or payment.expires_at > now() + LEFT_TO_PAY)
        and {part.invoice_id: part.cents for part in payment.parts} == parts
    )


def _close_others(invoices: Sequence[str], gateway: Gateway) -> None:
    """End the pages that still take money for any of ``invoices`` in other amounts or elsewhere, before another opens."""
    rows = db.session.scalars(select(Invoice).where(Invoice.public_id.in_(invoices))).all()
    parts = {row.id: cents for row in rows if (cents := _owed(row)) > 0}
    stale = [
        (row.gateway, row.checkout_id, row.public_id)
        for row in online_queries.of_invoices([row.id for row in rows])
        if row.state == "open" and row.checkout_id is not None and not _is_same(row, gateway, parts)
    ]
    end_read()
    for name, checkout_id, public_id in stale:
        assert checkout_id is not None
        other = gateway_named(name)
        if other is None:
            continue
        try:
            other.expire_checkout(checkout_id)
        except (NotExpirable, GatewayUnavailable, GatewayRefused):
            # What still arrives there is given back if it is too much.
            log.info("the checkout of %s could not be ended", public_id)
        try:
            settle(name, checkout_id)
        except (GatewayUnavailable, GatewayRefused, FactDisagrees):
            log.info("the payment %s could not be looked at", public_id)


# Settling -------------------------------------------------------------------------------------------------------------


def settle(gateway_name: str, checkout_id: str) -> OnlinePayment | None:
    """Fetch a checkout and write down what became of it; None where it is not one of ours. Twice is fine.

    Raises `GatewayUnavailable`, `GatewayRefused`, `FactDisagrees`. Not inside a unit.
    """
    gateway = gateway_named(gateway_name)
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
            _reach(row, state, fact.reason)
            if state == "paid":
                _allot(row)
            if state == "paid" or (before, state) == ("pending", "failed"):
                key = f"{TOLD}:{row.public_id}:{state}"
                outbox.enqueue(TOLD, key, {"payment": row.public_id, "state": state})
        return row


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
    taken = shares_of([(part.cents, _owed(invoices[part.invoice_id])) for part in payment.parts])
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
        row = _locked(public_id)
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
        return refund


# Looking after --------------------------------------------------------------------------------------------------------


def look(public_id: str, turn: int) -> None:
    """Our own look at a payment that no notification has settled; the next one is planned as long as it is not."""
    if online_queries.online_payment(public_id).state not in UNSETTLED:
        return
    is_unknown = False
    try:
        is_unknown = not _ask_about(public_id)
    except GatewayUnavailable as error:
        log.warning("the payment %s could not be looked at: %s", public_id, error)
    with write_unit():
        row = _locked(public_id)
        if is_unknown and row.state in {"opening", "open"} and now() - row.created_at > LOST_AFTER:
            _reach(row, "failed", "unknown_there")
        elif row.state in UNSETTLED:
            _look_later(public_id, turn + 1)


def reconcile() -> int:
    """Look at every payment that a gateway may still change; how many were settled by it.

    For the manager's button, and after a day without notifications. A gateway that does not answer leaves its own waiting.
    """
    waiting = online_queries.unsettled()
    end_read()
    for public_id in waiting:
        try:
            _ask_about(public_id)
        except (GatewayUnavailable, FactDisagrees) as error:
            log.warning("the payment %s could not be looked at: %s", public_id, error)
    end_read()
    return len(set(waiting) - set(online_queries.unsettled()))


def _ask_about(public_id: str) -> bool:
    """Ask the gateway about a payment and write down what it says; False where the gateway knows nothing of it.

    Where the answer was lost when its checkout was opened, the gateway knows it by our key.
    """
    payment = online_queries.online_payment(public_id)
    name, checkout_id, since = payment.gateway, payment.checkout_id, payment.created_at - timedelta(hours=1)
    gateway = gateway_named(name)
    if gateway is None:
        raise GatewayUnavailable(f"there are no keys for {name}")
    end_read()
    try:
        if checkout_id is not None:
            return note_fact(name, gateway.fetch(checkout_id)) is not None
        found = next((fact for fact in gateway.opened_since(since) if fact.key == public_id), None)
        return found is not None and note_fact(name, found) is not None
    except GatewayRefused as refusal:
        log.warning("%s refused to tell about %s: %s", name, public_id, refusal)
        return False


# Within the unit ------------------------------------------------------------------------------------------------------


def _invoices_locked(public_ids: Sequence[str]) -> list[Invoice]:
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


def _owed(invoice: Invoice) -> int:
    paid = sum(payment.cents for payment in queries.payments_of(invoice))
    return rules.open_cents(invoice.payable_cents, paid, credited=queries.credit_note_of(invoice) is not None)


def _locked(public_id: str) -> OnlinePayment:
    return db.session.scalars(locked(select(OnlinePayment).where(OnlinePayment.public_id == public_id))).one()


def _state(payment: OnlinePayment) -> OnlineState:
    return next(state for state in (*UNSETTLED, "paid", "failed", "expired") if state == payment.state)


def _reach(payment: OnlinePayment, state: OnlineState, reason: str | None) -> None:
    payment.state, payment.reason, payment.changed_at = state, reason, now()
    db.session.add(OnlinePaymentStep(online_payment_id=payment.id, state=state, reason=reason, noted_at=now()))


def _look_later(public_id: str, turn: int) -> None:
    wait = LOOKS[min(turn, len(LOOKS) - 1)]
    outbox.enqueue(LOOK, f"{LOOK}:{public_id}:{turn}", {"payment": public_id, "turn": turn}, due_at=now() + wait)


def notified(gateway_name: str, event_id: str, checkout_id: str) -> bool:
    """Store a gateway's notification, to be looked into by a worker; False where it was stored before."""
    with write_unit():
        key = f"{NOTIFIED}:{gateway_name}:{event_id}"
        return outbox.enqueue(NOTIFIED, key, {"gateway": gateway_name, "checkout": checkout_id})


NOTIFIED = "billing.notified"
"""The outbox topic of gateways' notifications; its key holds the notification's own id, so that each counts once."""
