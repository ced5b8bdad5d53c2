"""Withdrawing from a plan: whose it is, what it is owed for, and its end. Runs inside the caller's unit.

What it comes to in money is billing's (`coworking.billing.withdrawals`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.months import month_end, month_of
from coworking.core.units import locked, require_unit
from coworking.membership import withdrawal_queries
from coworking.membership.change_rules import CHANGE_OF_MIND
from coworking.membership.changing import let_go_on
from coworking.membership.models import Pack, Subscription
from coworking.membership.withdrawal_rules import BookedOnIt, ChangedSince, NotSoldAtDistance, check_sent_on
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class PlanEnd:
    """How a withdrawal ends the ``parts`` of a plan: after ``until``; None: as if they had never begun."""

    parts: Sequence[Subscription]
    until: date | None


def check_right(row: Subscription | Pack, sent_on: date) -> None:
    """Raise `NotSoldAtDistance`, `LetterDayWrong` or `WithdrawalOver` unless a decision sent on that day counts."""
    if not row.at_distance:
        raise NotSoldAtDistance()
    check_sent_on(sent_on, withdrawal_queries.contract_day(row), spaces.today(), withdrawal_queries.is_holiday)


def plan_end(taken: Subscription, sent_on: date) -> PlanEnd:
    """How withdrawing from ``taken`` ends it. Raises what `check_right` raises, `ChangedSince`, `BookedOnIt`.

    It is owed until the decision was sent, or until it was used last, whichever is later. Within the ten minutes in which
    a plan can be taken back, and before it begins, nothing is owed.
    """
    check_right(taken, sent_on)
    if (following := withdrawal_queries.follower_of(taken)) is not None:
        raise ChangedSince(name=following.name)
    parts = withdrawal_queries.parts_of(taken)
    if (booked := withdrawal_queries.last_day_booked(parts)) is not None:
        raise BookedOnIt(day=booked)
    begins = min(withdrawal_queries.days_of_plan(row, row.first_month)[0] for row in parts)
    is_new = sent_on < begins or now() - taken.created_at <= CHANGE_OF_MIND
    if is_new and withdrawal_queries.is_untouched(parts):
        return PlanEnd(parts, None)
    return PlanEnd(parts, max(sent_on, withdrawal_queries.last_day_used(parts) or sent_on))


def lock_plan(taken: Subscription) -> Subscription:
    """The plan and what was added with it, under their locks and read anew."""
    require_unit()
    ids = [row.id for row in withdrawal_queries.parts_of(taken)]
    db.session.scalars(locked(select(Subscription).where(Subscription.id.in_(ids)).order_by(Subscription.id))).all()
    return taken


def end_plan(end: PlanEnd) -> None:
    """Let the plan give nothing any more; the one that ended for it goes on where it has not begun."""
    taken, until = end.parts[-1], end.until
    for row in end.parts:
        if until is None or row.first_month > until:
            row.withdrawn_at = now()
        elif row.last_month is None or until < month_end(row.last_month):
            row.last_month, row.ends_on, row.ended_at = month_of(until), until, now()
    db.session.flush()
    if taken.withdrawn_at is not None:
        let_go_on(taken)
