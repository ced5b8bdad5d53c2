"""Change, pause and take back a plan. Each public function that an actor calls is one unit of work.

A subscription's terms are frozen, so a change ends it with its month and another one follows. What a larger plan adds
to the month that runs is a subscription of that month alone, from a day on. Half-days that are booked in later months
stay booked on the former plan and count in the one that follows (`queries.entitlements_of`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date

from sqlalchemy import func, select

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError, NotFound
from coworking.core.months import month_after, month_end, month_of
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.membership import allowance_queries, news
from coworking.membership.access import record, subject
from coworking.membership.beginning import PlanTerms, Taker, check_no_plan, check_price, find_plan
from coworking.membership.change_rules import TooLateToTakeBack, UsedAlready, check_back, may_be_taken_back
from coworking.membership.following import begin_change, change_terms, following_terms, let_follow, running
from coworking.membership.models import STANDS, LedgerEntry, Subscription
from coworking.membership.pausing import lifts_pause
from coworking.membership.paying_first import PLAN, check_not_asked, let_go_of
from coworking.membership.plan_rules import bound_after_pause
from coworking.membership.rules import AlreadyEnded, BookedWhileResting
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces

before_taking_back: list[Callable[[Subscription], None]] = []
"""What other packages do before a subscription is taken back, in its unit; they raise where it is too late for them."""


def change_plan(
    actor: Actor,
    plan: str,
    *,
    at_once: bool,
    agreed_cents: int | None = None,
    person: str | None = None,
) -> Subscription:
    """Change one's running plan, or as a manager anyone's, to another, from the next month on; to a cheaper one once the
    minimum term is over.

    ``at_once``: what the larger plan adds to this month counts from today and is charged for the days that are left.
    Raises `NotAChange`, `OnlyFromNextMonth`, `BookedMoreThanPlan`, `PlanClosed`, `PriceChanged`; `MustBePaidFirst` where
    the lieu asks who changes their own plan to pay what is added before (`paying_first.sell_change`).
    """
    with write_unit() as unit:
        who = subject(actor, person)
        held, wanted = running(who.id), find_plan(plan)
        taker = Taker(who.id, by_team=person is not None)
        if at_once:
            terms = change_terms(held, wanted, taker)
            check_price(terms, agreed_cents)
            if person is None:
                check_not_asked(terms.payable_cents)
            _added, following = begin_change(who.id, terms, at_distance=person is None)
            let_go_of(PLAN, who.id)
        else:
            then = following_terms(held, wanted, taker)
            last = month_after(then.first_month, -1)
            following = let_follow(held, then, last_month=last, at_distance=person is None)
        news.tell("changed", following)
        record(actor, "subscription.changed", ("subscription", following.id), who.id, at_once=at_once)
        unit.result = following.public_id
    return following


def pause(actor: Actor, *, back: date, person: str | None = None) -> Subscription:
    """Let one's running plan, or as a manager anyone's, rest from the next month until the month ``back``.

    It goes on then on the terms it has; what is left of its minimum term comes then. Raises `PauseOutOfReach`,
    `BookedWhileResting` while half-days of the months between are booked on it.
    """
    with write_unit() as unit:
        who = subject(actor, person)
        held = running(who.id)
        check_back(back, spaces.today())
        booked = db.session.scalar(
            select(func.max(Quote.day)).where(
                Quote.subscription_id == held.id,
                Quote.state != "released",
                Quote.day > month_end(spaces.today()),
                Quote.day < back,
            )
        )
        if booked is not None:
            raise BookedWhileResting(last=booked)
        same = replace(
            PlanTerms.held(held),
            first_month=back,
            bound_until=bound_after_pause(held.bound_until, spaces.today(), back),
            first_cents=None,
            first_halfdays=None,
            first_room_minutes=None,
            begins_on=None,
            has_trial=None,
        )
        following = let_follow(held, same, last_month=month_of(spaces.today()))
        news.tell("paused", following)
        record(actor, "subscription.paused", ("subscription", following.id), who.id, back=back.isoformat())
        unit.result = following.public_id
    return following


def take_back(actor: Actor, public_id: str, person: str | None = None) -> bool:
    """Take back a plan that was just taken or has not begun; the one that ended for it goes on. Twice is fine.

    Returns whether that lifted a pause.

    Raises `TooLateToTakeBack`, `UsedAlready`, and what `before_taking_back` raises.
    """
    with write_unit():
        who = subject(actor, person)
        taken = db.session.scalar(
            locked(select(Subscription).where(Subscription.public_id == public_id, Subscription.person_id == who.id))
        )
        if taken is None or taken.from_day is not None:
            raise NotFound()
        former = None if taken.replaces_id is None else db.session.get(Subscription, taken.replaces_id)
        is_lifted = lifts_pause(former, taken)
        if taken.withdrawn_at is not None:
            return is_lifted
        if not may_be_taken_back(taken.first_month, taken.created_at, spaces.today(), now()):
            raise TooLateToTakeBack()
        added = added_with(taken)
        if added is not None and may_be_taken_back(added.first_month, added.created_at, spaces.today(), now()):
            with suppress(DomainError):  # what is used or invoiced already stays, as it does later
                _withdraw(added)
        _withdraw(taken)
        let_go_on(taken)
        news.tell("pause_lifted" if is_lifted else "taken_back", taken)
        what = "subscription.pause_lifted" if is_lifted else "subscription.taken_back"
        record(actor, what, ("subscription", taken.id), who.id)
    return is_lifted


def keep(actor: Actor, public_id: str, person: str | None = None) -> Subscription:
    """Let a plan go on that was to end with this month or a later one. Twice is fine.

    Raises `AlreadyEnded` once it is over, `AlreadySubscribed` where another one follows.
    """
    with write_unit():
        who = subject(actor, person)
        held = db.session.scalar(
            locked(
                select(Subscription).where(
                    Subscription.public_id == public_id,
                    Subscription.person_id == who.id,
                    Subscription.from_day.is_(None),
                    STANDS,
                )
            )
        )
        if held is None:
            raise NotFound()
        if held.last_month is None:
            return held
        if held.last_month < month_of(spaces.today()) or held.ends_on is not None:
            raise AlreadyEnded()
        check_no_plan(who.id, month_after(held.last_month))
        held.last_month, held.ended_at = None, None
        news.tell("kept", held)
        record(actor, "subscription.kept", ("subscription", held.id), who.id)
    return held


# Within the unit ------------------------------------------------------------------------------------------------------


def added_with(taken: Subscription) -> Subscription | None:
    """What was added to the month by the change that ``taken`` follows from."""
    if taken.replaces_id is None:
        return None
    return db.session.scalar(
        locked(
            select(Subscription).where(
                Subscription.replaces_id == taken.replaces_id, Subscription.from_day.is_not(None), STANDS
            )
        )
    )


def _withdraw(taken: Subscription) -> None:
    used = db.session.scalar(select(allowance_queries.USED).where(LedgerEntry.subscription_id == taken.id))
    if used:
        raise UsedAlready()
    for before in before_taking_back:
        before(taken)
    taken.withdrawn_at = now()
    db.session.flush()


def let_go_on(taken: Subscription) -> None:
    """The plan that ended for ``taken`` goes on, unless a month has passed without it."""
    if taken.replaces_id is None:
        return
    former = db.session.scalars(locked(select(Subscription).where(Subscription.id == taken.replaces_id))).one()
    assert former.last_month is not None, "it ended for what is taken back"
    following = month_after(former.last_month)
    if following < month_of(spaces.today()):
        return
    check_no_plan(taken.person_id, following)
    former.last_month, former.ended_at = None, None
    db.session.flush()
