"""Rules of payouts: which state follows which, what explains one, and what is refused. Pure; amounts in cents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coworking.billing.gateways.port import PayoutFact, PayoutPartFact, PayoutPartKind, PayoutState
from coworking.billing.online_rules import FactDisagrees

OF_PAYMENT: tuple[PayoutPartKind, ...] = ("payment", "refund", "dispute")
"""Kinds that explain something only where the payment is ours."""

_RANK: dict[str, int] = {"under_way": 0, "paid": 1, "failed": 2}


@dataclass(frozen=True, slots=True)
class HeldMovement:
    """One movement of a payout. ``is_ours``: it is of a payment of this lieu."""

    kind: str
    cents: int
    fee_cents: int
    is_ours: bool

    @property
    def is_known(self) -> bool:
        return self.kind in {"fee", "returned"} or (self.kind in OF_PAYMENT and self.is_ours)


@dataclass(frozen=True, slots=True)
class PayoutTotals:
    """What a payout consists of: ``payments`` in number and cents, what went back, the fees, what is not explained."""

    payments: int
    payment_cents: int
    back_cents: int
    returned_cents: int
    fee_cents: int
    unexplained_cents: int


def payout_totals(cents: int, parts: Iterable[HeldMovement]) -> PayoutTotals:
    """Of a payout of ``cents``, so that payments + back + returned - fees + unexplained = ``cents``."""
    found = list(parts)
    known = [part for part in found if part.is_known]

    def of(*kinds: str) -> int:
        return sum(part.cents for part in known if part.kind in kinds)

    fees = sum(part.fee_cents for part in found) - of("fee")
    paid, back, returned = of("payment"), of("refund", "dispute"), of("returned")
    return PayoutTotals(
        payments=sum(part.kind == "payment" for part in known),
        payment_cents=paid,
        back_cents=back,
        returned_cents=returned,
        fee_cents=fees,
        unexplained_cents=cents - (paid + back + returned - fees),
    )


def next_payout_state(current: str, found: PayoutState) -> str:
    """The state after ``found`` was fetched: news may be old, nothing goes back, and what failed stays so."""
    return found if _RANK[found] > _RANK[current] else current


def check_payout(fact: PayoutFact, *, currency: str, is_live: bool) -> None:
    """Raise `FactDisagrees` unless ``fact`` is of the lieu's currency and of the kind of money that the keys move."""
    if (fact.currency, fact.is_live) != (currency, is_live):
        raise FactDisagrees(
            f"the payout {fact.payout_id} is in {fact.currency}{'' if fact.is_live else ' (test)'} "
            f"instead of {currency}{'' if is_live else ' (test)'}"
        )


def check_told_before(fact: PayoutFact, *, cents: int, currency: str, is_live: bool) -> None:
    """Raise `FactDisagrees` where ``fact`` tells of another amount than was told before."""
    if (fact.cents, fact.currency, fact.is_live) != (cents, currency, is_live):
        raise FactDisagrees(f"the payout {fact.payout_id} is of {fact.cents} instead of {cents} {currency}")


def check_parts(fact: PayoutFact, parts: Iterable[PayoutPartFact]) -> None:
    """Raise `FactDisagrees` unless every part is in the payout's currency, each once."""
    seen: set[str] = set()
    for part in parts:
        if part.currency != fact.currency or part.part_id in seen:
            raise FactDisagrees(f"the payout {fact.payout_id} holds {part.part_id} in {part.currency}, or twice")
        seen.add(part.part_id)
