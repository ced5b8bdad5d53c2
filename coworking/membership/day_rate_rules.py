"""The day rate: what the second half-day of a day costs, where one payer pays both. Plain decisions.

A half-day is priced when it is booked, and its price stays: so the first costs what a half-day costs, and the second what
the day rate leaves of the day. Once the first goes, the second costs what a half-day costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.membership.allowance_rules import PlannedUse

PayerId = int | None
"""The organisation that pays; None: the person."""


@dataclass(frozen=True, slots=True)
class PaidHalf:
    """A half-day at a desk that costs what the tariff says, in ``cents``; ``alone_cents``: it is the second of its day.

    ``quote_id``: what says so, where it is written.
    """

    day: date
    half: str
    payer: PayerId
    cents: int
    alone_cents: int | None = None
    quote_id: int | None = None

    def is_beside(self, other: PaidHalf) -> bool:
        """Whether both are of one day and payer, one in the morning and one in the afternoon."""
        return (self.day, self.payer) == (other.day, other.payer) and self.half != other.half


def _matched(halves: Iterable[PaidHalf]) -> tuple[list[PaidHalf], list[PaidHalf]]:
    """First ones without a second one, and second ones without a first one."""
    halves = list(halves)
    firsts = [one for one in halves if one.alone_cents is None]
    without: list[PaidHalf] = []
    for second in halves:
        if second.alone_cents is not None:
            first = next((one for one in firsts if one.is_beside(second)), None)
            if first is None:
                without.append(second)
            else:
                firsts.remove(first)
    return firsts, without


def unpaired(halves: Iterable[PaidHalf]) -> list[PaidHalf]:
    """The first ones that have no second one beside them."""
    return _matched(halves)[0]


def standing_alone(halves: Iterable[PaidHalf]) -> list[PaidHalf]:
    """The second ones that have no first one beside them."""
    return _matched(halves)[1]


def dearer(
    others: Sequence[PaidHalf], leaving: Iterable[PaidHalf], arriving: Iterable[PaidHalf] = ()
) -> list[PaidHalf]:
    """Which of ``others`` cost a half-day's price once ``leaving`` are gone and ``arriving`` have come."""
    stood = standing_alone([*others, *leaving])
    return [one for one in standing_alone([*others, *arriving]) if one in others and one not in stood]


class Days:
    """The first half-days of days while several uses are decided one after the other."""

    def __init__(self, halves: Iterable[PaidHalf] = ()) -> None:
        self._firsts = unpaired(halves)

    def second_cents(self, use: PlannedUse, payer: PayerId, alone_cents: int, day_cents: int | None) -> int | None:
        """What ``use`` costs beside the other half of its day; None where it stands alone, and is the first from now on."""
        if use.half is None:
            return None
        this = PaidHalf(use.day, use.half, payer, alone_cents)
        first = next((one for one in self._firsts if one.is_beside(this)), None)
        left = None if first is None or day_cents is None else max(0, day_cents - first.cents)
        if first is None or left is None or left >= alone_cents:
            self._firsts.append(this)
            return None
        self._firsts.remove(first)
        return left
