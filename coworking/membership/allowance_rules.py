"""What is to be used, and what a plan or a pack holds for it. Plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.core.months import month_of
from coworking.core.timespan import Span
from coworking.pricing.rules import Unit, unit_of


def within(day: date, first: date, last: date | None) -> bool:
    """Whether ``day`` lies from ``first`` to ``last`` inclusive (None: no end)."""
    return first <= day and (last is None or day <= last)


@dataclass(frozen=True, slots=True)
class PlannedUse:
    """One thing to be used on local ``day``: a desk for ``half``, or a room or office (``half`` None) for ``span``."""

    resource_id: int
    kind: str
    day: date
    half: str | None
    span: Span

    @property
    def month(self) -> date:
        return month_of(self.day)

    @property
    def units(self) -> int:
        """What it takes of a pack: one half-day of a desk, or the minutes of a room or office."""
        return 1 if self.half is not None else self.span.minutes


@dataclass(frozen=True, slots=True)
class SubscriptionTerms:
    """A subscription's months and how many half-days each holds (None: no limit).

    ``from_day``: it only adds to its one month, from that day on.
    """

    id: int
    name: str
    first_month: date
    last_month: date | None
    halfdays_per_month: int | None
    from_day: date | None = None

    def applies(self, use: PlannedUse) -> bool:
        return (
            use.half is not None
            and within(use.month, self.first_month, self.last_month)
            and (self.from_day is None or self.from_day <= use.day)
        )


@dataclass(frozen=True, slots=True)
class PackTerms:
    """A pack's dates and how many of its units are left: half-days, or minutes of rooms and offices."""

    id: int
    name: str
    unit: Unit
    valid_from: date
    valid_until: date
    left: int

    def applies(self, use: PlannedUse) -> bool:
        """Whether it is of that unit and valid on the day of use; whether enough is left is another matter."""
        return self.unit == unit_of(use.kind) and within(use.day, self.valid_from, self.valid_until)


def carried_over(
    used: Mapping[tuple[int, date], int], subscriptions: Sequence[SubscriptionTerms]
) -> dict[tuple[int, date], int]:
    """The half-days ``used`` by (subscription id, month), those of a plan that is over by then in the one that follows it.

    Who changes plans keeps what is booked: it counts in the plan of its month. ``subscriptions`` are those of the months.
    """

    def of_month(month: date) -> list[SubscriptionTerms]:
        return [one for one in subscriptions if within(month, one.first_month, one.last_month)]

    counted: dict[tuple[int, date], int] = {}
    for (held, month), count in used.items():
        there = of_month(month)
        plan = next((one.id for one in there if one.from_day is None), held)
        key = (held if any(one.id == held for one in there) else plan, month)
        counted[key] = counted.get(key, 0) + count
    return counted
