"""Reading payments through a gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, case, func, or_, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from coworking.billing import queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.key_rules import HELLOASSO
from coworking.billing.gateways.port import Gateway
from coworking.billing.models import Invoice, Payment
from coworking.billing.online_models import (
    OnlineDispute,
    OnlinePayment,
    OnlinePaymentPart,
    OnlinePaymentStep,
    OnlineRefund,
)
from coworking.billing.online_rules import UNSETTLED
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role
from coworking.pricing.models import Sale
from coworking.spaces import queries as spaces

_WHOLE = (
    selectinload(OnlinePayment.parts),
    selectinload(OnlinePayment.steps),
    selectinload(OnlinePayment.refunds),
    selectinload(OnlinePayment.disputes),
)


def offered() -> list[Gateway]:
    """The gateways that payers are shown. Test keys take no real money, so a real lieu shows none with them, nor does a
    simulation one that would take it. HelloAsso serves associations alone."""
    lieu = spaces.lieu()
    return [
        gateway
        for gateway in registry.gateways()
        if gateway.is_live != lieu.is_simulation and (gateway.name != HELLOASSO or lieu.legal_status == "association")
    ]


def online_payment(public_id: str) -> OnlinePayment:
    """One payment with its parts, steps and refunds; raises `NotFound`."""
    found = db.session.scalar(select(OnlinePayment).where(OnlinePayment.public_id == public_id).options(*_WHOLE))
    if found is None:
        raise NotFound()
    return found


_TOLD = (
    select(OnlinePayment)
    .where(OnlinePayment.public_id == bindparam("public_id"))
    .options(
        selectinload(OnlinePayment.parts).joinedload(OnlinePaymentPart.invoice), selectinload(OnlinePayment.refunds)
    )
)


def payment_to_tell(public_id: str) -> OnlinePayment:
    """One payment with what its e-mails name, its invoices and refunds (3 statements); raises when there is none."""
    return db.session.scalars(_TOLD, {"public_id": public_id}).one()


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
    """The payments that are, in part, for these invoices, whole, the newest first (5 statements)."""
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


def of_sale(sale_id: int) -> list[OnlinePayment]:
    """The payments that are for a sale, whole, the newest first (4 statements)."""
    return list(
        db.session.scalars(
            select(OnlinePayment)
            .where(OnlinePayment.sale_id == sale_id)
            .options(*_WHOLE)
            .order_by(OnlinePayment.id.desc())
        )
    )


def pending_for(invoice_ids: Sequence[int]) -> list[OnlinePayment]:
    """Those that the payer has done their part of and a bank may still refuse."""
    return [row for row in of_invoices(invoice_ids) if row.state == "pending"]


def marks() -> dict[str, tuple[str, int, int]]:
    """By public id, what changes of a payment when a gateway tells something new: its state, refunds and disputes."""
    rows = db.session.execute(
        select(
            OnlinePayment.public_id,
            OnlinePayment.state,
            _sum_of(
                OnlineRefund.cents,
                (OnlineRefund.online_payment_id == OnlinePayment.id) & (OnlineRefund.state == "done"),
            ),
            _sum_of(
                OnlineDispute.id * case((OnlineDispute.state == "open", 3), (OnlineDispute.state == "won", 5), else_=7),
                OnlineDispute.online_payment_id == OnlinePayment.id,
            ),
        )
    )
    return {public_id: (state, int(refunded), int(disputed)) for public_id, state, refunded, disputed in rows}


def unsettled() -> list[str]:
    """The public ids of payments that a gateway may still change, the oldest first."""
    return list(
        db.session.scalars(
            select(OnlinePayment.public_id).where(OnlinePayment.state.in_(UNSETTLED)).order_by(OnlinePayment.id)
        )
    )


@dataclass(frozen=True, slots=True)
class Surplus:
    """Money that arrived through a gateway for what was paid, credited or gone by then, in cents: to be given back.

    ``invoice`` None: it came for a sale that could no longer be had.
    """

    payment: OnlinePayment
    cents: int
    invoice: Invoice | None
    payer_name: str


def _sum_of(column: Any, of_payment: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.coalesce(func.sum(column), 0)).where(of_payment).correlate(OnlinePayment).scalar_subquery()


_COUNTS = OnlineRefund.state.is_distinct_from("failed")
"""A refund that was asked for is gone until the gateway says that it failed."""
LEFT = (
    OnlinePayment.cents
    - _sum_of(OnlineRefund.cents, (OnlineRefund.online_payment_id == OnlinePayment.id) & _COUNTS)
    - _sum_of(
        OnlineDispute.cents, (OnlineDispute.online_payment_id == OnlinePayment.id) & (OnlineDispute.state == "lost")
    )
)
"""What arrived of a payment that is paid, and did not go back."""
_SURPLUS = LEFT - _sum_of(Payment.cents, Payment.online_payment_id == OnlinePayment.id)


_LEFT_OF = select(OnlinePayment.id, LEFT).where(OnlinePayment.id.in_(bindparam("ids", expanding=True)))
_HELD = (
    select(Payment.online_payment_id, Payment.invoice_id, func.sum(Payment.cents), func.count())
    .where(Payment.online_payment_id.in_(bindparam("ids", expanding=True)))
    .group_by(Payment.online_payment_id, Payment.invoice_id)
)


def left_of(payment: OnlinePayment) -> int:
    """What arrived of a payment and did not go back, in cents; below 0 where it went back twice (1 statement)."""
    return _left([payment])[payment.id]


def _left(payments: Sequence[OnlinePayment]) -> dict[int, int]:
    ids = [row.id for row in payments if row.state == "paid"]
    found = db.session.execute(_LEFT_OF, {"ids": ids}).all() if ids else []
    return dict.fromkeys((row.id for row in payments), 0) | {row_id: int(cents) for row_id, cents in found}


def held_of(payment: OnlinePayment) -> dict[int, tuple[int, int]]:
    """By invoice: how much of a payment stands there, in cents, and in how many entries (1 statement)."""
    return _held([payment])[payment.id]


def _held(payments: Sequence[OnlinePayment]) -> dict[int, dict[int, tuple[int, int]]]:
    rows = db.session.execute(_HELD, {"ids": [row.id for row in payments]})
    held: dict[int, dict[int, tuple[int, int]]] = {row.id: {} for row in payments}
    for payment_id, invoice_id, cents, count in rows:
        assert payment_id is not None, "the statement asks for these payments"
        held[payment_id][invoice_id] = int(cents), count
    return held


@dataclass(frozen=True, slots=True)
class GoesBack:
    """What can be given back of an online payment, in cents: ``surplus``, what it brought beyond what its invoices owed,
    and ``refundable``, that and what was credited since, through its gateway."""

    surplus: int
    refundable: int


def going_back(payments: Sequence[OnlinePayment]) -> dict[int, GoesBack]:
    """By id, what can be given back of each of the payments (3 statements). Exact under the locks of their invoices."""
    if not payments:
        return {}
    left, held = _left(payments), _held(payments)
    owed = queries.owed_on_each({part.invoice_id for row in payments for part in row.parts})
    found: dict[int, GoesBack] = {}
    for row in payments:
        there = held[row.id]
        surplus = max(left[row.id] - sum(cents for cents, _count in there.values()), 0)
        credited = (min(there.get(part.invoice_id, (0, 0))[0], -owed[part.invoice_id]) for part in row.parts)
        found[row.id] = GoesBack(surplus, surplus + sum(max(cents, 0) for cents in credited))
    return found


def surplus_of(payment: OnlinePayment) -> int:
    """What a payment brought beyond what its invoices owed, and did not go back yet, in cents."""
    return going_back([payment])[payment.id].surplus


def open_disputes() -> list[OnlineDispute]:
    """Disputes that are not decided, the most urgent first, with payment, parts and invoices (3 statements)."""
    return list(
        db.session.scalars(
            select(OnlineDispute)
            .where(OnlineDispute.state == "open")
            .options(
                joinedload(OnlineDispute.payment)
                .selectinload(OnlinePayment.parts)
                .joinedload(OnlinePaymentPart.invoice)
            )
            .order_by(OnlineDispute.respond_by.is_(None), OnlineDispute.respond_by, OnlineDispute.id)
        )
    )


def disputed(invoice_ids: Sequence[int]) -> set[int]:
    """Those of the invoices of which a payment is disputed and not decided: nobody is reminded of them."""
    return set(
        db.session.scalars(
            select(OnlinePaymentPart.invoice_id)
            .join(OnlineDispute, OnlineDispute.online_payment_id == OnlinePaymentPart.online_payment_id)
            .where(OnlineDispute.state == "open", OnlinePaymentPart.invoice_id.in_(invoice_ids))
        )
    )


def is_ours(gateway_name: str, payment_id: str) -> bool:
    """Whether money that a gateway names is of a payment of ours."""
    ours = (OnlinePayment.gateway == gateway_name) & (OnlinePayment.foreign_id == payment_id)
    return bool(db.session.scalar(select(select(OnlinePayment.id).where(ours).exists())))


def states_of(gateway_name: str, checkout_ids: Sequence[str]) -> dict[str, str]:
    """How those of a gateway's checkouts stand that are ours, by the gateway's name."""
    rows = db.session.execute(
        select(OnlinePayment.checkout_id, OnlinePayment.state).where(
            OnlinePayment.gateway == gateway_name, OnlinePayment.checkout_id.in_(checkout_ids)
        )
    )
    return {checkout_id: state for checkout_id, state in rows if checkout_id is not None}


_OTHER = aliased(OnlinePayment)
_WAITS_FOR_INVOICE = (
    select(Sale.id)
    .where(
        Sale.id == OnlinePayment.sale_id,
        Sale.state == "paid",
        ~select(OnlinePaymentPart.id)
        .join(_OTHER, _OTHER.id == OnlinePaymentPart.online_payment_id)
        .where(_OTHER.sale_id == Sale.id)
        .exists(),
    )
    .exists()
)
"""The condition that a payment's sale counts and its invoice could not be issued yet."""


