"""Money: integer cents and a currency; VAT rates in basis points (20 % = 2000). The one place that rounds."""

from __future__ import annotations


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
