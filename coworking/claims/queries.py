"""Reading who holds what. Every query reads one day's neighbourhood, however long the history is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, literal_column, or_, select

from coworking.claims.models import Claim, DayVersion
from coworking.claims.rules import LONG
from coworking.core.db import db
from coworking.core.timespan import Span

_LONG: ColumnElement[bool] = literal_column("claim.long")
_SHORT: ColumnElement[bool] = literal_column("NOT claim.long")


def overlapping(span: Span) -> ColumnElement[bool]:
    """The condition that a claim's guarded range overlaps ``span``, in a form that indexes can bound from below.

    ``long`` stands bare: SQLite takes the index of long claims only for the very words of that index's condition, and
    without it reads every claim there ever was.
    """
    return or_(
        and_(
            _SHORT,
            Claim.starts_at < span.end,
            Claim.starts_at >= span.start - LONG,
            Claim.ends_at > span.start,
        ),
        and_(_LONG, Claim.starts_at < span.end, Claim.ends_at > span.start),
    )


def in_force(instant: datetime) -> ColumnElement[bool]:
    """The condition that a claim holds its resource at ``instant``: live, and not an expired hold."""
    return and_(Claim.live.is_(True), or_(Claim.expires_at.is_(None), Claim.expires_at > instant))


def taken(resource_ids: Collection[int], span: Span, instant: datetime) -> list[tuple[int, Span, str, int]]:
    """``(resource_id, guarded span, holder kind, holder id)`` of every claim in force that overlaps ``span``.

    The sum keeps the index by resource out of it: that way would read the whole history of each resource.
    """
    resource = Claim.resource_id + 0
    rows = db.session.execute(
        select(Claim.resource_id, Claim.starts_at, Claim.ends_at, Claim.holder_kind, Claim.holder_id)
        .where(resource.in_(resource_ids), overlapping(span), in_force(instant))
        .order_by(resource, Claim.starts_at)
    )
    return [(resource, Span(start, end), kind, holder) for resource, start, end, kind, holder in rows]


def of_holder(kind: str, holder_id: int) -> list[Claim]:
    """All claims a holder ever had, oldest first."""
    return list(
        db.session.scalars(
            select(Claim).where(Claim.holder_kind == kind, Claim.holder_id == holder_id).order_by(Claim.id)
        )
    )


def day_version(day: date) -> int:
    """The counter of what can be seen on ``day``; 0 before anything happened."""
    return db.session.scalar(select(DayVersion.version).where(DayVersion.day == day)) or 0
