"""Rules of closings: what a day comes to, how days become months and years, and the content that is signed. Pure.

Figures are nested objects of integers, so adding them leaf by leaf is all that a month or a year needs: what its days say,
summed, is what it says. Source of what a closing must hold: CGI art. 286 I 3° bis, BOI-TVA-DECLA-30-10-30.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any, Literal

from coworking.core.months import month_end
from coworking.core.version import VERSION

ClosingKind = Literal["day", "month", "year"]
KINDS: tuple[ClosingKind, ...] = ("day", "month", "year")

SCHEMA = "closing/1"
CLOSINGS = "closings"
"""The counter that closing locks: of two workers at once the second finds the day closed."""

ClosingFigures = dict[str, Any]
"""Nested objects whose leaves are integers (`NOTHING` names those that are always there)."""

NOTHING: ClosingFigures = {
    "receipts": {"count": 0, "undone": 0, "sales_cents": 0},
    "invoices": {"count": 0, "sales_cents": 0},
    "credit_notes": {"count": 0, "sales_cents": 0},
    "door_invoices": {"count": 0, "undone": 0, "sales_cents": 0},
    "taxes": {},
    "net_cents": 0,
    "vat_cents": 0,
    "rounding_cents": 0,
    "sales_cents": 0,
    "gross_cents": 0,
    "means": {},
    "taken_cents": 0,
    "from_credit_cents": 0,
    "deposits": {"taken_cents": 0, "returned_cents": 0, "means": {}},
    "credits": {"received_cents": 0, "given_cents": 0},
    "drawer": {"counts": 0, "difference_cents": 0, "moved": {}},
}
"""The figures of a day on which nothing was recorded."""


@dataclass(frozen=True, slots=True)
class TaxedAmount:
    """What a document holds at one VAT rate (basis points), in cents; ``net`` is its basis."""

    rate_bp: int
    net_cents: int
    vat_cents: int
    rounding_cents: int


@dataclass(frozen=True, slots=True)
class SoldDocument:
    """A receipt, invoice or credit note. ``sales_cents``: what it comes to with VAT, without deposits; below zero where it
    takes something back. ``method`` and ``deposit_cents``: of a receipt, how it was paid and what is no sale of it."""

    kind: Literal["receipts", "invoices", "credit_notes"]
    sales_cents: int
    taxes: Sequence[TaxedAmount]
    method: str | None = None
    deposit_cents: int = 0
    is_undoing: bool = False

    @property
    def figures(self) -> ClosingFigures:
        own = {"count": 1, "sales_cents": self.sales_cents}
        if self.kind == "receipts":
            own = {"count": int(not self.is_undoing), "undone": int(self.is_undoing), "sales_cents": self.sales_cents}
        found: ClosingFigures = {
            self.kind: own,
            "taxes": reduce(_added, ({str(tax.rate_bp): _amounts(tax)} for tax in self.taxes), ClosingFigures()),
            "sales_cents": self.sales_cents,
            "gross_cents": max(self.sales_cents, 0),
        }
        for tax in self.taxes:
            found = _added(found, _amounts(tax))
        if self.method is not None and (self.sales_cents or not self.deposit_cents):
            found = _added(found, _taken(self.method, self.sales_cents))
        if self.method is not None and self.deposit_cents:
            moved = {"taken_cents": self.deposit_cents, "means": {self.method: self.deposit_cents}}
            found = _added(found, {"deposits": moved})
        return found


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice that was paid as it was sold at the door, or (``is_undoing``) the credit note that undid it there."""

    sales_cents: int
    is_undoing: bool

    @property
    def figures(self) -> ClosingFigures:
        counts = {"count": int(not self.is_undoing), "undone": int(self.is_undoing)}
        return {"door_invoices": counts | {"sales_cents": self.sales_cents}}


@dataclass(frozen=True, slots=True)
class PaidOrGivenBack:
    """An entry of money on an invoice: came in, or went back (negative). Out of a payer's credit no money moves."""

    method: str
    cents: int

    @property
    def figures(self) -> ClosingFigures:
        return {"from_credit_cents": self.cents} if self.method == "credit" else _taken(self.method, self.cents)


@dataclass(frozen=True, slots=True)
class DepositGivenBack:
    """A deposit that was handed back."""

    method: str
    cents: int

    @property
    def figures(self) -> ClosingFigures:
        return {"deposits": {"returned_cents": self.cents, "means": {self.method: -self.cents}}}


@dataclass(frozen=True, slots=True)
class CreditMoved:
    """A payer's own money that came for no invoice, or was given back: no takings. Undone ones are below zero."""

    kind: Literal["received", "given"]
    cents: int

    @property
    def figures(self) -> ClosingFigures:
        return {"credits": {f"{self.kind}_cents": self.cents}}


@dataclass(frozen=True, slots=True)
class DrawerMoved:
    """A movement of the drawer's book."""

    kind: str
    cents: int

    @property
    def figures(self) -> ClosingFigures:
        difference = {"difference_cents": self.cents} if self.kind == "difference" else {}
        return {"drawer": {"moved": {self.kind: self.cents}} | difference}


