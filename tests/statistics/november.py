"""What the tests of months that are hard to count share: a lieu in November 2026, and its figures on the morning after."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from coworking.booking import services
from coworking.booking.placing import Request, RequestedItem
from coworking.core.timespan import Span
from coworking.presence import settling
from coworking.spaces import calendar
from coworking.statistics import services as closing
from tests.statistics.oracle import PARIS

MONTH = date(2026, 11, 1)
AM, PM, DAY = frozenset({"am"}), frozenset({"pm"}), frozenset({"am", "pm"})


def wall(day: int, hour: int, minute: int = 0, *, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=PARIS)


def meet(person, room, day: int, *, guests: int = 0, hours: int = 1) -> str:
    start = wall(day, 10)
    item = RequestedItem(resource=room.public_id)
    request = Request(span=Span(start, start + timedelta(hours=hours)), items=(item,), guests=guests)
    return services.book(person.actor(), request).public_id


def after_the_month(clock) -> dict:
    """The figures of November, on the morning after it; what was seen is settled every night."""
    clock.advance(days=1)
    settling.settle_seen()
    clock.set(wall(1, 9, month=12))
    calendar.freeze_past_days()
    return closing.figures_now(MONTH)
