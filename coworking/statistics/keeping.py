"""How long presences are kept: two years, once every month that is counted from them is closed for good (ADR 0035)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select

from coworking.core import retention
from coworking.core.db import db
from coworking.core.errors import N_
from coworking.core.months import month_after, month_of
from coworking.core.retention import Forecast, Keeps
from coworking.presence import purging
from coworking.presence.models import Presence
from coworking.presence.rules import KEPT_MONTHS, kept_from
from coworking.spaces import queries as spaces
from coworking.spaces.models import LieuDay
from coworking.statistics import queries
from coworking.statistics.detail_rules import last_uncountable, needed_from
from coworking.statistics.schema import PROVISIONAL

PRESENCE_DAYS = 730


def goes_before(today: date) -> date:
    """The day before which presences go: those of two years and more, but what a month needs that is still open."""
    edge = kept_from(today)
    first = db.session.scalar(select(func.min(LieuDay.day)))
    if first is None:
        return edge
    months, month = list[date](), month_of(first)
    while month <= last_uncountable(edge):
        months.append(month)
        month = month_after(month)
    closed = queries.latest_of(months)
    still_open = [
        one for one in months if (one not in closed or closed[one].status == PROVISIONAL) and queries.is_known(one)
    ]
    return min([edge, *map(needed_from, still_open)])


def count_presences(_before: datetime) -> Forecast:
    """What would go now, what goes next and when, and what stays because a month is not closed for good."""
    if spaces.lieu_or_none() is None:
        return Forecast(0)
    today = spaces.today()
    edge, goes = kept_from(today), goes_before(today)
    rows, over = purging.count_before(goes), purging.count_before(edge)
    first = db.session.scalar(select(func.min(Presence.day)).where(Presence.day >= edge))
    return Forecast(rows, None if first is None else month_after(first, KEPT_MONTHS + 1), over - rows)


def forget_presences(_before: datetime) -> int:
    """Let go of what `count_presences` counts; return how many rows."""
    if spaces.lieu_or_none() is None:
        return 0
    return purging.let_go_before(goes_before(spaces.today()))


retention.declare(
    Keeps(
        "presences",
        N_("Who came when, once the months that count it are closed for good"),
        N_("To certify it, and to count how much the place is used."),
        Presence,
        Presence.day,
        PRESENCE_DAYS,
        counts=count_presences,
        goes=forget_presences,
    ),
)