@dataclass(frozen=True, slots=True)
class DrawerCounted:
    """The drawer was opened or closed: what should have been in it, and what was."""

    seq: int
    kind: str
    expected_cents: int
    counted_cents: int

    @property
    def figures(self) -> ClosingFigures:
        return {"drawer": {"counts": 1}}

    @property
    def said(self) -> dict[str, Any]:
        """As a day's closing lists it."""
        return {
            "seq": self.seq,
            "kind": self.kind,
            "expected_cents": self.expected_cents,
            "counted_cents": self.counted_cents,
        }


RecordedFact = (
    SoldDocument | PaidInvoice | PaidOrGivenBack | DepositGivenBack | CreditMoved | DrawerMoved | DrawerCounted
)
"""What a closing counts: one row that was recorded, in a form of its own."""


def closing_figures(facts: Iterable[RecordedFact]) -> ClosingFigures:
    """What ``facts`` come to."""
    return summed(fact.figures for fact in facts)


def summed(every: Iterable[ClosingFigures]) -> ClosingFigures:
    """Figures added leaf by leaf; of none, `NOTHING`."""
    return reduce(_added, every, _added(NOTHING, {}))


def drawer_counts(facts: Iterable[RecordedFact]) -> list[dict[str, Any]]:
    """How a day's closing lists its counts of the drawer."""
    return [fact.said for fact in facts if isinstance(fact, DrawerCounted)]


def _added(one: ClosingFigures, other: ClosingFigures) -> ClosingFigures:
    total: ClosingFigures = {}
    for name in (*one, *(name for name in other if name not in one)):
        left, right = one.get(name), other.get(name)
        if isinstance(left, dict) or isinstance(right, dict):
            total[name] = _added(left or {}, right or {})
        else:
            total[name] = (left or 0) + (right or 0)
    return total


def _taken(method: str, cents: int) -> ClosingFigures:
    way = {"count": 1, "in_cents": max(cents, 0), "out_cents": max(-cents, 0)}
    return {"means": {method: way}, "taken_cents": cents}


def _amounts(tax: TaxedAmount) -> ClosingFigures:
    return {"net_cents": tax.net_cents, "vat_cents": tax.vat_cents, "rounding_cents": tax.rounding_cents}


# Periods --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """Local dates ``first_day`` to ``last_day``, their instants, and which entries of the money chain were signed in them.

    ``last_entry`` is ``first_entry`` less one where none was.
    """

    kind: ClosingKind
    first_day: date
    last_day: date
    starts_at: datetime
    ends_at: datetime
    first_entry: int
    last_entry: int


@dataclass(frozen=True, slots=True)
class PerpetualTotal:
    """What all closings of a kind come to since the first one, in cents; never reset.

    ``sales``: all documents with VAT, less what took something back. ``gross``: only those that sold something, so it never
    falls.
    """

    sales_cents: int = 0
    gross_cents: int = 0

    def after(self, figures: ClosingFigures) -> PerpetualTotal:
        """With one more period."""
        return PerpetualTotal(self.sales_cents + figures["sales_cents"], self.gross_cents + figures["gross_cents"])


def ended_with(day: date) -> list[ClosingKind]:
    """The longer periods that end with local ``day``: its month, and the calendar year."""
    kinds: list[ClosingKind] = []
    if day == month_end(day):
        kinds.append("month")
        if day.month == 12:
            kinds.append("year")
    return kinds


def joined(kind: ClosingKind, days: Sequence[ClosedPeriod]) -> ClosedPeriod:
    """The period that these days make, in their order."""
    first, last = days[0], days[-1]
    return ClosedPeriod(
        kind, first.first_day, last.last_day, first.starts_at, last.ends_at, first.first_entry, last.last_entry
    )


def closing_content(
    period: ClosedPeriod,
    figures: ClosingFigures,
    *,
    seq: int,
    before: PerpetualTotal,
    seller: Mapping[str, Any],
    currency: str,
    timezone: str,
    closed_at: datetime,
    counts: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """All that a closing says, as plain JSON values. ``counts``: of the drawer, on a day."""
    total = before.after(figures)
    return {
        "schema": SCHEMA,
        "kind": period.kind,
        "seq": seq,
        "seller": {name: seller[name] for name in SELLER},
        "simulation": seller["simulation"],
        "first_day": period.first_day.isoformat(),
        "last_day": period.last_day.isoformat(),
        "days": (period.last_day - period.first_day) // timedelta(days=1) + 1,
        "starts_at": period.starts_at.isoformat(),
        "ends_at": period.ends_at.isoformat(),
        "timezone": timezone,
        "closed_at": closed_at.isoformat(),
        "currency": currency,
        "entries": {"first": period.first_entry, "last": period.last_entry},
        "figures": figures,
        "perpetual": {"sales_cents": total.sales_cents, "gross_cents": total.gross_cents},
        "software": {"name": "coworking", "version": VERSION},
    } | ({"counts": [dict(one) for one in counts]} if period.kind == "day" else {})


SELLER = ("name", "legal_status", "siret", "vat_number", "address", "postcode", "city")
"""What a closing says of the lieu."""
