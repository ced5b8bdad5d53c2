"""Reading what a person can do with the plan they have: change it, let it rest, take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coworking.core.clock import now
from coworking.core.months import month_of
from coworking.membership import queries
from coworking.membership.beginning import ChangeTerms, PlanTerms, plan_terms
from coworking.membership.change_rules import MonthlyTerms, OnlyFromNextMonth, may_be_taken_back, supplement
from coworking.membership.models import Plan, Subscription
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class PlanToChangeTo:
    """A plan that can be changed to; ``added``: what it adds to this month, None where it can only begin with the next."""

    plan: Plan
    added: ChangeTerms | None


def running_in(subscriptions: Sequence[Subscription]) -> Subscription | None:
    """The plan among a person's ``subscriptions`` that runs this month and goes on."""
    month = month_of(spaces.today())
    return next((row for row in subscriptions if row.last_month is None and row.first_month <= month), None)


def changeable(person_id: int) -> Subscription | None:
    """The plan of a person that can be changed or rest (1 statement)."""
    return running_in(queries.subscriptions_of(person_id))


def terms_at_once(held: Subscription, plan: Plan) -> ChangeTerms:
    """What changing from ``held`` to ``plan`` adds today; raises `OnlyFromNextMonth`, `PlanClosed`."""
    terms = plan_terms(plan, spaces.today())
    added = supplement(_monthly(held), _monthly(terms), spaces.today())
    if added is None:
        raise OnlyFromNextMonth()
    return ChangeTerms(
        plan_id=plan.id,
        name=plan.name,
        from_day=added.first,
        cents=added.cents,
        basis=terms.basis,
        vat_rate_bp=terms.vat_rate_bp,
        halfdays=added.halfdays,
        replaces=held.public_id,
    )


def _monthly(held: Subscription | PlanTerms) -> MonthlyTerms:
    return MonthlyTerms(held.monthly_cents, held.basis, held.vat_rate_bp, held.halfdays_per_month)


def others(held: Subscription | None, plans: Sequence[Plan]) -> list[PlanToChangeTo]:
    """The ``plans`` on offer that ``held`` can be changed to."""
    if held is None:
        return []
    found = []
    for plan in plans:
        if plan.id == held.plan_id:
            continue
        try:
            added = terms_at_once(held, plan)
        except OnlyFromNextMonth:
            added = None
        found.append(PlanToChangeTo(plan, added))
    return found


def to_keep(subscriptions: Sequence[Subscription]) -> set[str]:
    """The public ids of those ``subscriptions`` that end and can go on after all: none that another follows."""
    goes_on = any(row.last_month is None for row in subscriptions)
    return {row.public_id for row in subscriptions if row.from_day is None and not goes_on}


def to_take_back(subscriptions: Sequence[Subscription]) -> set[str]:
    """The public ids of those ``subscriptions`` that are so new, or so far away, that they can be taken back."""
    today, instant = spaces.today(), now()
    return {
        row.public_id
        for row in subscriptions
        if row.from_day is None and may_be_taken_back(row.first_month, row.created_at, today, instant)
    }
