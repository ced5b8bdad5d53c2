"""Reading the head this lieu sends to, and the state of its returns."""

from __future__ import annotations

from datetime import date

from sqlalchemy import and_, exists, func, select

from coworking.core.db import db
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.statistics.models import MonthlyReturn


def head_link() -> HeadLink | None:
    """The head this lieu sends to; None when it belongs to no network (any more)."""
    return db.session.scalar(select(HeadLink).where(HeadLink.ended_at.is_(None)))


def delivery(month: date, revision: int) -> Delivery | None:
    """What became of one revision; None before it was planned to be sent."""
    return db.session.get(Delivery, (month, revision))


def last_delivery(head: HeadLink, month: date) -> Delivery | None:
    """What became of the highest revision of ``month`` that was to be sent to ``head``."""
    return db.session.scalar(
        select(Delivery)
        .where(Delivery.month == month, Delivery.recipient == head.recipient)
        .order_by(Delivery.revision.desc())
        .limit(1)
    )


def never_sent(head: HeadLink | None) -> list[MonthlyReturn]:
    """The closed months' highest revisions that were never on their way to ``head``, oldest first; all for nobody."""
    highest = (
        select(MonthlyReturn.month, func.max(MonthlyReturn.revision).label("revision"))
        .group_by(MonthlyReturn.month)
        .subquery()
    )
    found = (
        select(MonthlyReturn)
        .join(highest, and_(MonthlyReturn.month == highest.c.month, MonthlyReturn.revision == highest.c.revision))
        .order_by(MonthlyReturn.month)
    )
    if head is not None:
        sent = exists().where(
            Delivery.month == MonthlyReturn.month,
            Delivery.revision == MonthlyReturn.revision,
            Delivery.recipient == head.recipient,
        )
        found = found.where(~sent)
    return list(db.session.scalars(found))


def deliveries(head: HeadLink, limit: int = 12) -> list[Delivery]:
    """The latest months' deliveries to ``head``, newest first, without those that a later revision replaced."""
    return list(
        db.session.scalars(
            select(Delivery)
            .where(Delivery.state != "replaced", Delivery.recipient == head.recipient)
            .order_by(Delivery.month.desc(), Delivery.revision.desc())
            .limit(limit)
        )
    )
