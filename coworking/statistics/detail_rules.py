"""Of which days presences must be kept so that a month can be counted again. Plain decisions."""

from __future__ import annotations

from datetime import date, timedelta

from coworking.core.months import month_before, month_of

LOOKS_BACK_MONTHS = 3
"""Who came back is who was there in one of so many months before."""


def needed_from(month: date) -> date:
    """The first day whose presences the figures of ``month`` (its first day) are counted from.

    People are counted since January and looked for in the three months before; the day before tells of a meeting that goes
    over midnight.
    """
    return min(month.replace(month=1), month_before(month, LOOKS_BACK_MONTHS)) - timedelta(days=1)


def is_countable(month: date, kept_from: date) -> bool:
    """Whether ``month`` can be counted again while presences are kept from the day ``kept_from`` on."""
    return needed_from(month_of(month)) >= kept_from


def last_uncountable(kept_from: date) -> date:
    """The last month (its first day) that cannot be counted again."""
    month = month_of(kept_from)
    while not is_countable(following := _next(month), kept_from):
        month = following
    return month


def _next(month: date) -> date:
    return month_before(month, -1)
