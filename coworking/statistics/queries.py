"""Reading closed months."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, select

from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.months import month_days, write_month
from coworking.presence.rules import kept_from
from coworking.spaces import queries as spaces
from coworking.spaces.models import LieuDay
from coworking.statistics.detail_rules import is_countable
from coworking.statistics.models import MonthlyReturn
from coworking.statistics.schema import PROVISIONAL


class NotClosed(DomainError):
    """The month has no return yet."""

    code = "month_not_closed"
    status = 404
    message = N_("The month %(month)s is not closed yet.")
    field = "month"


def is_known(month: date) -> bool:
    """Whether the lieu kept days in ``month``."""
    first, last = month_days(month)
    return db.session.scalar(select(LieuDay.day).where(LieuDay.day.between(first, last)).limit(1)) is not None


def counted_from(month: date) -> date | None:
    """The first day that the lieu kept in ``month``; None where that is its first, or where it kept none."""
    first, last = month_days(month)
    found = db.session.scalar(select(func.min(LieuDay.day)).where(LieuDay.day.between(first, last)))
    return None if found == first else found


def revisions(month: date) -> list[MonthlyReturn]:
    """Every revision of ``month`` (its first day), oldest first."""
    return list(
        db.session.scalars(select(MonthlyReturn).where(MonthlyReturn.month == month).order_by(MonthlyReturn.revision))
    )


def latest(month: date) -> MonthlyReturn | None:
    """The highest revision of ``month``, the one that counts; None before it is closed."""
    return db.session.scalar(
        select(MonthlyReturn).where(MonthlyReturn.month == month).order_by(MonthlyReturn.revision.desc()).limit(1)
    )


def closed(month: date) -> MonthlyReturn:
    """The highest revision of ``month``; raises `NotClosed`."""
    found = latest(month)
    if found is None:
        raise NotClosed(month=write_month(month))
    return found


def stands(month: date) -> MonthlyReturn | None:
    """The highest revision of ``month`` where it cannot be counted again, because presences of then are kept no longer.

    None while it can be, and before it is closed for good.
    """
    if is_countable(month, kept_from(spaces.today())):
        return None
    row = latest(month)
    return row if row is not None and row.status != PROVISIONAL else None


def latest_of(months: Collection[date]) -> dict[date, MonthlyReturn]:
    """The highest revision of each of ``months`` that is closed."""
    highest = (
        select(MonthlyReturn.month, func.max(MonthlyReturn.revision).label("revision"))
        .where(MonthlyReturn.month.in_(months))
        .group_by(MonthlyReturn.month)
        .subquery()
    )
    rows = db.session.scalars(
        select(MonthlyReturn).join(
            highest,
            (MonthlyReturn.month == highest.c.month) & (MonthlyReturn.revision == highest.c.revision),
        )
    )
    return {row.month: row for row in rows}
