"""Payments of an invoice: recorded, corrected, never more than is owed."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import date

import pytest
from sqlalchemy import select

from coworking.billing import paying, queries, rules
from coworking.billing.models import Payment
from coworking.core.db import db
from tests.support.billing import TODAY, standing


def test_payments_add_up_and_cannot_exceed(billing_lieu, invoice, session):
    paying.record_payment(billing_lieu.manager, invoice.public_id, 2600, TODAY, "transfer", "VIR 12")
    assert standing(billing_lieu, invoice).open_cents == 4000
    with pytest.raises(rules.PaidTooMuch) as refused:
        paying.record_payment(billing_lieu.manager, invoice.public_id, 4001, TODAY, "cash")
    assert "40,00" in str(refused.value)
    paying.record_payment(billing_lieu.manager, invoice.public_id, 4000, TODAY, "cheque")
    assert standing(billing_lieu, invoice).state == "paid"


def test_a_wrong_payment_is_cancelled_once(billing_lieu, invoice, session):
    paid = paying.record_payment(billing_lieu.manager, invoice.public_id, 6600, TODAY, "card")
    paying.correct_payment(billing_lieu.manager, invoice.public_id, paid.public_id)
    assert standing(billing_lieu, invoice).open_cents == 6600
    with pytest.raises(rules.AlreadyCorrected):
        paying.correct_payment(billing_lieu.manager, invoice.public_id, paid.public_id)
    assert session.scalars(select(Payment.cents).order_by(Payment.id)).all() == [6600, -6600]


@pytest.mark.parametrize(
    ("cents", "day", "method", "error"),
    [
        (0, TODAY, "cash", rules.PaymentInvalid),
        (-5, TODAY, "cash", rules.PaymentInvalid),
        (100, TODAY, "shells", rules.PaymentInvalid),
        (100, date(2026, 11, 23), "cash", rules.ReceivedBeforeIssue),
        (100, date(2026, 11, 25), "cash", rules.ReceivedInFuture),
    ],
)
def test_an_impossible_payment_is_refused(billing_lieu, invoice, cents, day, method, error):
    with pytest.raises(error):
        paying.record_payment(billing_lieu.manager, invoice.public_id, cents, day, method)


def test_a_payment_dated_before_its_invoice_is_recorded_once_confirmed(billing_lieu, invoice):
    yesterday = date(2026, 11, 23)
    paid = paying.record_payment(billing_lieu.manager, invoice.public_id, 100, yesterday, "cash", before_issue=True)
    assert (paid.received_on, standing(billing_lieu, invoice).open_cents) == (yesterday, 6500)


def test_a_reversal_is_dated_when_it_is_made(billing_lieu, invoice, clock):
    paid = paying.record_payment(billing_lieu.manager, invoice.public_id, 6600, TODAY, "card")
    clock.advance(days=3)
    reversal = paying.correct_payment(billing_lieu.manager, invoice.public_id, paid.public_id)
    assert (reversal.received_on, reversal.cents) == (date(2026, 11, 27), -6600)


def test_two_payments_at_once_do_not_overpay(billing_lieu, invoice, app, monkeypatch):
    """Each waits for the other once it has read what was paid, as long as one of them could be kept out by a lock."""
    start, read, refused = threading.Barrier(2), threading.Barrier(2), []

    def read_and_wait(invoice, *, owed=queries.owed_on) -> int:
        found = owed(invoice)
        with suppress(threading.BrokenBarrierError):
            read.wait(1)
        return found

    monkeypatch.setattr(queries, "owed_on", read_and_wait)

    def pay() -> None:
        with app.app_context():
            start.wait()
            try:
                paying.record_payment(billing_lieu.manager, invoice.public_id, 6600, TODAY, "cash")
            except rules.PaidTooMuch as error:
                refused.append(error)
            db.session.remove()

    threads = [threading.Thread(target=pay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
