"""Reading closings, and what was recorded between two entries of the money chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from coworking.accounting.closing_models import TakingsClosing
from coworking.accounting.closing_rules import (
    ClosedPeriod,
    ClosingKind,
    CreditMoved,
    DepositGivenBack,
    DrawerCounted,
    DrawerMoved,
    PaidInvoice,
    PaidOrGivenBack,
    RecordedFact,
    SoldDocument,
    TaxedAmount,
)
from coworking.accounting.models import CashMovement, DrawerCount
from coworking.billing.door_models import Deposit, DepositReturn, DoorReceipt, DoorSale
from coworking.billing.models import Invoice, Payment
from coworking.billing.payer_credit_models import PayerCredit
from coworking.core import chain_checks, links
from coworking.core.audit import AuditEntry
from coworking.core.chain import ChainEntry, Seal
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.keyring import public_keys
from coworking.core.months import month_days
from coworking.core.sealing import MONEY
from coworking.core.timespan import local_date
from coworking.spaces import queries as spaces

ENTRIES_AT_ONCE = 500
"""How many entries of the chain are read together: memory stays flat however long the history is."""
_IDS_AT_ONCE = 500

_reversed = aliased(PayerCredit)


# Closings -------------------------------------------------------------------------------------------------------------


def last_closing(kind: ClosingKind) -> TakingsClosing | None:
    """The newest closing of a kind (1 statement)."""
    newest = select(TakingsClosing).where(TakingsClosing.kind == kind).order_by(TakingsClosing.seq.desc()).limit(1)
    return db.session.scalar(newest)


def closings_between(first: date, last: date, *kinds: ClosingKind) -> list[TakingsClosing]:
    """Closings that lie within ``first`` to ``last``, of these kinds or all, in the order of their days (1 statement)."""
    statement = select(TakingsClosing).where(TakingsClosing.first_day >= first, TakingsClosing.last_day <= last)
    if kinds:
        statement = statement.where(TakingsClosing.kind.in_(kinds))
    return list(db.session.scalars(statement.order_by(TakingsClosing.first_day, TakingsClosing.id)))


def every_closing(kind: ClosingKind) -> Iterator[TakingsClosing]:
    """All closings of a kind in their order, a few at a time; within a `core.units.snapshot`."""
    statement = select(TakingsClosing).where(TakingsClosing.kind == kind).order_by(TakingsClosing.seq)
    yield from db.session.scalars(statement.execution_options(yield_per=200))


def closing(public_id: str) -> TakingsClosing:
    """One closing; raises `NotFound`."""
    found = db.session.scalar(select(TakingsClosing).where(TakingsClosing.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def closing_of_day(day: date) -> TakingsClosing | None:
    """The closing of local ``day``, once it is made (1 statement)."""
    return db.session.scalar(
        select(TakingsClosing).where(TakingsClosing.kind == "day", TakingsClosing.first_day == day)
    )


def closings_listed(month: date) -> list[TakingsClosing]:
    """Of all years, of the months of the year of ``month`` and of its days, in the order of days (1 statement)."""
    first_day, kind = TakingsClosing.first_day, TakingsClosing.kind
    of_year = first_day.between(date(month.year, 1, 1), date(month.year, 12, 31))
    wanted = or_(
        kind == "year", and_(kind == "month", of_year), and_(kind == "day", first_day.between(*month_days(month)))
    )
    return list(db.session.scalars(select(TakingsClosing).where(wanted).order_by(first_day, TakingsClosing.id)))


def closed_days() -> tuple[date, date] | None:
    """The first and the last day that are closed (1 statement)."""
    first, last = db.session.execute(
        select(func.min(TakingsClosing.first_day), func.max(TakingsClosing.last_day))
    ).one()
    return None if first is None else (first, last)


def has_closings_of(year: int) -> bool:
    """Whether any day of a calendar year is closed (1 statement)."""
    covered = closed_days()
    return covered is not None and covered[0].year <= year <= covered[1].year


def closing_text(row: TakingsClosing) -> dict[str, Any]:
    """The content of a closing (`closing_rules.closing_content`)."""
    return json.loads(row.payload)


def closing_link(row: TakingsClosing) -> links.ChainLink:
    """A closing's link in the chain of its kind."""
    return links.ChainLink(row.seq, row.prev, row.sha256, row.key_id, row.signature)


def period_of(row: TakingsClosing) -> ClosedPeriod:
    """What a closing covers."""
    return ClosedPeriod(
        row.kind,  # type: ignore[arg-type] - the database holds no other
        row.first_day,
        row.last_day,
        row.starts_at,
        row.ends_at,
        row.first_entry,
        row.last_entry,
    )


