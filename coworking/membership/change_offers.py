"""Reading what a person can do with the plan they have: change it, keep it, take it back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

from coworking.core.clock import now
from coworking.core.errors import DomainError
from coworking.core.formats import month_year
from coworking.core.months import month_after, month_of
from coworking.membership import queries
from coworking.membership.beginning import ChangeTerms, PlanTerms, Taker, plan_terms
from coworking.membership.change_rules import (
    MonthlyTerms,
    OnlyAfterTerm,
    OnlyFromNextMonth,
    may_be_taken_back,
    supplement,
)
from coworking.membership.models import Plan, Subscription
from coworking.membership.plan_rules import (
    PlanForAdherents,
    PlanForGroup,
    PlanGivenByTeam,
    bound_until,
    changes_from,
    last_month_when_ending,
    later,
)
from coworking.spaces import queries as spaces

not_to_take_back: list[Callable[[Collection[int]], set[int]]] = []
"""Which of new subscriptions (their ids) the packages above do not let go: see `coworking.membership.changing`."""


@dataclass(frozen=True, slots=True)
class PlanToChangeTo:
    """A plan that can be changed to; ``added``: what it adds to this month, None where it can only begin later, ``terms``:
    the plan as it would follow, from its first month on."""

    plan: Plan
    added: ChangeTerms | None
    terms: PlanTerms


def running_in(subscriptions: Sequence[Subscription]) -> Subscription | None:
    """The plan among a person's ``subscriptions`` that runs this month and goes on."""
    month = month_of(spaces.today())
    return next((row for row in subscriptions if row.last_month is None and row.first_month <= month), None)


def changeable(person_id: int) -> Subscription | None:
    """The plan of a person that can be changed or rest (1 statement)."""
    return running_in(queries.subscriptions_of(person_id))


def ends_with(held: Subscription) -> date:
    """The month with which a plan would end today."""
    return last_month_when_ending(spaces.today(), held.first_month, held.bound_until, has_trial=bool(held.has_trial))


def terms_at_once(held: Subscription, plan: Plan, taker: Taker) -> ChangeTerms:
    """What changing from ``held`` to ``plan`` adds today.

    Raises `OnlyFromNextMonth`, `OnlyAfterTerm` for a cheaper one while ``held`` is bound, and what `plan_terms` raises.
    """
    terms = plan_terms(plan, spaces.today(), taker, is_new=False)
    first = _changes_from(held, terms)
    if first > month_after(month_of(spaces.today())):
        raise OnlyAfterTerm(month=month_year(first))
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
        room_minutes=added.room_minutes or None,
    )


def terms_to_follow(held: Subscription, plan: Plan, taker: Taker) -> PlanTerms:
    """``plan`` as it would follow ``held``: from the next month, for less money once the minimum term is over.

    What is left of that term goes on in the other plan. Raises what `plan_terms` raises.
    """
    terms = plan_terms(plan, spaces.today(), taker, is_new=False)
    first = _changes_from(held, terms)
    still_bound = held.bound_until if held.bound_until is not None and held.bound_until >= first else None
    return replace(terms, first_month=first, bound_until=later(bound_until(first, plan.min_months), still_bound))


def _changes_from(held: Subscription, terms: PlanTerms) -> date:
    is_cheaper = _monthly(terms).is_cheaper_than(_monthly(held))
    return changes_from(spaces.today(), held.bound_until, is_cheaper=is_cheaper)


def _monthly(held: Subscription | PlanTerms) -> MonthlyTerms:
    cents = held.monthly_cents if held.reduced_cents is None else held.reduced_cents
    return MonthlyTerms(cents, held.basis, held.vat_rate_bp, held.halfdays_per_month, held.room_minutes or 0)


def others(held: Subscription | None, plans: Sequence[Plan], *, by_team: bool) -> list[PlanToChangeTo]:
    """The ``plans`` on offer that ``held`` can be changed to."""
    if held is None:
        return []
    found, taker = [], Taker(held.person_id, by_team=by_team)
    for plan in plans:
        if plan.id == held.plan_id:
            continue
        with suppress(PlanForAdherents, PlanForGroup, PlanGivenByTeam):
            following = terms_to_follow(held, plan, taker)
            try:
                added = terms_at_once(held, plan, taker)
            except OnlyFromNextMonth:
                added = None
            found.append(PlanToChangeTo(plan, added, following))
    return found


@dataclass(frozen=True, slots=True)
class PlanToTake:
    """A plan on offer as one person would have it, from this month (``now``) or the next (``then``); with neither, ``why``
    they cannot take it."""

    plan: Plan
    now: PlanTerms | None
    then: PlanTerms | None
    why: DomainError | None = None


def to_take(person_id: int, plans: Sequence[Plan], *, by_team: bool) -> list[PlanToTake]:
    """The ``plans`` on offer as a person would have them; what only the team gives is left out for who may not."""
    found, taker, month = [], Taker(person_id, by_team=by_team), month_of(spaces.today())
    for plan in plans:
        try:
            terms = (plan_terms(plan, month, taker), plan_terms(plan, month_after(month), taker))
        except PlanGivenByTeam:
            continue
        except (PlanForAdherents, PlanForGroup) as refusal:
            found.append(PlanToTake(plan, None, None, refusal))
        else:
            found.append(PlanToTake(plan, *terms))
    return found


def to_keep(subscriptions: Sequence[Subscription]) -> set[str]:
    """The public ids of those ``subscriptions`` that end and can go on after all: none that another follows."""
    goes_on = any(row.last_month is None for row in subscriptions)
    return {row.public_id for row in subscriptions if row.from_day is None and row.ends_on is None and not goes_on}


def to_take_back(subscriptions: Sequence[Subscription]) -> set[str]:
    """The public ids of those ``subscriptions`` that are so new, or so far away, that they can be taken back."""
    today, instant = spaces.today(), now()
    new = {
        row.id: row.public_id
        for row in subscriptions
        if row.from_day is None and may_be_taken_back(row.first_month, row.created_at, today, instant)
    }
    stuck = {row_id for said in not_to_take_back if new for row_id in said(new)}
    return {word for row_id, word in new.items() if row_id not in stuck}
