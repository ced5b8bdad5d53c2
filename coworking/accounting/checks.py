"""Promise 3 on the live data: the journal entries of documents, payments, receipts and cash balance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, select

from coworking.accounting import journal
from coworking.accounting.models import CashMovement, DrawerCount
from coworking.billing import door_queries, queries
from coworking.billing.door_models import Deposit, DepositReturn, DoorReceipt
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlineRefund
from coworking.billing.payer_credit_models import PayerCredit
from coworking.core.checks import check
from coworking.core.db import db


@check(3, "debits equal credits for each document")
def balanced() -> Iterator[str]:
    rows = db.session.scalars(select(Invoice).order_by(Invoice.seq).execution_options(yield_per=500))
    for row in rows:
        if journal.balance(journal.of_document(queries.content(row))):
            yield f"{row.number} does not balance"


@check(3, "debits equal credits for each receipt")
def receipts_balanced() -> Iterator[str]:
    rows = db.session.scalars(select(DoorReceipt).order_by(DoorReceipt.seq).execution_options(yield_per=500))
    for row in rows:
        if journal.balance(journal.of_receipt(door_queries.receipt_content(row))):
            yield f"{row.number} does not balance"


@check(3, "cash movements are counted without a gap, and each balance follows from the one before")
def cash_adds_up() -> Iterator[str]:
    seq = balance = 0
    rows = db.session.scalars(select(CashMovement).order_by(CashMovement.seq).execution_options(yield_per=500))
    for row in rows:
        if row.seq != seq + 1:
            yield f"cash movement {row.seq} follows {seq}"
        if row.balance_cents != balance + row.cents:
            yield f"cash movement {row.seq} says {row.balance_cents} and {balance} and {row.cents} make another sum"
        seq, balance = row.seq, row.balance_cents


@check(3, "all cash that was taken or given back is in the drawer's book, once and to the cent")
def cash_is_entered() -> Iterator[str]:
    """What moved before the book began is not in it."""
    begun = db.session.scalar(select(CashMovement.created_at).order_by(CashMovement.seq).limit(1))
    sources: tuple[tuple[str, Any, Any, Any, ColumnElement[bool]], ...] = (
        ("receipt", DoorReceipt, DoorReceipt.payable_cents, CashMovement.receipt_id, DoorReceipt.method == "cash"),
        (
            "payment",
            Payment,
            Payment.cents,
            CashMovement.payment_id,
            (Payment.method == "cash") & _since(Payment.created_at, begun),
        ),
        (
            "deposit given back",
            DepositReturn,
            select(-Deposit.cents).where(Deposit.id == DepositReturn.deposit_id).scalar_subquery(),
            CashMovement.deposit_return_id,
            (DepositReturn.method == "cash") & DepositReturn.receipt_id.is_(None),
        ),
        (
            "credit given back",
            PayerCredit,
            PayerCredit.cents,
            CashMovement.payer_credit_id,
            (PayerCredit.method == "cash") & _since(PayerCredit.created_at, begun),
        ),
        (
            "online payment given back",
            OnlineRefund,
            -OnlineRefund.cents,
            CashMovement.online_refund_id,
            (OnlineRefund.method == "cash") & _since(OnlineRefund.created_at, begun),
        ),
    )
    for name, model, cents, reference, condition in sources:
        rows = db.session.execute(
            select(model.id, cents, CashMovement.cents)
            .outerjoin(CashMovement, reference == model.id)
            .where(condition)
            .order_by(model.id)
        )
        for row_id, wanted, entered in rows:
            if wanted != entered:
                yield f"{name} {row_id} moved {wanted} in cash, and the drawer's book says {entered}"


def _since(column: Any, begun: datetime | None) -> ColumnElement[bool]:
    return false() if begun is None else column >= begun


@check(3, "the drawer is opened and closed in turn, each time with what its last movement says")
def drawer_counted() -> Iterator[str]:
    rows = db.session.execute(
        select(DrawerCount.seq, DrawerCount.counted_cents, CashMovement.balance_cents)
        .outerjoin(CashMovement, CashMovement.seq == DrawerCount.last_seq)
        .order_by(DrawerCount.seq)
    )
    for place, (seq, counted, balance) in enumerate(rows, start=1):
        if seq != place:
            yield f"count {seq} of the drawer stands where {place} should"
        if counted != (balance or 0):
            yield f"count {seq} of the drawer says {counted}, and its book {balance or 0}"
