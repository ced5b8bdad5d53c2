"""The plan that follows another: how the running one ends and what takes its place. Runs inside the caller's unit, which
has locked the person."""

from __future__ import annotations

from sqlalchemy import select

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.formats import month_year
from coworking.core.months import month_after, month_of
from coworking.core.units import locked, require_unit
from coworking.membership import entitlement_queries
from coworking.membership.beginning import ChangeTerms, PlanTerms, begin_plan, plan_terms
from coworking.membership.change_offers import terms_at_once
from coworking.membership.change_rules import BookedMoreThanPlan, NotAChange
from coworking.membership.models import STANDS, LedgerEntry, Plan, Subscription
from coworking.membership.rules import AlreadyEnded, MonthOutOfReach
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


def change_terms(held: Subscription, wanted: Plan) -> ChangeTerms:
    """What changing to ``wanted`` adds today; raises `OnlyFromNextMonth`, `NotAChange`, `PlanClosed`."""
    _check_other(held, wanted.id)
    return terms_at_once(held, wanted)


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
    )
    db.session.add(added)
    db.session.flush()
    return added


def let_follow(held: Subscription, terms: PlanTerms) -> Subscription:
    """End ``held`` with this month and let ``terms`` follow; raises `NotAChange`, `BookedMoreThanPlan`."""
    if terms.first_month == month_after(spaces.today()):
        _check_other(held, terms.plan_id)
    _check_booked(held.person_id, terms)
    held.last_month, held.ended_at = month_of(spaces.today()), now()
    db.session.flush()
    return begin_plan(held.person_id, terms, replaces_id=held.id)


def _check_other(held: Subscription, plan_id: int) -> None:
    """A plan that is offered at another price since is another plan."""
    if held.plan_id == plan_id:
        raise NotAChange()


def _check_booked(person_id: int, terms: PlanTerms) -> None:
    if terms.halfdays_per_month is None:
        return
    booked = db.session.execute(
        select(LedgerEntry.month, entitlement_queries.USED)
        .where(
            LedgerEntry.person_id == person_id,
            LedgerEntry.subscription_id.is_not(None),
            LedgerEntry.month >= terms.first_month,
        )
        .group_by(LedgerEntry.month)
        .order_by(LedgerEntry.month)
    )
    for month, count in booked:
        if count > terms.halfdays_per_month:
            raise BookedMoreThanPlan(booked=count, month=month_year(month), limit=terms.halfdays_per_month)


def begin_change(person_id: int, terms: ChangeTerms) -> tuple[Subscription, Subscription]:
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
    return added, let_follow(held, plan_terms(wanted, month_after(spaces.today())))
