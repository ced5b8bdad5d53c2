"""One day of the rooms as a member looks for a meeting place: what is busy, and where a meeting could begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coworking.booking.rules import ROOM_STEP
from coworking.claims import queries as claims
from coworking.core.clock import now
from coworking.core.timespan import Span, subtract
from coworking.spaces import queries as spaces
from coworking.spaces.models import ROOM, LieuDay, Resource

START_STEP = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a day's strip, in thousandths of the open time: ``state`` is free, taken or closed."""

    state: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class RoomDay:
    """A room on a day: its strip, and the spans a meeting of the wanted length could take."""

    room: Resource
    strip: list[Stretch]
    starts: list[Span]


def rooms_on(day: LieuDay, length: timedelta, people: int) -> list[RoomDay]:
    """Every room that seats ``people`` on ``day``, in the house's order (4 statements)."""
    instant = now()
    rooms = [room for room in spaces.resources(kind=ROOM, day=day.day) if room.seats >= people]
    taken: dict[int, list[Span]] = {room.id: [] for room in rooms}
    for resource_id, span, _, _ in claims.taken(list(taken), day.span, instant):
        taken[resource_id].append(span)
    return [
        RoomDay(room, _strip(day, taken[room.id]), list(starts(day.open(), taken[room.id], room, length, instant)))
        for room in rooms
    ]


def starts(
    open_spans: list[Span], taken: list[Span], room: Resource, length: timedelta, instant: datetime
) -> list[Span]:
    """Spans of ``length`` that begin on the half hour, lie in open time and leave room for tidying up."""
    buffer = timedelta(minutes=room.buffer_after)
    # Tidying up may reach past closing time, but not into someone else's time.
    busy = [Span(span.start - buffer, span.end) for span in taken]
    found: list[Span] = []
    for free in subtract(open_spans, busy):
        start = _next_step(free.start)
        while start + length <= free.end:
            if start >= instant - ROOM_STEP:
                found.append(Span(start, start + length))
            start += START_STEP
    return found


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
