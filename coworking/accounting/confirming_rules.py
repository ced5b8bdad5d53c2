"""What is refused when a person says what a bank line is for."""

from __future__ import annotations

from coworking.core.errors import N_, DomainError


class LineUsedUp(DomainError):
    """Somebody else said it meanwhile, or it is asked for more than it is. ``left`` in words."""

    code = "line_used_up"
    status = 409
    message = N_("Only %(left)s of this line still wait. Look at it again.")
    field = "cents"


class PartsDisagree(DomainError):
    code = "parts_disagree"
    message = N_("Write for each invoice how much of the line pays it, each once.")
    field = "cents"


class NoPart(DomainError):
    code = "no_part"
    message = N_("Choose at least one invoice, or whose credit it becomes.")
    field = "form"


class NotMoneyIn(DomainError):
    code = "not_money_in"
    status = 409
    message = N_("This is money that left the account: it pays no invoice.")


class AlreadyUndone(DomainError):
    code = "already_undone"
    status = 409
    message = N_("This was taken back already.")


class PayoutDisagrees(DomainError):
    code = "payout_disagrees"
    status = 409
    message = N_("This payout is of %(amount)s, or the bank sent it back. Look at the line again.")
    field = "form"


class PayoutTaken(DomainError):
    code = "payout_taken"
    status = 409
    message = N_("Another line of the bank counts as this payout already.")
    field = "form"
