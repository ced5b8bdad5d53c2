"""The sheet of a room: when it is free, what it costs. Choices are refused only on booking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coworking.booking import offers, queries
from coworking.booking.forms import read_day, read_guests, read_span, wall
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.queries import OwnPlace
from coworking.booking.rooms import RoomTimes, room_times
from coworking.booking.rules import NotInService, TooMany
from coworking.claims.rules import ClaimConflict
from coworking.core.clock import now
from coworking.core.errors import DomainError, NotFound
from coworking.core.formats import duration, hour
from coworking.core.policy import Actor
from coworking.core.timespan import Span, local_date
from coworking.spaces import queries as spaces
from coworking.spaces.models import ROOM, Resource
from coworking.spaces.rules import ClosedThen

COMMON = (30, 60, 90, 120, 180)
"""Durations that are one tap away, in minutes."""


@dataclass(frozen=True, slots=True)
class RoomSheet:
    """A room as one looks at it. ``span``: the time asked for, where it can be read; ``offer``: what it would cost.

    ``trouble``: what keeps it from being booked then; ``readable``: all that was typed could be read. ``free_until``: where
    it is free at that hour, but not for so long. ``mine``: the room the reader has at that time. ``others``: rooms that
    could be had instead.
    """

    room: Resource
    today: date
    last: date
    day: str
    start: str
    minutes: int | None
    people: str
    title: str
    span: Span | None
    offer: offers.Offer | None
    trouble: DomainError | None
    readable: bool
    free_until: datetime | None
    mine: OwnPlace | None
    others: list[Resource]
    starts: list[tuple[str, str]]
    lengths: list[tuple[int, str]]

    @property
    def free_minutes(self) -> int | None:
        """How long it could be had at that hour, where that is not as long as asked for."""
        if self.free_until is None or self.span is None:
            return None
        return (self.free_until - self.span.start) // timedelta(minutes=1)

    @property
    def free_over_midnight(self) -> Span | None:
        """The time it could be had, where that goes over midnight and is not as long as asked for."""
        if (
            self.free_until is None
            or self.span is None
            or len(spaces.dates_of(Span(self.span.start, self.free_until))) < 2
        ):
            return None
        return Span(self.span.start, self.free_until)

    @property
    def common(self) -> list[tuple[int, str]]:
        """The durations to show as buttons: the usual ones that fit, and all that is left where that is less than asked."""
        return [(n, words) for n, words in self.lengths if n in (*COMMON, self.free_minutes)]

    @property
    def key(self) -> str:
        """What the price on the sheet is for."""
        return key_of(self.span) if self.span else ""


def key_of(span: Span) -> str:
    """``span`` as a page carries it, to tell whether the price it showed was for this time."""
    return f"{span.start:%Y%m%d%H%M}-{span.minutes}"


def look(actor: Actor, public_id: str, values: Mapping[str, str]) -> RoomSheet:
    """The sheet for what is typed in ``values``; raises `NotFound` for what is no room.

    Where no hour is given it is the first free one of the day; where no duration is, an hour.
    """
    lieu, room = spaces.lieu(), spaces.resource_by_public_id(public_id)
    if room.kind != ROOM:
        raise NotFound()
    today = local_date(now(), lieu.tz)
    values = _filled_in(values, room, today, lieu.tz, actor.person_id or 0)
    span, asked, offer, trouble, guests = None, None, None, None, 0
    try:
        span = read_span(values, lieu.tz)
        guests = read_guests(values)
        asked = Request(span, (RequestedItem(resource=public_id),), guests=guests)
        offer = offers.offer(actor, asked)
    except DomainError as error:
        trouble = error
    times = _times(room, values, span, actor.person_id or 0)
    too_short = times is not None and _too_short(times, span, trouble)
    return RoomSheet(
        room=room,
        today=today,
        last=today + timedelta(days=lieu.horizon_days),
        day=values.get("day", ""),
        start=wall(span.start, lieu.tz) if span else values.get("from", ""),
        minutes=span.minutes if span else None,
        people=values.get("people") or str(guests + 1),
        title=values.get("title", ""),
        span=span,
        offer=offer,
        trouble=trouble,
        readable=asked is not None,
        free_until=times.free_until if times and too_short else None,
        mine=times.mine if times and offer is None and not too_short else None,
        others=_others(room, span, trouble, guests),
        starts=_starts(times, span, lieu.tz),
        lengths=_lengths(times, span),
    )


def _filled_in(
    values: Mapping[str, str], room: Resource, today: date, zone: ZoneInfo, person_id: int
) -> Mapping[str, str]:
    given = {"day": today.isoformat(), **values}
    if not any(given.get(name) for name in ("length", "minutes", "to")):
        given["minutes"] = "60"
    if not given.get("from") and (times := _times(room, given, None, person_id)) and times.starts:
        given["from"] = wall(times.starts[0], zone)
    return given


def _times(room: Resource, values: Mapping[str, str], span: Span | None, person_id: int) -> RoomTimes | None:
    try:
        on = read_day(values.get("day"))
    except DomainError:
        return None
    days = spaces.days(on, on + timedelta(days=1))
    if (day := days.get(on)) is None:
        return None
    return room_times(day, room, span, person_id, following=days.get(on + timedelta(days=1)))


def _too_short(times: RoomTimes, span: Span | None, trouble: DomainError | None) -> bool:
    """Whether the room is free at that hour, but taken or closed before the end."""
    return (
        isinstance(trouble, ClaimConflict | ClosedThen)
        and times.free_until is not None
        and span is not None
        and times.free_until < span.end
    )


def _others(room: Resource, span: Span | None, trouble: DomainError | None, guests: int) -> list[Resource]:
    """Rooms that seat as many and are free then, where the trouble lies with this one."""
    if span is None or not isinstance(trouble, ClaimConflict | TooMany | NotInService):
        return []
    return [row for row in queries.free_resources(span, ROOM, guests=guests) if row.id != room.id][:5]


def _starts(times: RoomTimes | None, span: Span | None, zone: ZoneInfo) -> list[tuple[str, str]]:
    """The quarters of an hour at which it is free, with the one that is looked at among them."""
    found = set(times.starts) if times else set[datetime]()
    if span is not None:
        found.add(span.start)
    return [(wall(start, zone), hour(start)) for start in sorted(found)]


def _lengths(times: RoomTimes | None, span: Span | None) -> list[tuple[int, str]]:
    """How long it could be had from that hour on, with the duration that is looked at among them."""
    if span is None:
        return [(n, duration(n)) for n in COMMON]
    return [(n, duration(n)) for n in sorted({*(times.lengths(span.start) if times else ()), span.minutes})]
