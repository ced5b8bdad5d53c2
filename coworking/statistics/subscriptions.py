"""Subscriptions in force, those who joined, those who left."""

from __future__ import annotations

from datetime import date

from sqlalchemy import exists, or_, select

from coworking.core.db import db
from coworking.core.months import month_after, month_before
from coworking.membership.models import STANDS, Plan, Subscription
from coworking.statistics.months import Subscriptions


def of_month(month: date) -> Subscriptions | None:
    """Subscriptions of the month of ``month`` (its first day); None where the lieu never had a plan to subscribe to.

    Who changes plans within the month counts once, and neither joins nor leaves: joined had none the month before, left
    has none the month after.
    """
    before, after = month_before(month), month_after(month)
    rows = db.session.execute(
        select(Subscription.person_id, Subscription.first_month, Subscription.last_month).where(
            STANDS,
            Subscription.first_month <= after,
            or_(Subscription.last_month.is_(None), Subscription.last_month >= before),
        )
    ).all()
    if not rows and not db.session.scalar(select(exists(select(Plan.id)))):
        return None

    def people(on: date) -> list[int]:
        return sorted({person for person, first, last in rows if first <= on and (last is None or on <= last)})

    now = people(month)
    return Subscriptions(
        active=len(now),
        joined=len(set(now) - set(people(before))),
        left=len(set(now) - set(people(after))),
    )
