"""What is given back of a pack, and what refuses it. Plain decisions."""

from __future__ import annotations

from datetime import date

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


class PackStillToWithdraw(DomainError):
    """``day``: the last one on which its person can withdraw from it, without asking."""

    code = "pack_still_to_withdraw"
    status = 409
    message = N_("You need not ask: until %(day)s you can withdraw from this pack yourself.")


class PackRequestClosed(DomainError):
    """It was answered or taken back, or nothing is left of the pack."""

    code = "pack_request_closed"
    status = 409
    message = N_("This request is closed: it was answered or taken back, or nothing is left of the pack.")


def check_may_ask(left: int, valid_until: date, today: date, withdraw_until: date | None) -> None:
    """Raise `PackNothingLeft` or `PackStillToWithdraw` unless the rest of a pack can be asked back.

    ``withdraw_until``: the last day on which its person can still withdraw from it; None: they cannot.
    """
    if left <= 0 or valid_until < today:
        raise PackNothingLeft()
    if withdraw_until is not None:
        raise PackStillToWithdraw(day=withdraw_until)


def given_back_cents(paid_cents: int, units: int, left: int, *, units_before: int = 0, cents_before: int = 0) -> int:
    """How much of ``paid_cents`` goes back for ``left`` of a pack's ``units``, halves of a cent up.

    ``units_before`` and ``cents_before``: what was given back of it earlier, so that all that goes back together is rounded
    once and never comes to more than was paid.
    """
    together = divide_half_up(paid_cents * (units_before + left), units)
    return max(0, min(together, paid_cents) - cents_before)
