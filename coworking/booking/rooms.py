"""One day of the rooms as a member looks for a meeting place: what is busy, and where a meeting could begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from coworking.booking import queries
from coworking.booking.queries import OwnPlace
from coworking.booking.rules import LONGEST_NIGHT, ROOM_STEP, bookable_halves
from coworking.claims import queries as claims
from coworking.core.clock import now
from coworking.core.timespan import Span, subtract
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, ROOM, LieuDay, Resource
from coworking.spaces.rules import hours_from

START_STEP = timedelta(minutes=30)

Length = timedelta | Literal["half", "day"]
"""How long a meeting is to last: a duration, one of the lieu's own half-days, or its whole day."""

Taken = tuple[int, Span, str, int]
"""A claim as `coworking.claims.queries.taken` gives it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a day's strip, in thousandths of the open time: ``state`` is taken, mine or closed; the rest is free."""

    state: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class RoomDay:
    """A room on a day: its strip, the spans a meeting of the wanted length could take, and what the reader has booked.

    ``longest``: the longest stretch that is free, for a room that is free but not for so long.
    """

    room: Resource
    strip: list[Stretch]
    starts: list[Span]
    longest: Span | None
    mine: list[OwnPlace]


def rooms_on(
    day: LieuDay, length: Length, people: int, person_id: int, *, following: LieuDay | None = None
) -> list[RoomDay]:
    """Every room that seats ``people`` on ``day``, and those ``person_id`` has there, in the lieu's order.

    What begins on ``day`` may go on into the ``following`` one, where the lieu is open at midnight.
    """
    instant = now()
    hours = hours_from(day, following)
    own = [place for place in queries.own_places(person_id, _reach(day, hours)) if place.kind != DESK]
    has = {place.resource_id for place in own if not place.cancelled}
    rooms = [room for room in spaces.resources(kind=ROOM, day=day.day) if room.seats >= people or room.id in has]
    taken: dict[int, list[Taken]] = {room.id: [] for room in rooms}
    for claim in claims.taken(list(taken), _reach(day, hours), instant):
        taken[claim[0]].append(claim)
    found: list[RoomDay] = []
    for room in rooms:
        busy = _of_others(taken[room.id], own)
        mine = [p for p in own if p.resource_id == room.id and not p.cancelled and p.span.overlaps(day.span)]
        free = _beginning_on(day, free_stretches(hours, busy, room, instant))
        found.append(
            RoomDay(
                room,
                _strip(day, busy, [place.span for place in mine], instant),
                starts(day, free, length) if room.seats >= people else [],
                max(map(_at_most, free), key=lambda span: span.end - span.start, default=None)
                if room.seats >= people
                else None,
                mine,
            )
        )
    return found


def _of_others(taken: Sequence[Taken], own: Sequence[OwnPlace]) -> list[Span]:
    """When a room is busy for this reader: what they have just cancelled is kept for them, and so is free."""
    kept = {place.booking_id for place in own if place.cancelled}
    return [span for _, span, kind, holder in taken if kind != "booking" or holder not in kept]


def _reach(day: LieuDay, hours: Sequence[Span]) -> Span:
    """All of ``day``, and of the next one what its ``hours`` go on into."""
    return Span(day.starts_at, max(day.ends_at, hours[-1].end)) if hours else day.span


def _beginning_on(day: LieuDay, free: Sequence[Span]) -> list[Span]:
    """What of ``free`` begins on ``day``."""
    return [span for span in free if span.start < day.ends_at]


def _at_most(span: Span) -> Span:
    """``span``, no longer than what goes over midnight may be."""
    return Span(span.start, min(span.end, span.start + LONGEST_NIGHT))


