"""Plans that rest: a plan that ended for some months and the same plan that goes on afterwards, read as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from coworking.core.months import month_after, month_of
from coworking.membership.models import Subscription
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class PlanPause:
    """A plan that rests from the month ``since``: what ended for it, and what goes on ``after``.

    ``can_be_lifted``: no month has passed without it.
    """

    before: Subscription
    after: Subscription
    since: date
    can_be_lifted: bool


def lifts_pause(former: Subscription | None, taken: Subscription) -> bool:
    """Whether taking ``taken`` back lets ``former`` go on as if it had never rested; a change has another plan."""
    return former is not None and former.plan_id == taken.plan_id and _has_no_gap(former)


def with_pauses(
    running: Sequence[Subscription], subscriptions: Sequence[Subscription]
) -> tuple[list[Subscription], dict[int, PlanPause]]:
    """The ``running`` ones, a plan that rests once, and the pauses by the id of the one that tells of it.

    ``subscriptions``: all of the same people's that are known.
    """
    found = _pauses(subscriptions)
    resumed = [one.after for one in found if one.before in running]  # said where the plan that rests is
    by_id = {(one.before if one.after in resumed else one.after).id: one for one in found}
    return [row for row in running if row not in resumed], by_id


def _pauses(subscriptions: Sequence[Subscription]) -> list[PlanPause]:
    by_id, month = {row.id: row for row in subscriptions}, month_of(spaces.today())
    return [
        PlanPause(former, row, month_after(former.last_month), can_be_lifted=_has_no_gap(former))
        for row in subscriptions
        if row.first_month > month
        and (former := by_id.get(row.replaces_id or 0)) is not None
        and former.last_month is not None
        and former.plan_id == row.plan_id
    ]


def _has_no_gap(former: Subscription) -> bool:
    return former.last_month is None or month_after(former.last_month) >= month_of(spaces.today())
