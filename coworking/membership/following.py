"""The plan that follows another: how the running one ends and what takes its place. Runs inside the caller's unit, which
has locked the person."""

from __future__ import annotations

from collections import Counter
from datetime import date

from sqlalchemy import select

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.formats import month_year
from coworking.core.months import month_after, month_of
from coworking.core.units import locked, require_unit
from coworking.membership import allowance_queries
from coworking.membership.beginning import ChangeTerms, PlanTerms, Taker, begin_plan
from coworking.membership.change_offers import terms_at_once, terms_to_follow
from coworking.membership.change_rules import BookedMoreThanPlan, NotAChange
from coworking.membership.models import STANDS, Plan, Subscription
from coworking.membership.rules import AlreadyEnded, MonthOutOfReach
from coworking.pricing.rules import Unit
from coworking.pricing.unit_words import amount_of
from coworking.spaces import queries as spaces


def running(person_id: int) -> Subscription:
    """The plan that runs this month and was not ended, locked, in the open unit; raises `NotFound`, `AlreadyEnded`."""
    month = month_of(spaces.today())
    rows = db.session.scalars(
        locked(
            select(Subscription)
            .where(Subscription.person_id == person_id, STANDS, Subscription.from_day.is_(None))
            .order_by(Subscription.id)
        )
    ).all()
    now_held = [row for row in rows if row.first_month <= month and (row.last_month is None or row.last_month >= month)]
    if not now_held:
        raise NotFound()
    if now_held[0].last_month is not None:
        raise AlreadyEnded()
    return now_held[0]


def change_terms(held: Subscription, wanted: Plan, taker: Taker) -> ChangeTerms:
    """What changing to ``wanted`` adds today; raises `OnlyFromNextMonth`, `NotAChange`, what `plan_terms` raises."""
    _check_other(held, wanted.id)
    return terms_at_once(held, wanted, taker)


def following_terms(held: Subscription, wanted: Plan, taker: Taker) -> PlanTerms:
    """``wanted`` as it would follow ``held``; raises `NotAChange` and what `terms_to_follow` raises."""
    _check_other(held, wanted.id)
    return terms_to_follow(held, wanted, taker)


def add_to_month(person_id: int, held: Subscription, terms: ChangeTerms) -> Subscription:
    """Let what the larger plan adds count from its day to the end of that month."""
    require_unit()
    added = Subscription(
        person_id=person_id,
        plan_id=terms.plan_id,
        name=terms.name,
        first_month=month_of(terms.from_day),
        last_month=month_of(terms.from_day),
        monthly_cents=terms.cents,
        basis=terms.basis,
        vat_rate_bp=terms.vat_rate_bp,
        halfdays_per_month=terms.halfdays,
        ended_at=now(),
        from_day=terms.from_day,
        replaces_id=held.id,
        room_minutes=terms.room_minutes,
    )
    db.session.add(added)
    db.session.flush()
    return added


def let_follow(held: Subscription, terms: PlanTerms, *, last_month: date, at_distance: bool = False) -> Subscription:
    """End ``held`` with ``last_month`` and let ``terms`` follow; raises `BookedMoreThanPlan`."""
    _check_booked(held.person_id, terms)
    held.last_month, held.ended_at = last_month, now()
    db.session.flush()
    return begin_plan(held.person_id, terms, replaces_id=held.id, at_distance=at_distance)


def _check_other(held: Subscription, plan_id: int) -> None:
    """A plan that is offered at another price since is another plan."""
    if held.plan_id == plan_id:
        raise NotAChange()


def _check_booked(person_id: int, terms: PlanTerms) -> None:
    """What is booked on a plan in the months from then on must fit into the one that follows."""
    of_plans = allowance_queries.used_by_month(person_id, terms.first_month, date.max).of_plan
    booked = Counter[tuple[date, Unit]]()
    for (_subscription, month, unit), count in of_plans.items():
        booked[month, unit] += count
    for (month, unit), count in sorted(booked.items()):
        limit = terms.halfdays_per_month if unit == "half_day" else terms.room_minutes or 0
        if limit is not None and count > limit:
            raise BookedMoreThanPlan(
                booked=amount_of(unit, count), month=month_year(month), limit=amount_of(unit, limit)
            )


def begin_change(person_id: int, terms: ChangeTerms, *, at_distance: bool = False) -> tuple[Subscription, Subscription]:
    """Let a change at once count as it was quoted: what is added to the month, and the plan that follows.

    Raises what `let_follow` raises, and `MonthOutOfReach` where the month of the quote is over.
    """
    held = running(person_id)
    if held.public_id != terms.replaces:
        raise AlreadyEnded()
    if month_of(terms.from_day) != month_of(spaces.today()):
        raise MonthOutOfReach()
    wanted = db.session.get_one(Plan, terms.plan_id)
    added = add_to_month(person_id, held, terms)
    # Who may take it was asked when it was quoted.
    following = terms_to_follow(held, wanted, Taker(person_id, by_team=True))
    last = month_after(following.first_month, -1)
    return added, let_follow(held, following, last_month=last, at_distance=at_distance)
