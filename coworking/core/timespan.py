"""Half-open spans of time ``[start, end)`` and conversions between local time and UTC.

Durations are computed in UTC only: in a local zone, 02:30 does not exist once a year and exists twice another day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from coworking.core.errors import N_, DomainError


class EndsBeforeStart(DomainError):
    code = "ends_before_start"
    status = 422
    message = N_("The end must come after the start.")
    field: ClassVar[str | None] = "ends_at"


class NonexistentLocalTime(DomainError):
    code = "nonexistent_local_time"
    status = 422
    message = N_("%(time)s does not exist on %(date)s: clocks go forward that night. Choose another time.")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """``[start, end)`` with aware instants and ``start < end``; raises `EndsBeforeStart` otherwise."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a span needs aware instants")
        if not self.start < self.end:
            raise EndsBeforeStart()

    @property
    def minutes(self) -> int:
        """Whole minutes of the span."""
        return int((self.end - self.start) / timedelta(minutes=1))

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end

    def contains(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def covers(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end

    def intersection(self, other: Span) -> Span | None:
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None

    def widened(self, *, before: timedelta, after: timedelta) -> Span:
        return Span(self.start - before, self.end + after)


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as ``spans``, as sorted spans that neither overlap nor touch."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            if span.end > merged[-1].end:
                merged[-1] = Span(merged[-1].start, span.end)
        else:
            merged.append(span)
    return merged


def subtract(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What remains of ``spans`` outside ``taken``, sorted."""
    remaining = union(spans)
    for hole in union(taken):
        following: list[Span] = []
        for span in remaining:
            if not span.overlaps(hole):
                following.append(span)
                continue
            if span.start < hole.start:
                following.append(Span(span.start, hole.start))
            if hole.end < span.end:
                following.append(Span(hole.end, span.end))
        remaining = following
    return remaining


def intersect(left: Iterable[Span], right: Iterable[Span]) -> list[Span]:
    """The time that lies in both, as sorted disjoint spans."""
    rights = union(right)
    return [common for a in union(left) for b in rights if (common := a.intersection(b))]


def total_minutes(spans: Iterable[Span]) -> int:
    """Minutes covered by ``spans``, overlaps counted once."""
    return sum(span.minutes for span in union(spans))


def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant at which the wall clock in ``zone`` shows ``at`` on ``day``.

    A time that happens twice (clocks going back) means its first occurrence. A time that never happens raises
    `NonexistentLocalTime`.
    """
    naive = datetime.combine(day, at)
    instant = naive.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != naive:
        raise NonexistentLocalTime(time=f"{at:%H:%M}", date=day)
    return instant


def local_minute(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant of wall-clock ``minute`` (0 to 1440) of ``day``; 1440 is the next midnight.

    Opening hours are kept as such minutes. A boundary inside the spring gap moves to the gap's end, so that a lieu
    that opens "at 02:30" on that one night opens when clocks jump to 03:00.
    """
    day, minute = (day + timedelta(days=1), 0) if minute == 1440 else (day, minute)
    naive = datetime.combine(day, time(minute // 60, minute % 60))
    instant = naive.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == naive:
        return instant
    # Inside the gap. With fold=1 the wall clock is read with the offset after the change, which lands before it.
    instant = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = instant.astimezone(zone).utcoffset()
    while instant.astimezone(zone).utcoffset() == offset:
        instant += timedelta(minutes=1)
    return instant


def local_day(day: date, zone: ZoneInfo) -> Span:
    """The span of local ``day``: 23, 24 or 25 hours."""
    return Span(local_minute(day, 0, zone), local_minute(day, 1440, zone))


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The date on the wall calendar in ``zone`` at ``instant``."""
    return instant.astimezone(zone).date()


def local_dates(span: Span, zone: ZoneInfo) -> tuple[date, ...]:
    """The local dates in which some of ``span`` lies, in order; what ends at midnight does not touch the next one."""
    first, last = local_date(span.start, zone), local_date(span.end - timedelta(microseconds=1), zone)
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))
