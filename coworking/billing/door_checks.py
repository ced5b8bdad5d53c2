"""Promise 3 on the live data: receipts are as they were issued, counted without gaps, and add up."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from coworking.billing import door_queries, door_rules, rules, selling
from coworking.billing.door_models import Deposit, DoorReceipt, DoorSale
from coworking.billing.models import Invoice, InvoiceCounter
from coworking.core import links
from coworking.core.checks import check
from coworking.core.db import db
from coworking.core.keyring import public_keys


def _receipts() -> Iterator[DoorReceipt]:
    yield from db.session.scalars(select(DoorReceipt).order_by(DoorReceipt.seq).execution_options(yield_per=500))


@check(3, "receipts form one signed chain without a gap")
def receipts_chained() -> Iterator[str]:
    yield from links.problems(((selling.link_of(row), row.payload) for row in _receipts()), public_keys().get)
    last = db.session.scalar(select(InvoiceCounter.last).where(InvoiceCounter.series == door_rules.CHAIN)) or 0
    count = db.session.scalar(select(func.count(DoorReceipt.id))) or 0
    if last != count:
        yield f"{last} receipts were counted and {count} are there"


@check(3, "receipts are numbered from 1 each year, and their columns say what their content says")
def receipts_numbered() -> Iterator[str]:
    expected: dict[str, int] = {}
    for row in _receipts():
        series = f"R{row.sold_on.year}"
        expected[series] = expected.get(series, 0) + 1
        if row.number != rules.number_of(series, expected[series]):
            yield f"{row.number} stands where {rules.number_of(series, expected[series])} should"
        content = door_queries.receipt_content(row)
        try:
            door_rules.check_receipt(content)
        except rules.AmountsDisagree:
            yield f"{row.number} does not add up"
        names = ("number", "seq", "kind", "method", "net_cents", "vat_cents", "deposit_cents", "payable_cents")
        if any(getattr(row, name) != content[name] for name in names):
            yield f"{row.number} says other amounts than its content"


@check(3, "each sale at the door is what its invoice and its receipt come to")
def sales_documented() -> Iterator[str]:
    rows = db.session.execute(
        select(DoorSale.public_id, DoorSale.cents, Invoice.payable_cents, DoorReceipt.payable_cents)
        .outerjoin(Invoice, Invoice.id == DoorSale.invoice_id)
        .outerjoin(DoorReceipt, DoorReceipt.id == DoorSale.receipt_id)
        .where(DoorSale.method != door_rules.ON_INVOICE)
        .order_by(DoorSale.id)
        .execution_options(yield_per=1000)
    )
    for public_id, cents, invoiced, received in rows:
        if cents != (invoiced or 0) + (received or 0):
            yield f"the sale {public_id} is of {cents} and its documents come to {(invoiced or 0) + (received or 0)}"


@check(3, "the deposits of each receipt are what it says")
def deposits_as_received() -> Iterator[str]:
    taken = (
        select(func.coalesce(func.sum(Deposit.cents), 0)).where(Deposit.receipt_id == DoorReceipt.id).scalar_subquery()
    )
    rows = db.session.execute(
        select(DoorReceipt.number, DoorReceipt.deposit_cents, taken)
        .where(DoorReceipt.kind == "sale")
        .order_by(DoorReceipt.seq)
    )
    for number, cents, found in rows:
        if cents != found:
            yield f"{number} says deposits of {cents} and {found} are kept"
