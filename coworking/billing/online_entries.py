"""Within a unit that holds an online payment's lock: its state, what its invoices hold of it, what follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, select

from coworking.billing import online_queries, queries
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlinePayment, OnlinePaymentStep
from coworking.billing.online_rules import (
    UNSETTLED,
    HeldPart,
    OnlineState,
    entries_for,
)
from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import SYSTEM
from coworking.core.units import for_update, locked
from coworking.spaces import queries as spaces

LOOK = "billing.look"
"""The outbox topic of our own looks at a payment that nothing has settled yet."""
TOLD = "billing.online_told"
"""The outbox topic of what the payer is told by e-mail: money that arrived, a debit that the bank refused."""
LOOKS = (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8), timedelta(hours=25))
"""How long after the last one the next look comes; from then on one comes every day."""


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


def state_of(payment: OnlinePayment) -> OnlineState:
    return next(state for state in (*UNSETTLED, "paid", "failed", "expired") if state == payment.state)


def reach(payment: OnlinePayment, state: OnlineState, reason: str | None) -> None:
    payment.state, payment.reason, payment.changed_at = state, reason, now()
    db.session.add(OnlinePaymentStep(online_payment_id=payment.id, state=state, reason=reason, noted_at=now()))


def tell(payment: OnlinePayment, state: str, *, refund: int | None = None) -> None:
    """Let the payer hear by e-mail of a payment that arrived, a debit that was refused, or a refund, once each."""
    key = f"{TOLD}:{payment.public_id}:{state}" + (f":{refund}" if refund is not None else "")
    outbox.enqueue(TOLD, key, {"payment": payment.public_id, "state": state, "refund": refund})


def look_later(public_id: str, turn: int) -> None:
    wait = LOOKS[min(turn, len(LOOKS) - 1)]
    outbox.enqueue(LOOK, f"{LOOK}:{public_id}:{turn}", {"payment": public_id, "turn": turn}, due_at=now() + wait)


_INVOICES = for_update(select(Invoice).where(Invoice.id.in_(bindparam("ids", expanding=True))).order_by(Invoice.id))


def allot(payment: OnlinePayment) -> None:
    """Let the invoices of a payment hold what arrived of it and did not go back, each at most what it owes."""
    db.session.flush()
    ids = [part.invoice_id for part in payment.parts]
    invoices = {row.id: row for row in db.session.scalars(_INVOICES, {"ids": ids})}
    held = online_queries.held_of(payment)
    parts = [
        HeldPart(part.cents, held.get(part.invoice_id, (0, 0))[0], queries.owed_on(invoices[part.invoice_id]))
        for part in payment.parts
    ]
    today = spaces.today()
    for part, cents in zip(payment.parts, entries_for(online_queries.left_of(payment), parts), strict=True):
        if not cents:
            continue
        invoice = invoices[part.invoice_id]
        db.session.add(
            Payment(
                invoice_id=invoice.id,
                cents=cents,
                received_on=today,
                method=payment.means or "card",
                reference=payment.foreign_id,
                online_payment_id=payment.id,
                online_entry=held.get(invoice.id, (0, 0))[1],
            )
        )
        audit.record(
            SYSTEM,
            "billing.paid_online" if cents > 0 else "billing.money_back",
            ("invoice", invoice.id),
            person_id=invoice.payer_person_id,
            cents=cents,
        )
