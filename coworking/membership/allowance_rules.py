"""What is to be used, and what a plan or a pack holds for it. Plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.core.months import month_after, month_end, month_of, months_between
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
    """A subscription's months and what each holds: half-days (None: no limit) and minutes of rooms (None: none).

    ``from_day``: it only adds to its one month, from that day on. ``begins_on``: its first month is a part of one, with
    ``first_halfdays`` and ``first_room_minutes``. Up to ``rollover_halfdays`` and ``rollover_minutes`` of what is left of a
    month go into the next one. ``replaces_id``: the subscription it follows. ``ends_on``: its last day, where that is not
    the last of its last month.
    """

    id: int
    name: str
    first_month: date
    last_month: date | None
    halfdays_per_month: int | None
    from_day: date | None = None
    room_minutes: int | None = None
    rollover_halfdays: int | None = None
    rollover_minutes: int | None = None
    begins_on: date | None = None
    first_halfdays: int | None = None
    first_room_minutes: int | None = None
    replaces_id: int | None = None
    ends_on: date | None = None

    def applies(self, use: PlannedUse) -> bool:
        """Whether it holds uses of that unit on that day; whether enough is left is another matter."""
        begins = self.from_day or self.begins_on or use.day
        return self.gives(unit_of(use.kind)) and self.is_of(use.month) and within(use.day, begins, self.ends_on)

    def gives(self, unit: Unit) -> bool:
        """Whether it holds anything of that unit."""
        return unit == "half_day" or self.room_minutes is not None

    def is_of(self, month: date) -> bool:
        return within(month, self.first_month, self.last_month)

    def given(self, unit: Unit, month: date) -> int | None:
        """How much it gives in ``month``, without what is left of the one before; None: no limit."""
        is_part = self.begins_on is not None and month == self.first_month
        if unit == "half_day":
            return self.first_halfdays if is_part else self.halfdays_per_month
        return (self.first_room_minutes if is_part else self.room_minutes) or 0

    def last_day_of(self, month: date) -> date:
        """The last day of ``month`` on which it holds anything."""
        return month_end(month) if self.ends_on is None else min(self.ends_on, month_end(month))

    def rollover(self, unit: Unit) -> int:
        """How much of what is left of a month goes into the next one at most."""
        return (self.rollover_halfdays if unit == "half_day" else self.rollover_minutes) or 0


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


UsedOfPlans = Mapping[tuple[int, date, Unit], int]
"""What is used of plans, by subscription id, month and unit: half-days, or minutes of rooms."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What somebody brings into a month of their plan from before the lieu moved here, in one unit: so much was ``used``
    there, so much was ``carried`` over from the month before. It counts as used too."""

    used: int = 0
    carried: int = 0


NOTHING_BROUGHT = Brought()

BroughtIntoPlans = Mapping[tuple[int, date, Unit], Brought]
"""What was brought into plans, by subscription id, month and unit."""


def counting_plan(held: int, month: date, plans: Sequence[SubscriptionTerms]) -> int:
    """The id of the plan in which counts what is held on the plan ``held`` in ``month``: itself, or the one that follows it
    where it is over by then. Who changes plans keeps what is booked."""
    there = [one for one in plans if one.is_of(month)]
    if any(one.id == held for one in there):
        return held
    return next((one.id for one in there if one.from_day is None), held)


def counted_in_following(used: UsedOfPlans, plans: Sequence[SubscriptionTerms]) -> dict[tuple[int, date, Unit], int]:
    """The same as ``used``, each in its `counting_plan`; ``plans`` are those of the months."""
    counted: dict[tuple[int, date, Unit], int] = {}
    for (held, month, unit), count in used.items():
        key = (counting_plan(held, month, plans), month, unit)
        counted[key] = counted.get(key, 0) + count
    return counted


def brought_into_following(
    brought: BroughtIntoPlans, plans: Sequence[SubscriptionTerms]
) -> dict[tuple[int, date, Unit], Brought]:
    """The same as ``brought``, each in its `counting_plan`."""
    found: dict[tuple[int, date, Unit], Brought] = {}
    for (held, month, unit), one in brought.items():
        key = (counting_plan(held, month, plans), month, unit)
        there = found.get(key, NOTHING_BROUGHT)
        found[key] = Brought(there.used + one.used, there.carried + one.carried)
    return found


class PlansLeft:
    """What is left of a person's plans while several uses are decided one after the other.

    ``this_month``: what is left of a month goes over once it is over, so months to come get nothing yet. A month that is
    over holds no more than what later ones have not drawn of it. ``brought``: from before the lieu moved here.
    """

    def __init__(
        self,
        plans: Sequence[SubscriptionTerms],
        used: UsedOfPlans | None,
        this_month: date | None,
        brought: BroughtIntoPlans | None = None,
    ) -> None:
        self._plans, self._used, self._now = plans, dict(used or {}), this_month
        self._brought = brought or {}

    def take(self, use: PlannedUse) -> tuple[SubscriptionTerms, int | None] | None:
        """The first plan that holds all of ``use``, and what is left of it then (None: no limit); None: there is none."""
        unit = unit_of(use.kind)
        for plan in self._plans:
            if plan.applies(use) and self.holds(plan, unit, use.month, use.units):
                key = (plan.id, use.month, unit)
                self._used[key] = self._used.get(key, 0) + use.units
                return plan, self.left(plan, unit, use.month)
        return None

    def holds(self, plan: SubscriptionTerms, unit: Unit, month: date, units: int) -> bool:
        """Whether so many units more fit into the month, and into the later ones to which something of it went over."""
        left = self.left(plan, unit, month)
        if left is None:
            return True
        if left < units:
            return False
        if self._now is None or month >= self._now or not any(one.rollover(unit) for one in self._plans):
            return True
        with_it = {**self._used, (plan.id, month, unit): self.used(plan, unit, month) + units}
        after = PlansLeft(self._plans, with_it, self._now, self._brought)
        return all((after._left_of(unit, later) or 0) >= 0 for later in months_between(month, self._now))

    def used(self, plan: SubscriptionTerms, unit: Unit, month: date) -> int:
        return self._used.get((plan.id, month, unit), 0)

    def left(self, plan: SubscriptionTerms, unit: Unit, month: date) -> int | None:
        """What is left of a plan in ``month``, what went over into it included; less than nothing where it is overdrawn,
        None without limit."""
        given = plan.given(unit, month)
        if given is None:
            return None
        return given + self.carried(plan, unit, month) - self.used(plan, unit, month)

    def carried(self, plan: SubscriptionTerms, unit: Unit, month: date) -> int:
        """What went over into ``month`` from the one before it with a plan that this one follows."""
        most = plan.rollover(unit)
        if not most or plan.from_day is not None or self._now is None or month > self._now:
            return 0
        before = self._before(plan, month)
        if before is None:
            return min(most, self.brought(plan, unit, month).carried)
        return max(0, min(most, self._left_of(unit, before) or 0))

    def brought(self, plan: SubscriptionTerms, unit: Unit, month: date) -> Brought:
        """What was brought into a month of a plan from before the lieu moved here."""
        return self._brought.get((plan.id, month, unit), NOTHING_BROUGHT)

    def plan_of(self, month: date) -> SubscriptionTerms | None:
        """The person's plan in ``month``, without what a larger one adds to it."""
        return next((one for one in self._plans if one.is_of(month) and one.from_day is None), None)

    def begins_anew(self, plan: SubscriptionTerms, month: date) -> bool:
        """Whether no month before ``month`` is here from which anything could go over into it."""
        return self._before(plan, month) is None

    def with_brought(self, plan: SubscriptionTerms, month: date, brought: Mapping[Unit, Brought]) -> PlansLeft:
        """The same once so much more is ``brought`` into ``month``."""
        used, there = dict(self._used), dict(self._brought)
        for unit, one in brought.items():
            used[plan.id, month, unit] = self.used(plan, unit, month) + one.used
            there[plan.id, month, unit] = one
        return PlansLeft(self._plans, used, self._now, there)

    def _before(self, plan: SubscriptionTerms, month: date) -> date | None:
        """The last month before ``month`` with this plan, or with the one it replaced."""
        if plan.first_month < month:
            return month_after(month, -1)
        former = next((one for one in self._plans if one.id == plan.replaces_id), None)
        ended = former.last_month if former is not None else None
        return ended if ended is not None and ended < month else None

    def _left_of(self, unit: Unit, month: date) -> int | None:
        """What is left of all plans of a month together; None without limit."""
        lefts = [self.left(one, unit, month) for one in self._plans if one.is_of(month) and one.gives(unit)]
        return None if None in lefts else sum(one for one in lefts if one is not None)
