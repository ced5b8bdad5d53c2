"""What somebody brings into a month of their plan from before the lieu moved here: whether it can be. Plain decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from coworking.core.errors import N_, DomainError
from coworking.membership.allowance_rules import NOTHING_BROUGHT, Brought, PlansLeft, SubscriptionTerms
from coworking.pricing.rules import UNITS, Unit


class NoPlanThatMonth(DomainError):
    code = "no_plan_that_month"
    message = N_(
        "This person has no plan in that month. Import the subscriptions first, or write the month in which they have one."
    )


class MonthToCome(DomainError):
    code = "month_to_come"
    message = N_("This month is still to come: nothing of it can be used yet.")


class MoreThanPlan(DomainError):
    code = "more_than_plan"
    message = N_(
        "This is more than “%(name)s” holds in that month, with what is used or booked here already. "
        "Look whether it is another plan, or another month."
    )


class MoreThanGoesOver(DomainError):
    code = "more_than_goes_over"
    message = N_("“%(name)s” lets less than this go over from the month before, or nothing at all.")


class WorkedOutHere(DomainError):
    code = "worked_out_here"
    message = N_(
        "“%(name)s” was here the month before: what came over into that month is worked out here. Leave it out on this line."
    )


class BroughtOtherwise(DomainError):
    code = "brought_otherwise"
    message = N_("Something else was imported for this person and that month before. It stays as it was.")


@dataclass(frozen=True, slots=True)
class MonthOpening:
    """What is ``brought`` into a ``month``, in each unit of which there is any."""

    month: date
    brought: Mapping[Unit, Brought]


def is_here(opening: MonthOpening, left: PlansLeft) -> bool:
    """Whether just this was brought into the month before; raises `BroughtOtherwise` where something else was."""
    plan = left.plan_of(opening.month)
    if plan is None:
        return False
    there = [(left.brought(plan, unit, opening.month), opening.brought.get(unit, NOTHING_BROUGHT)) for unit in UNITS]
    if all(one == NOTHING_BROUGHT for one, _said in there):
        return False
    if any(one != said for one, said in there):
        raise BroughtOtherwise()
    return True


def check_opening(opening: MonthOpening, left: PlansLeft, this_month: date) -> SubscriptionTerms:
    """The plan into which ``opening`` is brought; raises what hinders it. ``left``: of the person's plans."""
    if opening.month > this_month:
        raise MonthToCome()
    plan = left.plan_of(opening.month)
    if plan is None:
        raise NoPlanThatMonth()
    for unit, one in opening.brought.items():
        if one.carried and not left.begins_anew(plan, opening.month):
            raise WorkedOutHere(name=plan.name)
        if one.carried > plan.rollover(unit):
            raise MoreThanGoesOver(name=plan.name)
    with_it = left.with_brought(plan, opening.month, opening.brought)
    for unit in opening.brought:
        if not with_it.holds(plan, unit, opening.month, 0):
            raise MoreThanPlan(name=plan.name)
    return plan
