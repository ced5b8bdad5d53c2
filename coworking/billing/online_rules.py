"""Rules of payments through a gateway: which state follows which, what a payment covers, and what is refused. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from coworking.billing.gateways.port import CheckoutFact, CheckoutState
from coworking.core.errors import N_, DomainError

OnlineState = Literal["opening", "open", "pending", "paid", "failed", "expired"]
UNSETTLED: tuple[OnlineState, ...] = ("opening", "open", "pending")
"""States that a gateway may still change."""

REFUND_METHODS = ("gateway", "transfer", "cheque", "cash")

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


class SaleOver(DomainError):
    """What must be paid before it counts is kept for a quarter of an hour."""

    code = "sale_over"
    status = 409
    message = N_("The time to pay is over, and nothing was taken. Begin anew.")


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


@dataclass(frozen=True, slots=True)
class HeldPart:
    """Of one invoice of an online payment, in cents: how much the payment is for it, how much of it stands there now, and
    how much the invoice owes still (negative: to be refunded)."""

    asked: int
    held: int
    owed: int


def entries_for(left: int, parts: Sequence[HeldPart]) -> list[int]:
    """What to enter on each invoice so that together they hold no more than ``left``, what arrived and did not go back.

    Above 0 it pays what is owed, at most what was asked for there. Below 0 it is taken back: first where the invoice has
    been credited since, then from the last invoice on.
    """
    entries = [0] * len(parts)
    excess = sum(part.held for part in parts) - max(left, 0)
    if excess > 0:
        for credited_only in (True, False):
            for place in reversed(range(len(parts))):
                part = parts[place]
                there = part.held + entries[place]
                taken = min(excess, max(min(there, -part.owed + entries[place]) if credited_only else there, 0))
                entries[place] -= taken
                excess -= taken
        return entries
    for place, part in enumerate(parts):
        entries[place] = max(min(-excess, part.asked - part.held, part.owed), 0)
        excess += entries[place]
    return entries