def surpluses(*conditions: ColumnElement[bool]) -> list[Surplus]:
    """What must be given back, the oldest first (at most 3 statements)."""
    rows = db.session.execute(
        select(OnlinePayment, _SURPLUS)
        .where(OnlinePayment.state == "paid", _SURPLUS > 0, ~_WAITS_FOR_INVOICE, *conditions)
        .options(
            selectinload(OnlinePayment.parts).options(joinedload(OnlinePaymentPart.invoice)),
            joinedload(OnlinePayment.payer_person),
        )
        .order_by(OnlinePayment.id)
    ).unique()
    return [_surplus(row, int(cents)) for row, cents in rows]


def _surplus(payment: OnlinePayment, cents: int) -> Surplus:
    if payment.parts:
        invoice = payment.parts[0].invoice
        return Surplus(payment, cents, invoice, str(queries.content(invoice)["buyer"]["name"]))
    assert payment.payer_person is not None, "a sale has a person who pays it"
    return Surplus(payment, cents, None, payment.payer_person.name)


def surplus_state() -> tuple[ScalarSelect[int], ...]:
    """Columns that change whenever `surpluses` or `open_disputes` may."""
    return (
        select(func.max(OnlinePaymentStep.id)).scalar_subquery(),
        select(func.max(OnlineRefund.id)).scalar_subquery(),
        select(func.count()).where(OnlineRefund.state == "failed").scalar_subquery(),
        select(func.max(OnlineDispute.id)).scalar_subquery(),
        select(func.count()).where(OnlineDispute.state == "open").scalar_subquery(),
    )