# Who closes -----------------------------------------------------------------------------------------------------------


def has_closings() -> bool:
    """Whether this lieu closes its takings: it is liable to VAT, or began to when it was (at most 1 statement)."""
    return spaces.lieu().vat_status == "taxable" or last_closing("day") is not None


def liable_since() -> date | None:
    """The local day since which the lieu is liable to VAT without a break; None where it is not."""
    lieu = spaces.lieu()
    if lieu.vat_status != "taxable":
        return None
    statement = select(AuditEntry.occurred_at, AuditEntry.details).where(AuditEntry.action == "lieu.updated")
    changes = db.session.execute(statement.order_by(AuditEntry.id.desc()))
    since = next((at for at, details in changes if "vat_status" in details.get("changed", ())), lieu.created_at)
    return local_date(since, lieu.tz)


# What was recorded ----------------------------------------------------------------------------------------------------


def first_entry_since(instant: datetime, *, after: int) -> int | None:
    """The first entry of the money chain behind ``after`` that was signed at ``instant`` or later (1 statement).

    The order of the chain decides, not the clock: what is signed behind it belongs behind it, though the clock went back.
    """
    return db.session.scalar(
        select(ChainEntry.seq)
        .where(ChainEntry.chain == MONEY, ChainEntry.seq > after, ChainEntry.signed_at >= instant)
        .order_by(ChainEntry.seq)
        .limit(1)
    )


def recorded(first_entry: int, last_entry: int) -> Iterator[tuple[int, RecordedFact]]:
    """What the entries ``first_entry`` to ``last_entry`` of the money chain recorded, each with its entry, in their order.

    A statement for the seals of `ENTRIES_AT_ONCE` entries, and at most one for each kind of row that was recorded in them.
    Rows that are older than the chain are in no closing: nothing proves when they were recorded.
    """
    for start in range(first_entry, last_entry + 1, ENTRIES_AT_ONCE):
        until = min(start + ENTRIES_AT_ONCE - 1, last_entry)
        rows = db.session.execute(
            select(ChainEntry.seq, Seal.subject, Seal.first_id)
            .join(Seal, Seal.entry_id == ChainEntry.id)
            .where(
                ChainEntry.chain == MONEY,
                ChainEntry.seq.between(start, until),
                Seal.act == "made",
                Seal.subject.in_(_READERS),
            )
            .order_by(ChainEntry.seq, Seal.id)
        ).all()
        ids: dict[str, list[int]] = {}
        for _, subject, row_id in rows:
            ids.setdefault(subject, []).append(row_id)
        facts = {(subject, key): fact for subject, keys in ids.items() for key, fact in _read(subject, keys)}
        yield from ((seq, facts[subject, row_id]) for seq, subject, row_id in rows if (subject, row_id) in facts)


def altered(first_entry: int, last_entry: int) -> Iterator[str]:
    """A sentence for each of these entries, and each row that they or their closing tell of, that is not as it was sealed.

    What a closing reads beside the rows of its entries counts too: the deposit that was given back, the credit undone.
    """
    yield from chain_checks.broken_span(MONEY, first_entry, last_entry, public_keys().get)
    rows: dict[str, set[int]] = {}
    sealed = (
        select(Seal.subject, Seal.first_id)
        .join(ChainEntry, ChainEntry.id == Seal.entry_id)
        .where(ChainEntry.chain == MONEY, ChainEntry.seq.between(first_entry, last_entry))
    )
    for subject, row_id in db.session.execute(sealed):
        rows.setdefault(subject, set()).add(row_id)
    for subject, (told, column) in _TOLD_BESIDE.items():
        keys = sorted(rows.get(subject, ()))
        for start in range(0, len(keys), _IDS_AT_ONCE):
            named = select(column).where(column.class_.id.in_(keys[start : start + _IDS_AT_ONCE]), column.is_not(None))
            rows.setdefault(told, set()).update(db.session.scalars(named))
    yield from chain_checks.altered_rows(MONEY, rows)


def _read(subject: str, keys: Sequence[int]) -> Iterator[tuple[int, RecordedFact]]:
    for start in range(0, len(keys), _IDS_AT_ONCE):
        yield from _READERS[subject](keys[start : start + _IDS_AT_ONCE])


Facts = Iterator[tuple[int, RecordedFact]]


