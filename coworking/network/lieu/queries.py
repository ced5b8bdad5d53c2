"""The head this lieu sends to, and what became of what it sent."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from coworking.core.db import db
from coworking.network.lieu.models import Delivery, HeadLink


def head_link() -> HeadLink | None:
    """The head this lieu sends to; None when it belongs to no network (any more)."""
    return db.session.scalar(select(HeadLink).where(HeadLink.ended_at.is_(None)))


def delivery(month: date, revision: int) -> Delivery | None:
    """What became of one revision; None before it was planned to be sent."""
    return db.session.get(Delivery, (month, revision))


def last_delivery(month: date) -> Delivery | None:
    """What became of the highest revision of ``month`` that was to be sent."""
    return db.session.scalar(
        select(Delivery).where(Delivery.month == month).order_by(Delivery.revision.desc()).limit(1)
    )


def deliveries(limit: int = 12) -> list[Delivery]:
    """The latest months' deliveries, newest first, without those that a later revision replaced."""
    return list(
        db.session.scalars(
            select(Delivery)
            .where(Delivery.state != "replaced")
            .order_by(Delivery.month.desc(), Delivery.revision.desc())
            .limit(limit)
        )
    )
