"""From charges to the lines of a document and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.pricing.rules import Basis, PricedLine, Totals, totals


@dataclass(frozen=True, slots=True)
class ChargedItem:
    """One charge as plain values. ``who`` is the beneficiary's name."""

    family: str
    label: str
    quantity: int
    unit: str
    unit_cents: int
    amount_cents: int
    basis: Basis
    vat_rate_bp: int
    month: date
    day: date | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """What one line prints: ``quantity`` of ``unit`` at ``unit_cents`` comes to ``amount_cents``.

    For an organisation ``people`` counts per person; for a person ``days`` tells when.
    """

    family: str
    label: str
    quantity: int
    unit: str
    unit_cents: int
    amount_cents: int
    vat_rate_bp: int
    month: date
    days: tuple[date, ...] = ()
    people: tuple[tuple[str, int], ...] = ()


_ORDER = ("subscription", "desk", "room", "other", "adhesion")


def document_lines(items: Iterable[ChargedItem], *, organisation: bool) -> list[DocumentLine]:
    """Charges gathered into lines: the same thing at the same price in the same month is one line.

    An organisation learns how many half-days it pays for whom, and neither days nor hours; a person sees their own days.
    """
    groups: dict[tuple[object, ...], list[ChargedItem]] = {}
    for item in items:
        sign = item.amount_cents < 0
        key = (_ORDER.index(item.family), item.month, item.label, item.unit, item.unit_cents, item.vat_rate_bp, sign)
        groups.setdefault(key, []).append(item)
    return [_line(groups[key], organisation=organisation) for key in sorted(groups)]


def _line(items: Sequence[ChargedItem], *, organisation: bool) -> DocumentLine:
    first, people = items[0], dict[str, int]()
    for item in items:
        if organisation and item.who is not None:
            people[item.who] = people.get(item.who, 0) + item.quantity
    days = () if organisation else tuple(sorted({item.day for item in items if item.day is not None}))
    return DocumentLine(
        family=first.family,
        label=first.label,
        quantity=sum(item.quantity for item in items),
        unit=first.unit,
        unit_cents=first.unit_cents,
        amount_cents=sum(item.amount_cents for item in items),
        vat_rate_bp=first.vat_rate_bp,
        month=first.month,
        days=days,
        people=tuple(sorted(people.items())),
    )


def basis_of(items: Iterable[ChargedItem]) -> Basis:
    """The one basis of a document: where no VAT applies both mean the same."""
    taxed: list[Basis] = [item.basis for item in items if item.vat_rate_bp]
    return taxed[0] if taxed else "ttc"


def split_by_basis(items: Iterable[ChargedItem]) -> list[list[ChargedItem]]:
    """The documents that ``items`` of one payer need: prices with VAT and without cannot stand on one.

    What bears no VAT goes with the first. One list almost always.
    """
    taxed: dict[Basis, list[ChargedItem]] = {}
    free: list[ChargedItem] = []
    for item in items:
        (taxed.setdefault(item.basis, []) if item.vat_rate_bp else free).append(item)
    lists = [taxed[basis] for basis in sorted(taxed, reverse=True)] or [[]]
    lists[0] = [*lists[0], *free]
    return lists


def document_totals(lines: Iterable[DocumentLine], basis: Basis) -> Totals:
    """The sums of a document: per rate, each taxed once (`pricing.rules.totals`)."""
    return totals((PricedLine(line.amount_cents, line.vat_rate_bp) for line in lines), basis)
