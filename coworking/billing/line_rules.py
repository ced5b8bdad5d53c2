"""The lines of a document from its charges, and their sums.

A document has one basis: an organisation reads prices without VAT, a consumer prices with it, whatever the tariffs say that
quoted them. The sums are those of what was quoted (`pricing.rules.totals`); lines quoted in the other basis share them out
to the cent, so that a document's lines always come to its sums. `docs/pricing.md` says how.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from coworking.core.money import apportion, divide_half_up
from coworking.pricing.rules import Basis, PricedLine, Totals, totals

MICROS = 10_000
"""Unit prices are kept in millionths of the currency unit: so many make a cent."""


@dataclass(frozen=True, slots=True)
class ChargedItem:
    """One charge as plain values. ``who`` is the beneficiary's name, ``account`` one of income that is not the usual one."""

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
    account: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """What one line prints: ``quantity`` of ``unit`` at ``unit_micros`` comes to ``amount_cents``, in its document's basis.

    ``net_cents`` is the amount without VAT. For an organisation ``people`` counts per person; for a person ``days`` tells
    when.
    """

    family: str
    label: str
    quantity: int
    unit: str
    unit_micros: int
    amount_cents: int
    net_cents: int
    vat_rate_bp: int
    month: date
    days: tuple[date, ...] = ()
    people: tuple[tuple[str, int], ...] = ()
    account: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentBody:
    """The lines of a document in its ``basis``, and what they come to."""

    basis: Basis
    lines: tuple[DocumentLine, ...]
    totals: Totals


_ORDER = ("subscription", "pack", "desk", "room", "other", "adhesion")


def document_body(items: Iterable[ChargedItem], *, organisation: bool) -> DocumentBody:
    """The lines of one payer's document for ``items``, with or without VAT as each was quoted."""
    gathered = _gathered(items)
    basis: Basis = "ht" if organisation and any(group[0].vat_rate_bp for group in gathered) else "ttc"
    sums, nets, grosses = shared_out([_as_one(group) for group in gathered])
    lines = tuple(
        _line(group, basis, net, gross, organisation=organisation)
        for group, net, gross in zip(gathered, nets, grosses, strict=True)
    )
    return DocumentBody(basis, lines, sums)


def shared_out(lines: Sequence[PricedLine]) -> tuple[Totals, list[int], list[int]]:
    """The sums of ``lines``, and each line's share without VAT and with it: at each rate they come to net and payable."""
    sums = totals(lines)
    nets, grosses = [0] * len(lines), [0] * len(lines)
    for group in sums.groups:
        places = [place for place, line in enumerate(lines) if line.vat_rate_bp == group.vat_rate_bp]
        for basis, total, found in (("ht", group.net_cents, nets), ("ttc", group.payable_cents, grosses)):
            shares = apportion(total, [lines[place].amount_cents * _factor(lines[place], basis) for place in places])
            for place, share in zip(places, shares, strict=True):
                found[place] = share
    return sums, nets, grosses


def _factor(line: PricedLine | ChargedItem, basis: str) -> Fraction:
    """What turns an amount as it was quoted into one in ``basis``."""
    if line.basis == basis:
        return Fraction(1)
    with_vat = Fraction(10_000 + line.vat_rate_bp, 10_000)
    return with_vat if basis == "ttc" else 1 / with_vat


def _gathered(items: Iterable[ChargedItem]) -> list[list[ChargedItem]]:
    """Items by line: the same thing at the same price in the same month is one line."""
    groups: dict[tuple[object, ...], list[ChargedItem]] = {}
    for item in items:
        item = item if item.vat_rate_bp else replace(item, basis="ttc")  # without VAT both bases mean the same
        # What was reduced stands before what it was reduced by.
        what = (_ORDER.index(item.family), item.amount_cents < 0, item.month, item.label, item.unit)
        key = (*what, item.unit_cents, item.vat_rate_bp, item.basis, item.account or "")
        groups.setdefault(key, []).append(item)
    return [groups[key] for key in sorted(groups)]


def _as_one(items: Sequence[ChargedItem]) -> PricedLine:
    return PricedLine(sum(item.amount_cents for item in items), items[0].vat_rate_bp, items[0].basis)


def _line(
    items: Sequence[ChargedItem], basis: Basis, net_cents: int, gross_cents: int, *, organisation: bool
) -> DocumentLine:
    """An organisation learns how many half-days it pays for whom, and neither days nor hours; a person sees their days."""
    first, people = items[0], dict[str, int]()
    for item in items:
        if organisation and item.who is not None:
            people[item.who] = people.get(item.who, 0) + item.quantity
    no_days = organisation or first.family in ("adhesion", "pack")
    days = () if no_days else tuple(sorted({item.day for item in items if item.day is not None}))
    quantity = sum(item.quantity for item in items)
    return DocumentLine(
        family=first.family,
        label=first.label,
        quantity=quantity,
        unit=first.unit,
        unit_micros=unit_micros(first.unit_cents * _factor(first, basis), counted(quantity, first.unit)),
        amount_cents=net_cents if basis == "ht" else gross_cents,
        net_cents=net_cents,
        vat_rate_bp=first.vat_rate_bp,
        month=first.month,
        days=days,
        people=tuple(sorted(people.items())),
        account=first.account,
    )


def counted(quantity: int, unit: str) -> Fraction:
    """How many units ``quantity`` is: of hours it counts the minutes."""
    return Fraction(quantity, 60 if unit == "hour" else 1)


def unit_micros(cents: Fraction, quantity: Fraction) -> int:
    """A unit price as it is printed: exactly where four decimals of the currency unit hold it, else rounded to four.

    Rounded to five or six where ``quantity`` times the printed price would not round to the cent that the exact one does.
    """
    wanted = _rounded(cents * quantity)
    for unit in (100, 10, 1):
        printed = _rounded(cents * MICROS / unit) * unit
        if _rounded(Fraction(printed, MICROS) * quantity) == wanted:
            return printed
    return _rounded(cents * MICROS)


def _rounded(number: Fraction) -> int:
    return divide_half_up(number.numerator, number.denominator)
