"""What taking a plan means: its first month, its minimum term, who can take it, what a month costs whom. Plain decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from coworking.core.errors import N_, DomainError
from coworking.core.money import divide_half_up
from coworking.core.months import month_after, month_end, month_of, months_between
from coworking.pricing.group_rules import GroupPrices, PriceFor, price_for

TakenBy = Literal["adherents", "group", "team"]
TAKEN_BY: tuple[TakenBy, ...] = ("adherents", "group", "team")
"""Who can take a plan by themselves where it is not for anyone: members of the association, who belongs to a group of
reduced prices, nobody (the team gives it)."""

MIN_MONTHS = range(2, 13)
"""How many months a minimum term may have."""


class PlanForAdherents(DomainError):
    code = "plan_for_adherents"
    status = 403
    message = N_("This plan is for members of the association.")


class PlanForGroup(DomainError):
    code = "plan_for_group"
    status = 403
    message = N_("This plan is for those who have the reduced price “%(group)s”.")


class PlanGivenByTeam(DomainError):
    code = "plan_given_by_team"
    status = 403
    message = N_("Ask the team for this plan.")


class Monthly(Protocol):
    """What a subscription costs."""

    @property
    def first_month(self) -> date: ...
    @property
    def plan_id(self) -> int: ...
    @property
    def monthly_cents(self) -> int: ...
    @property
    def first_cents(self) -> int | None: ...
    @property
    def reduced_cents(self) -> int | None: ...
    @property
    def price_group_id(self) -> int | None: ...
    @property
    def has_trial(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class FirstMonth:
    """What the month counts in which a plan begins: from ``begins_on`` (None: all of it), with ``cents`` (None: as any
    other), ``halfdays`` and ``room_minutes`` where it is a part of one. ``is_trial``: the trial's price is asked."""

    begins_on: date | None = None
    cents: int | None = None
    halfdays: int | None = None
    room_minutes: int | None = None
    is_trial: bool = False


def first_month_of(
    *,
    day: date,
    first_month: date,
    price_cents: int,
    trial_cents: int | None,
    is_prorata: bool,
    halfdays: int | None,
    room_minutes: int | None,
) -> FirstMonth:
    """The first month of a plan that is taken on ``day`` at ``price_cents`` a month; ``trial_cents``: where one is due.

    A part of a month costs by its days, that day included, halves of a cent up; what it gives is rounded up.
    """
    is_trial = trial_cents is not None and trial_cents < price_cents
    cents = trial_cents if is_trial and trial_cents is not None else price_cents
    if not is_prorata or month_of(day) != first_month or day.day == 1:
        return FirstMonth(cents=cents if is_trial else None, is_trial=is_trial)
    days, left = month_end(day).day, month_end(day).day - day.day + 1
    return FirstMonth(
        begins_on=day,
        cents=divide_half_up(cents * left, days),
        halfdays=None if halfdays is None else -(-halfdays * left // days),
        room_minutes=None if room_minutes is None else -(-room_minutes * left // days),
        is_trial=is_trial,
    )


def bound_until(first_month: date, min_months: int | None) -> date | None:
    """The last month of a minimum term that begins with ``first_month``; None without one."""
    return None if min_months is None else month_after(first_month, min_months - 1)


def later(one: date | None, other: date | None) -> date | None:
    """The later of two ends of a term, each None where there is none."""
    return max((end for end in (one, other) if end is not None), default=None)


def last_month_when_ending(today: date, first_month: date, bound: date | None, *, has_trial: bool = False) -> date:
    """The month a plan ends with when its end is asked for: this one, its first when that is to come, or the last of its
    minimum term. In the first month of a trial it ends with that."""
    now_or_first = max(month_of(today), first_month)
    if has_trial and now_or_first == first_month:
        return first_month
    return now_or_first if bound is None else max(now_or_first, bound)


def changes_from(today: date, bound: date | None, *, is_cheaper: bool) -> date:
    """The month from which another plan can follow: the next one, or for less money the one after the minimum term."""
    following = month_after(month_of(today))
    return following if bound is None or not is_cheaper else max(following, month_after(bound))


def bound_after_pause(bound: date | None, today: date, back: date) -> date | None:
    """The last month of the minimum term of a plan that rests until ``back``: what was left of the term comes then."""
    if bound is None or bound <= month_of(today):
        return None
    left = len(months_between(month_after(month_of(today)), bound))
    return month_after(back, left - 1)


def month_price(held: Monthly, month: date, groups: Iterable[GroupPrices]) -> PriceFor:
    """What ``month`` of a plan costs; ``groups``: those to which the person belongs on its first day.

    The first month costs what was said when the plan was taken. Later the least counts: the price agreed, the reduced price
    agreed while the person still belongs to its group, and what their groups get now.
    """
    groups = list(groups)
    if month == held.first_month:
        cents = held.first_cents
        if cents is None:
            cents = held.monthly_cents if held.reduced_cents is None else held.reduced_cents
        return PriceFor(cents, held.monthly_cents, None if held.has_trial else held.price_group_id)
    found = price_for(groups, "plan", held.monthly_cents, held.plan_id)
    agreed = next((one for one in groups if one.group_id == held.price_group_id), None)
    if agreed is not None and held.reduced_cents is not None and held.reduced_cents < found.cents:
        return PriceFor(held.reduced_cents, held.monthly_cents, agreed.group_id, agreed.name)
    return found
