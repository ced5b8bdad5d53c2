"""Reading payments through a gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from coworking.billing import queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import Gateway
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart, OnlinePaymentStep, OnlineRefund
from coworking.billing.online_rules import UNSETTLED
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role
from coworking.spaces import queries as spaces

_WHOLE = (
    selectinload(OnlinePayment.parts),
    selectinload(OnlinePayment.steps),
    selectinload(OnlinePayment.refunds),
)


def offered() -> list[Gateway]:
    """The gateways that payers are shown. Test keys take no real money, so a real lieu shows none with them, nor does a
    simulation one that would take it."""
    is_real = not spaces.lieu().is_simulation
    return [gateway for gateway in registry.gateways() if gateway.is_live == is_real]


def online_payment(public_id: str) -> OnlinePayment:
    """One payment with its parts, steps and refunds; raises `NotFound`."""
    found = db.session.scalar(select(OnlinePayment).where(OnlinePayment.public_id == public_id).options(*_WHOLE))
    if found is None:
        raise NotFound()
    return found


def is_waited_for(gateway_name: str, checkout_id: str) -> bool:
    """Whether a checkout is one of ours, or may be one whose answer was lost: only such are worth asking about."""
    ours = or_(
        OnlinePayment.checkout_id == checkout_id,
        (OnlinePayment.state == "opening") & OnlinePayment.checkout_id.is_(None),
    )
    return bool(
        db.session.scalar(select(select(OnlinePayment.id).where(OnlinePayment.gateway == gateway_name, ours).exists()))
    )


def of_invoices(invoice_ids: Sequence[int]) -> list[OnlinePayment]:
    """The payments that are, in part, for these invoices, whole, the newest first (4 statements)."""
    ids = select(OnlinePaymentPart.online_payment_id).where(OnlinePaymentPart.invoice_id.in_(invoice_ids))
    return list(
        db.session.scalars(
            select(OnlinePayment).where(OnlinePayment.id.in_(ids)).options(*_WHOLE).order_by(OnlinePayment.id.desc())
        )
    )


def payments(
    actor: Actor, *, before: int | None = None, limit: int, public_id: str | None = None
) -> list[OnlinePayment]:
    """Payments ``actor`` may see, whole, the newest first; ``before``: only those whose key is lower.

    One's own and those of an organisation whose contact one is; accountants and managers see all.
    """
    own = () if actor.has(Role.ACCOUNTANT) else queries.own_of(actor, OnlinePayment)
    older = () if before is None else (OnlinePayment.id < before,)
    named = () if public_id is None else (OnlinePayment.public_id == public_id,)
    return list(
        db.session.scalars(
            select(OnlinePayment)
            .where(*own, *older, *named)
            .options(*_WHOLE, selectinload(OnlinePayment.parts).options(joinedload(OnlinePaymentPart.invoice)))
            .order_by(OnlinePayment.id.desc())
            .limit(limit)
        )
    )


def pending_for(invoice_ids: Sequence[int]) -> list[OnlinePayment]:
    """Those that the payer has done their part of and a bank may still refuse."""
    return [row for row in of_invoices(invoice_ids) if row.state == "pending"]


def unsettled() -> list[str]:
    """The public ids of payments that a gateway may still change, the oldest first."""
    return list(
        db.session.scalars(
            select(OnlinePayment.public_id).where(OnlinePayment.state.in_(UNSETTLED)).order_by(OnlinePayment.id)
        )
    )


@dataclass(frozen=True, slots=True)
class Surplus:
    """Money that arrived through a gateway for what was paid or credited by then, in cents: to be given back."""

    payment: OnlinePayment
    cents: int
    invoice: Invoice
    payer_name: str


def _sum_of(column: Any, of_payment: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.coalesce(func.sum(column), 0)).where(of_payment).correlate(OnlinePayment).scalar_subquery()


_SURPLUS = (
    OnlinePayment.cents
    - _sum_of(Payment.cents, Payment.online_payment_id == OnlinePayment.id)
    - _sum_of(OnlineRefund.cents, OnlineRefund.online_payment_id == OnlinePayment.id)
)


def surpluses(*conditions: ColumnElement[bool]) -> list[Surplus]:
    """What must be given back, the oldest first (at most 3 statements)."""
    rows = db.session.execute(
        select(OnlinePayment, _SURPLUS)
        .where(OnlinePayment.state == "paid", _SURPLUS > 0, *conditions)
        .options(selectinload(OnlinePayment.parts).options(joinedload(OnlinePaymentPart.invoice)))
        .order_by(OnlinePayment.id)
    ).all()
    return [
        Surplus(row, int(cents), row.parts[0].invoice, str(queries.content(row.parts[0].invoice)["buyer"]["name"]))
        for row, cents in rows
    ]


def surplus_state() -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """Two columns that change whenever `surpluses` may."""
    return (
        select(func.max(OnlinePaymentStep.id)).scalar_subquery(),
        select(func.max(OnlineRefund.id)).scalar_subquery(),
    )
