"""Promise 5 on the live data: local days tile the time, and what is over is frozen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from sqlalchemy import select

from coworking.core.checks import check
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.timespan import local_date
from coworking.spaces import queries
from coworking.spaces.models import LieuDay

GRACE = timedelta(days=1)
"""Days are frozen by a job that looks every few minutes; one that is a day behind is broken."""


@check(5, "each local day begins at its midnight and ends where the next begins")
def tiles() -> Iterator[str]:
    lieu = queries.lieu_or_none()
    previous: LieuDay | None = None
    for row in db.session.scalars(select(LieuDay).order_by(LieuDay.day)) if lieu is not None else ():
        assert lieu is not None
        if row.starts_at != datetime.combine(row.day, time(), tzinfo=lieu.tz):
            yield f"{row.day} begins at {row.starts_at}"
        if previous is not None and previous.ends_at != row.starts_at:
            yield f"between {previous.day} and {row.day} there is a gap or an overlap"
        previous = row


@check(4, "a day that is over is frozen")
def frozen() -> Iterator[str]:
    lieu = queries.lieu_or_none()
    if lieu is None:
        return
    last = local_date(now() - GRACE, lieu.tz)
    for day in db.session.scalars(
        select(LieuDay.day).where(LieuDay.day < last, LieuDay.frozen_at.is_(None)).order_by(LieuDay.day)
    ):
        yield f"{day} is over and can still change"