def _receipts(keys: Sequence[int]) -> Facts:
    columns = (DoorReceipt.id, DoorReceipt.kind, DoorReceipt.method, DoorReceipt.payload)
    for key, kind, method, payload in db.session.execute(select(*columns).where(DoorReceipt.id.in_(keys))):
        content = json.loads(payload)
        yield (
            key,
            SoldDocument(
                "receipts",
                content["sales_cents"],
                _taxes(content),
                method=method,
                deposit_cents=content["deposit_cents"],
                is_undoing=kind == "counter_sale",
            ),
        )


def _documents(keys: Sequence[int]) -> Facts:
    columns = (Invoice.id, Invoice.kind, Invoice.payload)
    for key, kind, payload in db.session.execute(select(*columns).where(Invoice.id.in_(keys))):
        content = json.loads(payload)
        which = "invoices" if kind == "invoice" else "credit_notes"
        yield key, SoldDocument(which, content["payable_cents"], _taxes(content))


def _taxes(content: Mapping[str, Any]) -> list[TaxedAmount]:
    return [
        TaxedAmount(tax["vat_rate_bp"], tax["net_cents"], tax["vat_cents"], tax["rounding_cents"])
        for tax in content["taxes"]
    ]


def _door_sales(keys: Sequence[int]) -> Facts:
    """Those that made an invoice; the others are receipts, or wait for the next invoice."""
    rows = db.session.execute(
        select(DoorSale.id, Invoice.payable_cents, DoorSale.cancels_id)
        .join(Invoice, Invoice.id == DoorSale.invoice_id)
        .where(DoorSale.id.in_(keys))
    )
    for key, cents, cancels_id in rows:
        yield key, PaidInvoice(cents, is_undoing=cancels_id is not None)


def _payments(keys: Sequence[int]) -> Facts:
    columns = (Payment.id, Payment.method, Payment.cents)
    for key, method, cents in db.session.execute(select(*columns).where(Payment.id.in_(keys))):
        yield key, PaidOrGivenBack(method, cents)


def _deposit_returns(keys: Sequence[int]) -> Facts:
    """Without those whose sale was undone: that receipt gave the money back."""
    rows = db.session.execute(
        select(DepositReturn.id, DepositReturn.method, Deposit.cents)
        .join(Deposit, Deposit.id == DepositReturn.deposit_id)
        .where(DepositReturn.id.in_(keys), DepositReturn.receipt_id.is_(None))
    )
    for key, method, cents in rows:
        yield key, DepositGivenBack(method, cents)


def _credits(keys: Sequence[int]) -> Facts:
    """What was used of one is the payment by credit."""
    rows = db.session.execute(
        select(PayerCredit.id, PayerCredit.kind, PayerCredit.cents, _reversed.kind)
        .outerjoin(_reversed, _reversed.id == PayerCredit.reverses_id)
        .where(PayerCredit.id.in_(keys))
    )
    for key, kind, cents, undone in rows:
        which = undone or kind
        if which == "received":
            yield key, CreditMoved("received", cents)
        elif which == "given":
            yield key, CreditMoved("given", -cents)


def _cash(keys: Sequence[int]) -> Facts:
    columns = (CashMovement.id, CashMovement.kind, CashMovement.cents)
    for key, kind, cents in db.session.execute(select(*columns).where(CashMovement.id.in_(keys))):
        yield key, DrawerMoved(kind, cents)


def _counts(keys: Sequence[int]) -> Facts:
    columns = (
        DrawerCount.id,
        DrawerCount.seq,
        DrawerCount.kind,
        DrawerCount.expected_cents,
        DrawerCount.counted_cents,
    )
    for key, seq, kind, expected, counted in db.session.execute(select(*columns).where(DrawerCount.id.in_(keys))):
        yield key, DrawerCounted(seq, kind, expected, counted)


_TOLD_BESIDE: dict[str, tuple[str, InstrumentedAttribute[Any]]] = {
    "door_sale": ("invoice", DoorSale.invoice_id),
    "deposit_return": ("deposit", DepositReturn.deposit_id),
    "payer_credit": ("payer_credit", PayerCredit.reverses_id),
}
"""By table: the rows of another one that its reader reads too, and the column that names them."""

_READERS: dict[str, Callable[[Sequence[int]], Facts]] = {
    "receipt": _receipts,
    "invoice": _documents,
    "door_sale": _door_sales,
    "payment": _payments,
    "deposit_return": _deposit_returns,
    "payer_credit": _credits,
    "cash_movement": _cash,
    "drawer_count": _counts,
}
"""What a closing counts, by table."""
