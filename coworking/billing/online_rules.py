"""Rules of payments through a gateway: which state follows which, what a payment covers, and what is refused. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from coworking.billing.gateways.port import CheckoutFact, CheckoutState
from coworking.core.errors import N_, DomainError

OnlineState = Literal["opening", "open", "pending", "paid", "failed", "expired"]
UNSETTLED: tuple[OnlineState, ...] = ("opening", "open", "pending")
"""States that a gateway may still change."""

REFUND_METHODS = ("gateway", "transfer", "cash")

_RANK: dict[OnlineState, int] = {"opening": 0, "open": 1, "pending": 2, "failed": 3, "expired": 3, "paid": 4}


class NothingToPay(DomainError):
    code = "nothing_to_pay"
    status = 409
    message = N_("This is paid already, or no longer owed.")


class PaymentPending(DomainError):
    """A debit that the bank has not answered: paying again would pay twice."""

    code = "payment_pending"
    status = 409
    message = N_("A payment is under way. The bank needs up to 14 days to answer a direct debit.")


class SeveralPayers(DomainError):
    code = "several_payers"
    message = N_("These invoices are for different payers: pay them apart.")


class TooSmallForCard(DomainError):
    code = "too_small"
    message = N_("This amount is too small to be paid by card. Pay it by bank transfer.")


class GatewayMissing(DomainError):
    code = "gateway_missing"
    status = 409
    message = N_("This lieu takes no payments online. Pay by bank transfer.")


class GatewayAway(DomainError):
    """Nothing was taken: the payer never saw a page to pay on."""

    code = "gateway_away"
    status = 503
    message = N_(
        "Payment by card does not answer just now. Nothing was taken. Try again in a few minutes, or pay by bank transfer."
    )


class RefundMethodUnknown(DomainError):
    code = "refund_method_unknown"
    message = N_("Choose how it was given back.")
    field = "given_by"


class RefundTooMuch(DomainError):
    """``left`` is what is still to be given back, in words."""

    code = "refund_too_much"
    message = N_("Only %(left)s are to be given back.")
    field = "cents"


class FactDisagrees(Exception):
    """The gateway tells of another amount, currency or kind of money than was asked for: a person must look."""


def next_state(current: OnlineState, found: CheckoutState) -> OnlineState:
    """The state after ``found`` was fetched. News may be older than what is known: nothing goes back, and paid stays paid.

    Money that arrives after a failure or an end did arrive.
    """
    state = cast(OnlineState, found)
    return state if _RANK[state] > _RANK[current] else current


def check_fact(fact: CheckoutFact, *, cents: int, currency: str, is_live: bool) -> None:
    """Raise `FactDisagrees` unless ``fact`` is of the money that was asked for."""
    if (fact.cents, fact.currency, fact.is_live) != (cents, currency, is_live):
        raise FactDisagrees(
            f"{fact.checkout_id}: {fact.cents} {fact.currency}{'' if fact.is_live else ' (test)'} "
            f"instead of {cents} {currency}{'' if is_live else ' (test)'}"
        )


def shares_of(parts: Sequence[tuple[int, int]]) -> list[int]:
    """What of each part (cents paid for an invoice, cents that it still owes) its invoice takes; the rest is given back."""
    return [min(cents, max(owed, 0)) for cents, owed in parts]
