"""The lists of money due, bank lines and payouts, as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coworking.accounting import bank_queries
from coworking.accounting.bank_queries import Matched, Waiting
from coworking.accounting.money_queries import Owing
from coworking.accounting.payout_pages import KINDS, STATES
from coworking.billing import payout_queries
from coworking.billing.payout_models import OnlinePayout, OnlinePayoutPart
from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.i18n import _
from coworking.core.money import Cents
from coworking.core.months import month_before
from coworking.spaces import queries as spaces

DUE: list[Column[Owing]] = [
    Column(N_("Payer"), lambda row: row.name),
    Column(N_("Owed"), lambda row: Cents(row.owed_cents)),
    Column(N_("Late"), lambda row: Cents(row.late_cents)),
    Column(N_("Late since"), lambda row: row.late_since),
    Column(N_("Invoices"), lambda row: ", ".join(invoice.number for invoice in row.invoices)),
    Column(N_("Under way at the bank"), lambda row: Cents(row.pending_cents)),
    Column(N_("Disputed"), lambda row: Cents(row.disputed_cents)),
    Column(N_("Credit left"), lambda row: Cents(row.credit_cents)),
    Column(N_("Last reminder"), lambda row: row.reminded.last_on if row.reminded else None),
]


BankRow = tuple[Waiting, Sequence[Matched]]
"""A bank line and what people said of it."""

BANK_LINES: list[Column[BankRow]] = [
    Column(N_("Date"), lambda row: row[0].line.booked_on),
    Column(N_("Name of the other side"), lambda row: row[0].line.name),
    Column(N_("Text"), lambda row: row[0].line.text),
    Column(N_("Reference"), lambda row: row[0].line.reference),
    Column(N_("IBAN of the other side"), lambda row: row[0].line.iban),
    Column(N_("Amount"), lambda row: Cents(row[0].line.cents)),
    Column(N_("What became of it"), lambda row: ", ".join(_of_match(one) for one in row[1] if one.counts)),
    Column(N_("Still to be matched"), lambda row: Cents(row[0].left_cents) if row[0].line.cents > 0 else None),
]


def bank_rows() -> Iterator[BankRow]:
    """Every bank line, the newest read first, some hundred at a time."""
    before: int | None = None
    while rows := bank_queries.recent(before, limit=500):
        matches = bank_queries.matches_of([row.line.id for row in rows])
        for row in rows:
            yield row, matches.get(row.line.id, [])
        before = rows[-1].line.id


def _of_match(one: Matched) -> str:
    if one.invoice is not None:
        return one.invoice.number
    if one.match.kind == "credit":
        return _("Credit of %(name)s", name=one.payer_name)
    return _("Payout of the payment provider") if one.match.kind == "payout" else one.match.reason or ""


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of a payout; ``part`` None: the provider told of none."""

    payout: OnlinePayout
    part: OnlinePayoutPart | None

    @property
    def invoices(self) -> str:
        payment = self.part.payment if self.part else None
        return ", ".join(one.invoice.number for one in payment.parts) if payment else ""

    @property
    def is_explained(self) -> bool | None:
        """Whether we know what it is; None: its movements were not read yet."""
        if self.part is None:
            return False if self.payout.parts_read_at else None
        return self.part.kind in {"fee", "returned"} or self.part.payment is not None


def movements() -> Iterator[Movement]:
    """The movements of a year's payouts, the newest payout first; one without any has a row."""
    for row in payout_queries.payouts_since(month_before(spaces.today(), 12)):
        if not row.parts:
            yield Movement(row, None)
        for part in row.parts:
            yield Movement(row, part)


MOVEMENTS: list[Column[Movement]] = [
    Column(N_("Payout"), lambda row: row.payout.public_id),
    Column(N_("Day at the bank"), lambda row: row.payout.arrives_on),
    Column(N_("State"), lambda row: _(STATES[row.payout.state][0])),
    Column(N_("Day"), lambda row: row.part.moved_on if row.part else None),
    Column(N_("What"), lambda row: _(KINDS[row.part.kind]) if row.part else None),
    Column(N_("Invoices"), lambda row: row.invoices),
    Column(N_("Amount"), lambda row: Cents(row.part.cents if row.part else row.payout.cents)),
    Column(N_("Fee"), lambda row: Cents(row.part.fee_cents) if row.part else None),
    Column(
        N_("Explained"),
        lambda row: None if row.is_explained is None else _("yes") if row.is_explained else _("no"),
    ),
]
