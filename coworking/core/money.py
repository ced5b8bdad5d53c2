"""Money: integer cents and a currency; VAT rates in basis points (20 % = 2000). The one place that rounds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import cycle, islice
from math import floor


class Cents(int):
    """An amount that is to be said as money, as an error's parameter."""


def divide_half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded to the nearest integer, halves away from zero (``denominator > 0``).

    The commercial rounding French invoices use; symmetrical, so that a credit note undoes an invoice to the cent.
    """
    if denominator <= 0:
        raise ValueError("denominator must be positive")
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def apportion(total: int, parts: Sequence[Fraction]) -> list[int]:
    """Whole numbers near ``parts`` that come to ``total``, which is about their sum.

    A part that is whole stays as it is. Of the others each is rounded down, and what is missing goes to those that lost
    most, the first of equals first; what is too much is taken from those that lost least.
    """
    found = [floor(part) for part in parts]
    lost = [part - whole for part, whole in zip(parts, found, strict=True)]
    order = sorted(range(len(parts)), key=lambda place: (-lost[place], place))
    order = [place for place in order if lost[place]] or order
    missing = total - sum(found)
    step = 1 if missing > 0 else -1
    for place in islice(cycle(order if step > 0 else order[::-1]), abs(missing)):
        found[place] += step
    return found
