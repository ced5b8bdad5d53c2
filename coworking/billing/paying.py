"""Payments of an invoice, recorded by a manager and corrected by reversing. Each function is one unit of work."""

from __future__ import annotations

from datetime import date

from coworking.billing import payer_credit, queries, rules
from coworking.billing.charges import check_manager
from coworking.billing.models import Invoice, Payment
from coworking.billing.payer_credit_queries import payer_of
from coworking.billing.services import invoice_locked
from coworking.core import audit
from coworking.core.cash import cash_moved
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.formats import day_year, money
from coworking.core.policy import Actor
from coworking.core.units import write_unit
from coworking.spaces import queries as spaces


def record_payment(
    actor: Actor,
    public: str,
    cents: int,
    received_on: date,
    method: str,
    reference: str | None = None,
    *,
    before_issue: bool = False,
) -> Payment:
    """Write down ``cents`` received for an invoice, in part or whole; audited.

    ``before_issue``: the money is meant to have come before the invoice was issued. Raises `ReceivedBeforeIssue` where it
    is not, `PaidTooMuch` beyond what is owed, `ReceivedInFuture`, `PaymentInvalid`.
    """
    check_manager(actor)
    if method not in rules.METHODS or cents <= 0:
        raise rules.PaymentInvalid(field="method" if method not in rules.METHODS else "cents")
    if received_on > spaces.today():
        raise rules.ReceivedInFuture()
    with write_unit():
        invoice = invoice_locked(public)
        if received_on < invoice.issued_on and not before_issue:
            raise rules.ReceivedBeforeIssue(day=day_year(invoice.issued_on))
        return add_payment(actor, invoice, cents, received_on, method, reference)


def add_payment(
    actor: Actor, invoice: Invoice, cents: int, received_on: date, method: str, reference: str | None = None
) -> Payment:
    """Write down, in the open unit, money received for an invoice that is locked; audited. Raises `PaidTooMuch`."""
    left = queries.owed_on(invoice)
    if cents > left:
        raise rules.PaidTooMuch(open=money(max(left, 0), invoice.currency))
    payment = Payment(
        invoice_id=invoice.id,
        cents=cents,
        received_on=received_on,
        method=method,
        reference=reference or None,
        created_by_id=actor.person_id,
    )
    db.session.add(payment)
    audit.record(actor, "billing.payment", ("invoice", invoice.id), person_id=invoice.payer_person_id, cents=cents)
    _tell_the_drawer(actor, payment)
    return payment


def _tell_the_drawer(actor: Actor, payment: Payment) -> None:
    if payment.method == "cash":
        db.session.flush()
        cash_moved(actor, "payment", payment.id, payment.cents)


def record_refund(actor: Actor, public: str, cents: int, method: str) -> Payment:
    """Write down ``cents`` that a manager gives back today of what was paid and then credited; audited.

    Raises `RefundTooMuch`, `RefundMethodUnknown`.
    """
    check_manager(actor)
    if method not in rules.REFUNDED_BY_HAND:
        raise rules.RefundMethodUnknown()
    with write_unit():
        invoice = invoice_locked(public)
        left = max(-queries.owed_on(invoice), 0)
        if not 0 < cents <= left:
            raise rules.RefundTooMuch(left=money(left, invoice.currency))
        refund = Payment(
            invoice_id=invoice.id,
            cents=-cents,
            received_on=spaces.today(),
            method=method,
            created_by_id=actor.person_id,
        )
        db.session.add(refund)
        audit.record(actor, "billing.refund", ("invoice", invoice.id), person_id=invoice.payer_person_id, cents=-cents)
        _tell_the_drawer(actor, refund)
        return refund


def correct_payment(actor: Actor, public: str, payment_public: str) -> Payment:
    """Cancel an entry of money by one of today that reverses it (typed wrongly, bounced); audited.

    What the payer's credit had paid goes back to their credit. What came or went through a gateway is not typed, and so not
    corrected: it is refunded (`online_refunds`).
    """
    check_manager(actor)
    payer = payer_of(public)
    with write_unit():
        payer_credit.lock_payer(payer)
        invoice = invoice_locked(public)
        payments = queries.payments_of(invoice)
        wrong = next((row for row in payments if row.public_id == payment_public), None)
        if wrong is None:
            raise NotFound()
        if wrong.reverses_id is not None or any(row.reverses_id == wrong.id for row in payments):
            raise rules.AlreadyCorrected()
        if wrong.online_payment_id is not None:
            raise rules.NotTyped()
        return reverse_in_unit(actor, invoice, wrong)


def reverse_in_unit(actor: Actor, invoice: Invoice, wrong: Payment) -> Payment:
    """The same in the open unit, which holds the invoice's lock, of a payment that stands; audited."""
    reversal = Payment(
        invoice_id=invoice.id,
        cents=-wrong.cents,
        received_on=spaces.today(),
        method=wrong.method,
        reference=wrong.reference,
        reverses_id=wrong.id,
        created_by_id=actor.person_id,
    )
    db.session.add(reversal)
    if wrong.method == "credit":
        payer_credit.undo_use(actor, wrong)
    audit.record(
        actor,
        "billing.payment_reversed",
        ("invoice", invoice.id),
        person_id=invoice.payer_person_id,
        cents=-wrong.cents,
    )
    _tell_the_drawer(actor, reversal)
    return reversal
