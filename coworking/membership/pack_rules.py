"""What is given back of a pack, and what refuses it. Plain decisions."""

from __future__ import annotations

from coworking.core.errors import N_, DomainError
from coworking.core.money import divide_half_up


class PackNothingLeft(DomainError):
    """Nothing of the pack is left to give back: it is used, booked or given back already."""

    code = "pack_nothing_left"
    status = 409
    message = N_("Nothing is left of this pack. What is booked has to be cancelled first.")


class PackRefundChanged(DomainError):
    """Something was booked, cancelled or billed since the page was read."""

    code = "pack_refund_changed"
    status = 409
    message = N_("Something has changed meanwhile: it is %(amount)s now. Look at it once more.")


def given_back_cents(paid_cents: int, units: int, left: int, *, units_before: int = 0, cents_before: int = 0) -> int:
    """How much of ``paid_cents`` goes back for ``left`` of a pack's ``units``, halves of a cent up.

    ``units_before`` and ``cents_before``: what was given back of it earlier, so that all that goes back together is rounded
    once and never comes to more than was paid.
    """
    together = divide_half_up(paid_cents * (units_before + left), units)
    return max(0, min(together, paid_cents) - cents_before)
