"""Rules of discounts on what is not invoiced yet: how much comes off each charge. Integer cents, basis points."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from coworking.core.errors import N_, DomainError
from coworking.core.money import Cents, apportion, divide_half_up

MAX_PRINTED_REASON = 80
"""The reason of a discount stands on the invoice, beside what it is for."""
WHOLE_BP = 10_000


class DiscountTooMuch(DomainError):
    """``most`` is all that is left to take off, as money."""

    code = "discount_too_much"
    message = N_("At most %(most)s can be taken off here.")
    field = "cents"


class DiscountNothing(DomainError):
    code = "discount_nothing"
    message = N_("Write how much comes off.")
    field = "cents"


class PercentInvalid(DomainError):
    code = "percent_invalid"
    message = N_("Write a percentage above 0 and below 100.")
    field = "percent"


class PercentOrAmount(DomainError):
    """Both were written, or neither."""

    code = "percent_or_amount"
    message = N_("Write either a percentage or an amount.")
    field = "percent"


class AlreadyDiscounted(DomainError):
    code = "already_discounted"
    status = 409
    message = N_("This was reduced already. Take that back first.")


class NothingToDiscount(DomainError):
    """Everything of this payer is invoiced, waived or reduced already."""

    code = "nothing_to_discount"
    status = 409
    message = N_("There is nothing here to take something off.")


class DiscountBasesDiffer(DomainError):
    """An amount cannot be shared out over prices with VAT and prices without."""

    code = "discount_bases_differ"
    message = N_("Some of these prices include VAT and some do not: write a percentage instead.")
    field = "cents"


def percent_off(amounts: Sequence[int], bp: int) -> list[int]:
    """What ``bp`` basis points take off each of ``amounts``, each rounded half up. Raises `PercentInvalid`."""
    if not 0 < bp < WHOLE_BP:
        raise PercentInvalid()
    return [divide_half_up(amount * bp, WHOLE_BP) for amount in amounts]


def amount_off(amounts: Sequence[int], cents: int) -> list[int]:
    """What each of ``amounts`` loses when they lose ``cents`` together, in their proportion and to the cent.

    Raises `DiscountNothing`, `DiscountTooMuch`: what comes to nothing as a whole is waived instead.
    """
    whole = sum(amounts)
    if cents <= 0:
        raise DiscountNothing()
    if cents >= whole:
        raise DiscountTooMuch(most=Cents(whole - 1))
    return apportion(cents, [Fraction(cents * amount, whole) for amount in amounts])
