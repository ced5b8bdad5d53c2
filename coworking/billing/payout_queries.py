"""Reading what payment providers paid out, and what they took for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart
from coworking.billing.online_rules import UNSETTLED
from coworking.billing.payout_models import OnlinePayout, OnlinePayoutPart
from coworking.billing.payout_rules import HeldMovement, PayoutTotals, payout_totals
from coworking.core.db import db
from coworking.core.errors import NotFound

_AT_ONCE = 500
_WHOLE = (
    selectinload(OnlinePayout.parts)
    .joinedload(OnlinePayoutPart.payment)
    .selectinload(OnlinePayment.parts)
    .joinedload(OnlinePaymentPart.invoice)
)


@dataclass(frozen=True, slots=True)
class KnownPayout:
    """What is known of a payout before it is asked about again."""

    state: str
    arrives_on: date
    is_read: bool


def known(gateway_name: str, payout_id: str) -> KnownPayout | None:
    """What is known of a payout by the provider's name of it (1 statement)."""
    row = db.session.execute(
        select(OnlinePayout.state, OnlinePayout.arrives_on, OnlinePayout.parts_read_at).where(
            OnlinePayout.gateway == gateway_name, OnlinePayout.foreign_id == payout_id
        )
    ).one_or_none()
    return None if row is None else KnownPayout(row.state, row.arrives_on, row.parts_read_at is not None)


def unsettled_among(gateway_name: str, keys: Sequence[str]) -> list[str]:
    """Those of our keys whose payment is not known to have arrived."""
    return [
        public_id
        for chunk in _chunks(keys)
        for public_id in db.session.scalars(
            select(OnlinePayment.public_id).where(
                OnlinePayment.gateway == gateway_name,
                OnlinePayment.public_id.in_(chunk),
                OnlinePayment.state.in_((*UNSETTLED, "failed", "expired")),
            )
        )
    ]


def payments_among(gateway_name: str, payment_ids: Sequence[str], *, is_live: bool) -> dict[str, int]:
    """The ids of our payments by the gateway's names of them; those of another kind of money are not among them."""
    return {
        foreign_id: row_id
        for chunk in _chunks(payment_ids)
        for foreign_id, row_id in db.session.execute(
            select(OnlinePayment.foreign_id, OnlinePayment.id).where(
                OnlinePayment.gateway == gateway_name,
                OnlinePayment.is_live == is_live,
                OnlinePayment.foreign_id.in_(chunk),
            )
        )
        if foreign_id is not None
    }


def parts_among(part_ids: Sequence[str]) -> set[str]:
    """Those of these movements that a payout holds already."""
    return {
        found
        for chunk in _chunks(part_ids)
        for found in db.session.scalars(
            select(OnlinePayoutPart.foreign_id).where(OnlinePayoutPart.foreign_id.in_(chunk))
        )
    }


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


# Pages ----------------------------------------------------------------------------------------------------------------


def payouts(before: int | None = None, *, limit: int) -> list[OnlinePayout]:
    """Payouts, the newest first (1 statement); ``before``: only those whose key is lower."""
    older = () if before is None else (OnlinePayout.id < before,)
    return list(db.session.scalars(select(OnlinePayout).where(*older).order_by(OnlinePayout.id.desc()).limit(limit)))


def payout_named(public_id: str) -> OnlinePayout:
    """One payout with its parts, their payments and invoices (4 statements); raises `NotFound`."""
    found = db.session.scalar(select(OnlinePayout).where(OnlinePayout.public_id == public_id).options(_WHOLE))
    if found is None:
        raise NotFound()
    return found


def payouts_since(first: date) -> list[OnlinePayout]:
    """Payouts that arrive from ``first`` on, with parts, payments and invoices, the newest first (4 statements)."""
    return list(
        db.session.scalars(
            select(OnlinePayout)
            .where(OnlinePayout.arrives_on >= first)
            .options(_WHOLE)
            .order_by(OnlinePayout.arrives_on.desc(), OnlinePayout.id.desc())
        )
    )


def totals_of(rows: Sequence[OnlinePayout]) -> dict[int, PayoutTotals]:
    """By id what these payouts consist of (1 statement); one whose parts were not read is not among them."""
    ids = [row.id for row in rows if row.parts_read_at is not None]
    is_ours = OnlinePayoutPart.online_payment_id.is_not(None)
    found = db.session.execute(
        select(
            OnlinePayoutPart.payout_id,
            OnlinePayoutPart.kind,
            is_ours,
            func.count(),
            func.sum(OnlinePayoutPart.cents),
            func.sum(OnlinePayoutPart.fee_cents),
        )
        .where(OnlinePayoutPart.payout_id.in_(ids))
        .group_by(OnlinePayoutPart.payout_id, OnlinePayoutPart.kind, is_ours)
    )
    parts: dict[int, list[HeldMovement]] = defaultdict(list)
    for payout_id, kind, ours, count, cents, fees in found:
        parts[payout_id].append(HeldMovement(kind, int(cents), int(fees), bool(ours)))
        parts[payout_id] += [HeldMovement(kind, 0, 0, bool(ours))] * (count - 1)
    return {row.id: payout_totals(row.cents, parts[row.id]) for row in rows if row.parts_read_at is not None}


@dataclass(frozen=True, slots=True)
class MonthOfFees:
    """What a provider took in a month, and of what payments, in cents."""

    month: date
    gateway: str
    payments: int
    payment_cents: int
    fee_cents: int


def fees_by_month(since: date) -> list[MonthOfFees]:
    """What providers took by month and provider, the newest month first (1 statement)."""
    rows = db.session.execute(
        select(
            OnlinePayoutPart.moved_on,
            OnlinePayout.gateway,
            OnlinePayoutPart.kind,
            func.count(),
            func.sum(OnlinePayoutPart.cents),
            func.sum(OnlinePayoutPart.fee_cents),
        )
        .join(OnlinePayout, OnlinePayout.id == OnlinePayoutPart.payout_id)
        .where(OnlinePayoutPart.moved_on >= since)
        .group_by(OnlinePayoutPart.moved_on, OnlinePayout.gateway, OnlinePayoutPart.kind)
    )
    found: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for day, gateway, kind, count, cents, fees in rows:
        sums = found[day.replace(day=1), gateway]
        if kind == "payment":
            sums[0] += count
            sums[1] += int(cents)
        sums[2] += int(fees) - (int(cents) if kind == "fee" else 0)
    return [MonthOfFees(month, gateway, *sums) for (month, gateway), sums in sorted(found.items(), reverse=True)]
