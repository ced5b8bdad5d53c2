"""Which payout of a payment provider a bank line probably is. Pure: nothing is decided here, a person confirms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from coworking.accounting.matching_rules import MoneyIn, Sureness, capitals

EARLY_DAYS, LATE_DAYS = 4, 10
"""How far from the day that the provider names the bank may book it."""


@dataclass(frozen=True, slots=True)
class ExpectedPayout:
    """A payout that no bank line counts as yet."""

    id: int
    gateway: str
    cents: int
    arrives_on: date
    reference: str | None


@dataclass(frozen=True, slots=True)
class PayoutProposal:
    """That a line is the payout ``payout_id``: ``certain`` where the line says its reference or the provider's name."""

    payout_id: int
    sureness: Sureness


def propose_payouts(lines: Iterable[MoneyIn], payouts: Iterable[ExpectedPayout]) -> dict[int, PayoutProposal]:
    """By line id the payout that it may be: of just its amount and about that day, each payout for one line.

    A line that says the payout's reference comes first, then one that says the provider's name, then the nearest day.
    """
    by_amount: dict[int, list[ExpectedPayout]] = defaultdict(list)
    for payout in payouts:
        by_amount[payout.cents].append(payout)
    pairs = sorted(
        (
            (_distance(line, payout), line.booked_on, line.id, payout.id, _names(line, payout))
            for line in lines
            for payout in by_amount.get(line.cents, ())
            if -EARLY_DAYS <= (line.booked_on - payout.arrives_on).days <= LATE_DAYS
        ),
        key=lambda pair: pair[:4],
    )
    found: dict[int, PayoutProposal] = {}
    taken: set[int] = set()
    for _near, _day, line_id, payout_id, is_named in pairs:
        if line_id not in found and payout_id not in taken:
            found[line_id] = PayoutProposal(payout_id, "certain" if is_named else "possible")
            taken.add(payout_id)
    return found


def _names(line: MoneyIn, payout: ExpectedPayout) -> bool:
    return payout.gateway.upper() in capitals(f"{line.name or ''} {line.words}") or _refers(line, payout)


def _refers(line: MoneyIn, payout: ExpectedPayout) -> bool:
    reference = capitals(payout.reference or "")
    return bool(reference) and f" {reference} " in f" {capitals(line.words)} "


def _distance(line: MoneyIn, payout: ExpectedPayout) -> tuple[int, int]:
    order = 0 if _refers(line, payout) else 1 if _names(line, payout) else 2
    return order, abs((line.booked_on - payout.arrives_on).days)