def free_stretches(hours: Sequence[Span], busy: Sequence[Span], room: Resource, instant: datetime) -> list[Span]:
    """When of its open ``hours`` ``room`` can be used from ``instant`` on, in whole quarters of an hour.

    Tidying up may reach past closing time, but not into someone else's time.
    """
    buffer = timedelta(minutes=room.buffer_after)
    found: list[Span] = []
    for free in subtract(hours, [Span(span.start - buffer, span.end) for span in busy]):
        start = max(-(-_minute(free.start) // 15), _minute(instant) // 15)  # the quarter that runs may still be booked
        end = _minute(free.end) // 15
        if start < end:
            found.append(Span(_at(start * 15, free), _at(end * 15, free)))
    return found


def _minute(instant: datetime) -> int:
    """Whole minutes since 1970."""
    return int(instant.timestamp() // 60)


def _at(minute: int, near: Span) -> datetime:
    return datetime.fromtimestamp(minute * 60, near.start.tzinfo)


def starts(day: LieuDay, free: Sequence[Span], length: Length) -> list[Span]:
    """Spans of ``length`` within ``free`` time; those of a duration begin with it or on a half hour."""
    if not isinstance(length, timedelta):
        return [span for span in _wholes(day, length) if any(stretch.covers(span) for stretch in free)]
    found: list[Span] = []
    for stretch in free:
        start = stretch.start
        while start < day.ends_at and start + length <= stretch.end:
            found.append(Span(start, start + length))
            start += START_STEP - timedelta(minutes=start.minute % 30)
    return found


def _wholes(day: LieuDay, length: Literal["half", "day"]) -> list[Span]:
    """The half-days, or the day from first opening to last closing, that are open without a break."""
    halves = [half.span for half in bookable_halves(day.day, day).values()]
    if length == "half" or not halves:
        return halves
    return [Span(halves[0].start, halves[-1].end)]


def _strip(day: LieuDay, taken: Sequence[Span], mine: Sequence[Span], instant: datetime) -> list[Stretch]:
    hours = day.open()
    if not hours:
        return []
    whole = Span(hours[0].start, hours[-1].end)

    def stretch(state: str, span: Span) -> Stretch:
        x = round((span.start - whole.start) / (whole.end - whole.start) * 1000)
        return Stretch(state, x, round((span.end - whole.start) / (whole.end - whole.start) * 1000) - x)

    closed = subtract([whole], hours)
    if instant > whole.start:
        closed.append(Span(whole.start, min(instant, whole.end)))
    return [
        stretch(state, part)
        for state, spans in (("closed", closed), ("taken", taken), ("mine", mine))
        for span in spans
        if (part := span.intersection(whole))
    ]


@dataclass(frozen=True, slots=True)
class RoomTimes:
    """When a room can be booked on a day. ``free_until``: until when from the hour that is looked at; None: not free then.

    ``mine``: what the reader has booked of any room that overlaps the span that is looked at.
    """

    starts: list[datetime]
    free_until: datetime | None
    mine: OwnPlace | None

    def lengths(self, start: datetime) -> list[int]:
        """Every duration from ``start`` on, in minutes, by the quarter of an hour."""
        if self.free_until is None:
            return []
        most = min(self.free_until - start, LONGEST_NIGHT)
        return list(range(15, most // timedelta(minutes=1) + 1, 15))


def room_times(
    day: LieuDay, room: Resource, span: Span | None, person_id: int, *, following: LieuDay | None = None
) -> RoomTimes:
    """When ``room`` can be booked from ``day`` on by ``person_id``, who looks at ``span`` (2 statements); what begins on it
    may go on into the ``following`` day, where the lieu is open at midnight."""
    instant = now()
    hours = hours_from(day, following)
    own = [place for place in queries.own_places(person_id, _reach(day, hours)) if place.kind != DESK]
    taken = _of_others(claims.taken([room.id], _reach(day, hours), instant), own)
    free = _beginning_on(day, free_stretches(hours, taken, room, instant))
    starts = [part.start + n * ROOM_STEP for part in free for n in range((part.end - part.start) // ROOM_STEP)]
    return RoomTimes(
        starts=[start for start in starts if start < day.ends_at],
        free_until=next((part.end for part in free if span and part.start <= span.start < part.end), None),
        mine=next((place for place in own if span and not place.cancelled and place.span.overlaps(span)), None),
    )


def next_open_day(first: date, last: date) -> date | None:
    """The first day from ``first`` to ``last`` on which the lieu opens at all."""
    instant = now()
    for day, row in spaces.days(first, last).items():
        if any(span.end > instant for span in row.open()):
            return day
    return None
