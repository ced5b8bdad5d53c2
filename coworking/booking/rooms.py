"""One day of the rooms as a member looks for a meeting place: what is busy, and where a meeting could begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from coworking.booking.rules import ROOM_STEP, bookable_halves
from coworking.claims import queries as claims
from coworking.core.clock import now
from coworking.core.timespan import Span, subtract
from coworking.spaces import queries as spaces
from coworking.spaces.models import ROOM, LieuDay, Resource

START_STEP = timedelta(minutes=30)

Length = timedelta | Literal["half", "day"]
"""How long a meeting is to last: a duration, one of the lieu's own half-days, or its whole day."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a day's strip, in thousandths of the open time: ``state`` is taken or closed; the rest is free."""

    state: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class RoomDay:
    """A room on a day: its strip, and the spans a meeting of the wanted length could take."""

    room: Resource
    strip: list[Stretch]
    starts: list[Span]


def rooms_on(day: LieuDay, length: Length, people: int) -> list[RoomDay]:
    """Every room that seats ``people`` on ``day``, in the house's order (4 statements)."""
    instant = now()
    rooms = [room for room in spaces.resources(kind=ROOM, day=day.day) if room.seats >= people]
    taken: dict[int, list[Span]] = {room.id: [] for room in rooms}
    for resource_id, span, _, _ in claims.taken(list(taken), day.span, instant):
        taken[resource_id].append(span)
    return [
        RoomDay(room, _strip(day, taken[room.id]), starts(day, taken[room.id], room, length, instant)) for room in rooms
    ]


def starts(day: LieuDay, taken: list[Span], room: Resource, length: Length, instant: datetime) -> list[Span]:
    """Spans of ``length`` that lie in open time and leave room for tidying up; those of a duration begin on a half hour."""
    buffer = timedelta(minutes=room.buffer_after)
    # Tidying up may reach past closing time, but not into someone else's time.
    busy = [Span(span.start - buffer, span.end) for span in taken]
    free_spans = subtract(day.open(), busy)
    if not isinstance(length, timedelta):
        whole = _wholes(day, length)
        return [
            span
            for span in whole
            if span.start >= instant - ROOM_STEP and any(free.covers(span) for free in free_spans)
        ]
    found: list[Span] = []
    for free in free_spans:
        start = _next_step(free.start)
        while start + length <= free.end:
            if start >= instant - ROOM_STEP:
                found.append(Span(start, start + length))
            start += START_STEP
    return found


def _wholes(day: LieuDay, length: Literal["half", "day"]) -> list[Span]:
    """The half-days, or the day from first opening to last closing, that are open without a break."""
    halves = [half.span for half in bookable_halves(day.day, day).values()]
    if length == "half" or not halves:
        return halves
    return [Span(halves[0].start, halves[-1].end)]


def _next_step(instant: datetime) -> datetime:
    beyond = timedelta(minutes=instant.minute % 30, seconds=instant.second, microseconds=instant.microsecond)
    return instant if not beyond else instant - beyond + START_STEP


def _strip(day: LieuDay, taken: list[Span]) -> list[Stretch]:
    hours = day.open()
    if not hours:
        return []
    whole = Span(hours[0].start, hours[-1].end)

    def stretch(state: str, span: Span) -> Stretch:
        x = round((span.start - whole.start) / (whole.end - whole.start) * 1000)
        return Stretch(state, x, round((span.end - whole.start) / (whole.end - whole.start) * 1000) - x)

    inside = [part for span in taken if (part := span.intersection(whole))]
    closed = subtract([whole], hours)
    return [stretch("closed", span) for span in closed] + [stretch("taken", span) for span in inside]


def next_open_day(first: date, last: date) -> date | None:
    """The first day from ``first`` to ``last`` on which the lieu opens at all."""
    instant = now()
    for day, row in spaces.days(first, last).items():
        if any(span.end > instant for span in row.open()):
            return day
    return None
