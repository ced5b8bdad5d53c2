"""Counting people who were there, each once: over a month, over a year, for the first time, again.

Distinct people are never added over months; presence detail stays in the lieu.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, or_, select
from sqlalchemy.orm import aliased, join

from coworking.accounts.models import Person
from coworking.accounts.twin_queries import one_person
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.queries import runs_on
from coworking.core.db import db
from coworking.core.months import month_after, month_before, month_days
from coworking.presence.models import PastVisits, Presence
from coworking.statistics.detail_rules import LOOKS_BACK_MONTHS
from coworking.statistics.months import PeopleCounts
from coworking.statistics.schema import STATUS_NAMES

HISTORY_MONTHS = LOOKS_BACK_MONTHS
"""Newcomers are unknown before so many months of presences, or of imported first visits, lie behind the month."""

_IMPORTED = Presence.evidence == bindparam("evidence", "import", literal_execute=True)
"""Written into the statement, as the partial index on imported presences says it."""
_CAME, _RECORD = aliased(Person), aliased(Person)
_VISITS = join(Presence, _CAME, Presence.person_id == _CAME.id)
_WHO = one_person(_CAME).label("who")
"""The person of a presence, of whichever record of theirs: two records that were merged are one who came."""


def of_month(month: date) -> PeopleCounts:
    """The people of the month of ``month``: three statements that read the year so far and each person's past by index."""
    first, last = month_days(month)
    january, before = first.replace(month=1), month_before(first, HISTORY_MONTHS)
    here = Presence.day.between(first, last)
    past = aliased(Presence)
    theirs = or_(_RECORD.id == _WHO, _RECORD.merged_into_person_id == _WHO)
    earlier = select(past.id).join(_RECORD, past.person_id == _RECORD.id).where(theirs, past.day < first)
    lately = earlier.where(past.day >= before)
    forgotten = select(PastVisits.person_id).join(_RECORD, PastVisits.person_id == _RECORD.id)
    long_ago = forgotten.where(theirs, PastVisits.first_day < first)
    visits = select(_WHO, Presence.day).select_from(_VISITS).where(here).distinct().subquery()
    distinct, worker_days, ytd, newcomers, returning = db.session.execute(
        select(
            _people(here),
            select(func.count()).select_from(visits).scalar_subquery(),
            _people(Presence.day.between(january, last)),
            _people(here, ~earlier.exists(), ~long_ago.exists()),
            _people(here, lately.exists()),
        )
    ).one()
    kept, gone, imported = db.session.execute(
        select(
            select(func.min(Presence.day)).scalar_subquery(),
            select(func.min(PastVisits.first_day)).scalar_subquery(),
            select(func.min(Presence.day)).where(_IMPORTED).scalar_subquery(),
        )
    ).one()
    earliest = min((day for day in (kept, gone) if day is not None), default=None)
    long = (earliest is not None and earliest <= before) or (imported is not None and imported < first)
    whole_year = first == january or (earliest is not None and earliest < month_after(january))
    return PeopleCounts(
        distinct=distinct,
        worker_days=worker_days,
        ytd=ytd if whole_year else None,
        newcomers=newcomers if long else None,
        returning=returning if long else None,
        seen=distinct > 0,
        by_status=_by_status(first, last),
    )


def _by_status(first: date, last: date) -> dict[str, int] | None:
    """How many of those who came from ``first`` to ``last`` say what; None where no account says anything."""
    came = select(_WHO).select_from(_VISITS).where(Presence.day.between(first, last)).distinct().subquery()
    said = select(Person.status, func.count()).join(came, came.c.who == Person.id).group_by(Person.status)
    anybody = select(Person.id).where(Person.status.is_not(None)).exists().label("anybody")
    rows = db.session.execute(said.add_columns(select(anybody).scalar_subquery())).all()
    ever = rows[0][2] if rows else db.session.scalar(select(anybody))
    if not ever:
        return None
    return dict.fromkeys(STATUS_NAMES, 0) | {status or "unknown": people for status, people, _ in rows}


def undecided(first: date, last: date) -> int:
    """Booked units from ``first`` to ``last`` of which nobody has said yet whether the person came."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(BookingUnit)
            .join(Booking)
            .where(runs_on(BookingUnit, first, last), BookingUnit.outcome == "pending", Booking.status == "confirmed")
        )
        or 0
    )


def _people(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count(_WHO.distinct())).select_from(_VISITS).where(*conditions).scalar_subquery()
