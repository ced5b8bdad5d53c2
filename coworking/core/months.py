"""Months: read, written and counted in one place. A month is the `date` of its first day, as the database keeps it.

Pure: which month is now is asked of the lieu (`coworking.spaces.queries.today`), because its zone decides.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import ClassVar

from coworking.core.errors import N_, DomainError

WRITTEN = r"2[01][0-9]{2}-(0[1-9]|1[0-2])"
"""How a month is written, as a pattern for schemas."""


class MonthUnreadable(DomainError):
    code = "month_unreadable"
    message = N_("Write a month like 2026-10.")
    field: ClassVar[str | None] = "month"


def read_month(text: str | None) -> date:
    """The first day of ``YYYY-MM``, from 2000 to 2199; raises `MonthUnreadable`."""
    if not re.fullmatch(WRITTEN, text or "", re.ASCII):
        raise MonthUnreadable()
    return date.fromisoformat(f"{text}-01")


def write_month(day: date) -> str:
    """``YYYY-MM`` of any day of a month: what `read_month` reads. Templates have it too."""
    return f"{day:%Y-%m}"


def month_of(day: date) -> date:
    """The first day of the month of ``day``."""
    return day.replace(day=1)


def month_after(day: date, count: int = 1) -> date:
    """The first day of the month ``count`` months after that of ``day``."""
    years, index = divmod(day.month - 1 + count, 12)
    return date(day.year + years, index + 1, 1)


def month_before(day: date, count: int = 1) -> date:
    """The first day of the month ``count`` months before that of ``day``."""
    return month_after(day, -count)


def month_end(day: date) -> date:
    """The last day of the month of ``day``."""
    return month_after(day) - timedelta(days=1)


def month_days(day: date) -> tuple[date, date]:
    """The first and the last day of the month of ``day``."""
    return month_of(day), month_end(day)


def months_between(first: date, last: date) -> list[date]:
    """Each month from that of ``first`` to that of ``last``, both included; none when ``last`` lies before."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [month_after(first, index) for index in range(count)]
