"""What a payer's credit may do, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable

from coworking.core.errors import N_, DomainError

KINDS = ("received", "used", "given", "undone")
GIVEN_BY = ("transfer", "cash", "cheque")


class CreditTooSmall(DomainError):
    """``left`` is what the payer's credit still comes to, in words."""

    code = "credit_too_small"
    status = 409
    message = N_("Only %(left)s of this credit are left.")
    field = "cents"


class CreditAmountInvalid(DomainError):
    code = "credit_amount_invalid"
    message = N_("Write an amount above zero.")
    field = "cents"


class GivenByUnknown(DomainError):
    code = "given_by_unknown"
    message = N_("Choose how it was given back.")
    field = "method"


class MovementUndone(DomainError):
    code = "movement_undone"
    status = 409
    message = N_("This was undone already.")


class CreditUsedMeanwhile(DomainError):
    """What it brought has paid something or was given back since: that comes first."""

    code = "credit_used_meanwhile"
    status = 409
    message = N_("The credit that this brought was used since. Undo that first.")


def proposed_use(left: int, owed: Iterable[int]) -> int:
    """How much of a credit ``left`` can pay what is ``owed``."""
    return min(left, sum(cents for cents in owed if cents > 0))
