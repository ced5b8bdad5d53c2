"""Count what one day offered and how it was used, by interval arithmetic on whole minutes.

Times are minutes since 1970-01-01T00:00Z, spans half-open pairs of them: a month of a large lieu is thousands of spans.
Seconds (of an arrival, say) are dropped before: a minute counts from when the clock first shows it. Definitions are
those of ``docs/statistics.md``; nothing here knows a calendar, a zone or a database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Minutes = tuple[int, int]
"""A half-open span ``[start, end)`` of minutes since the epoch."""

CAME, ABSENT = "came", "absent"


class Slot(NamedTuple):
    """A desk booked for one half-day, by a booking that was not cancelled; ``outcome`` as in `BookingUnit`."""

    booking: int
    resource: int
    half: str
    outcome: str
    person: int


class ResourceUse(NamedTuple):
    """A resource used from ``start`` to ``end``: by a confirmed booking, or (``booking`` None) by the lieu itself."""

    booking: int | None
    resource: int
    start: int
    end: int


class Meeting(NamedTuple):
    """What is known of a room's booking: whose, what became of it, and whether it cost something (None: no price list).

    ``over``: all of its time, where it goes over midnight: what its person did on either date tells of both.
    """

    person: int
    outcome: str
    paid: bool | None
    over: Minutes | None = None


class PresenceMinutes(NamedTuple):
    """A person was there from ``start`` to ``end`` (None: nobody saw them leave)."""

    person: int
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class OfferedHalf:
    """One half of the day: its ``open`` spans, and how many minutes it usually has."""

    open: Sequence[Minutes]
    usual: int


@dataclass(frozen=True, slots=True)
class DayRecord:
    """Everything that is known about a day that is over.

    ``desks`` and ``rooms`` map what was in service to its seats. ``hours`` are the day's 24 wall-clock hours (one is
    empty and one is twice as long where clocks change). ``taken_out`` is what of each resource was not for members:
    blocks, and residents under ``residents``. ``until`` says when each person's last booking of the day ends.
    ``stays_beside``: the presences of the day before and the day after, for what goes over midnight.
    """

    open: Sequence[Minutes]
    staffed: Sequence[Minutes]
    halves: Mapping[str, OfferedHalf]
    hours: Sequence[Minutes | None]
    desks: Mapping[int, int]
    rooms: Mapping[int, int]
    blocks: Mapping[int, Sequence[Minutes]] = field(default_factory=dict[int, Sequence[Minutes]])
    residents: Mapping[int, Sequence[Minutes]] = field(default_factory=dict[int, Sequence[Minutes]])
    uses: Sequence[ResourceUse] = ()
    slots: Sequence[Slot] = ()
    late: Sequence[tuple[int, str]] = ()
    meetings: Mapping[tuple[int, int], Meeting] = field(default_factory=dict[tuple[int, int], Meeting])
    stays: Sequence[PresenceMinutes] = ()
    stays_beside: Sequence[PresenceMinutes] = ()
    until: Mapping[int, int] = field(default_factory=dict[int, int])
    guests: int = 0
    refused: int | None = 0


@dataclass(slots=True)
class DayFigures:
    """The integers of one day; the columns of `coworking.statistics.models.DayFact` of the same names."""

    accessible_minutes: int = 0
    staffed_minutes: int = 0
    desk_offered: int = 0
    desk_booked: int = 0
    desk_attended: int = 0
    desk_known: int = 0
    desk_absent: int = 0
    desk_late_cancelled: int = 0
    desk_resident: int = 0
    room_offered: int = 0
    room_booked: int = 0
    room_attended: int = 0
    room_known: int = 0
    room_paid: int | None = 0
    room_free: int | None = 0
    room_internal: int = 0
    room_guests: int = 0
    peak_seats: int = 0
    seats_in_service: int = 0
    peak_at: int | None = None
    workers: int = 0
    refused: int | None = 0
    outside_minutes: int = 0
    hours: list[list[int]] = field(default_factory=lambda: [[0, 0, 0] for _ in range(24)])


def union(spans: Iterable[Minutes]) -> list[Minutes]:
    """The same minutes, as sorted spans that neither overlap nor touch."""
    merged: list[Minutes] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def intersect(left: Sequence[Minutes], right: Sequence[Minutes]) -> list[Minutes]:
    """The minutes that lie in both."""
    found: list[Minutes] = []
    for a_start, a_end in union(left):
        for b_start, b_end in union(right):
            if a_start < b_end and b_start < a_end:
                found.append((max(a_start, b_start), min(a_end, b_end)))
    return found


def subtract(spans: Iterable[Minutes], taken: Iterable[Minutes]) -> list[Minutes]:
    """The minutes of ``spans`` that are not ``taken``."""
    remaining = union(spans)
    for hole_start, hole_end in union(taken):
        remaining = [
            piece
            for start, end in remaining
            for piece in ((start, min(end, hole_start)), (max(start, hole_end), end))
            if piece[0] < piece[1]
        ]
    return remaining


def length(spans: Iterable[Minutes]) -> int:
    """How many minutes, each once."""
    return sum(end - start for start, end in union(spans))


def count(day: DayRecord) -> DayFigures:
    """The facts of ``day``."""
    facts = DayFigures(
        accessible_minutes=length(day.open),
        staffed_minutes=length(day.staffed),
        seats_in_service=sum(seats for desk, seats in day.desks.items() if not _is_assigned(day, desk)),
        room_guests=day.guests,
        refused=day.refused,
    )
    stays = _stays(day)
    facts.workers = len(stays)
    facts.outside_minutes = sum(length(subtract(spans, day.open)) for spans in stays.values())
    uses: dict[int, list[ResourceUse]] = defaultdict(list)
    for use in day.uses:
        uses[use.resource].append(use)
    _count_desks(day, facts, uses, stays)
    _count_rooms(day, facts, uses, stays)
    return facts


def _is_assigned(day: DayRecord, desk: int) -> bool:
    """Whether a desk is a resident's for all of the day: it is outside the offer, and so outside the peak."""
    held = day.residents.get(desk, ())
    return bool(held) and not subtract((hour for hour in day.hours if hour is not None), held)


def _stays(day: DayRecord) -> dict[int, list[Minutes]]:
    """When each person was there. Nobody saw them leave: until the end of what they had booked."""
    stays: dict[int, list[Minutes]] = defaultdict(list)
    for person, start, end in day.stays:
        stays[person].append((start, max(start, day.until.get(person, start) if end is None else end)))
    return stays


def _count_desks(
    day: DayRecord, facts: DayFigures, uses: Mapping[int, Sequence[ResourceUse]], stays: Mapping[int, list[Minutes]]
) -> None:
    offered: dict[tuple[int, str], list[Minutes]] = {}
    for desk in day.desks:
        for name, half in day.halves.items():
            blocks, residents = day.blocks.get(desk, ()), day.residents.get(desk, ())
            free = subtract(half.open, [*blocks, *residents])
            if _offers(free, half.usual):
                offered[desk, name] = free
            elif residents and _offers(subtract(half.open, blocks), half.usual):
                facts.desk_resident += 1
    facts.desk_offered = len(offered)
    facts.desk_late_cancelled = sum(1 for slot in day.late if slot in offered)
    attended = _count_slots(day, facts, uses, offered, stays)
    _count_seats(day, facts, uses, offered, attended)


def _offers(free: Sequence[Minutes], usual: int) -> bool:
    """A half-day is offered when at least half of it is open and not blocked."""
    return bool(free) and 2 * length(free) >= usual


def _count_slots(
    day: DayRecord,
    facts: DayFigures,
    uses: Mapping[int, Sequence[ResourceUse]],
    offered: Mapping[tuple[int, str], list[Minutes]],
    stays: Mapping[int, list[Minutes]],
) -> Mapping[int, list[Minutes]]:
    """Booked half-days, each desk's once however often it was cancelled and booked again, and what became of them.

    Returns when someone was at each desk.
    """
    outcomes: dict[tuple[int, str], set[str]] = defaultdict(set)
    attended: dict[int, list[Minutes]] = defaultdict(list)
    for slot in day.slots:
        free = offered.get((slot.resource, slot.half))
        own = [(use.start, use.end) for use in uses.get(slot.resource, ()) if use.booking == slot.booking]
        if free and (spans := intersect(own, free)):
            outcomes[slot.resource, slot.half].add(slot.outcome)
            if slot.outcome == CAME:
                attended[slot.resource] += _seen(spans, stays.get(slot.person, []))
    facts.desk_booked = len(outcomes)
    facts.desk_attended = sum(1 for seen in outcomes.values() if CAME in seen)
    facts.desk_absent = sum(1 for seen in outcomes.values() if CAME not in seen and ABSENT in seen)
    facts.desk_known = facts.desk_attended + facts.desk_absent
    return attended


def _seen(spans: Sequence[Minutes], stay: Sequence[Minutes]) -> list[Minutes]:
    """When of ``spans`` somebody who came was there. A host who said so afterwards knows more than the recorded arrival."""
    return intersect(spans, stay) or list(spans)


def _seen_over(day: DayRecord, meeting: Meeting, over: Minutes, spans: Sequence[Minutes]) -> list[Minutes]:
    """As `_seen`, of a meeting ``over`` midnight: where its person was seen on the one date, they were not on the other."""
    own = (stay for stay in (*day.stays, *day.stays_beside) if stay.person == meeting.person)
    stay = [(start, max(start, over[1] if end is None else end)) for _person, start, end in own]
    return intersect(spans, stay) if intersect([over], stay) else list(spans)


def _count_seats(
    day: DayRecord,
    facts: DayFigures,
    uses: Mapping[int, Sequence[ResourceUse]],
    offered: Mapping[tuple[int, str], list[Minutes]],
    attended: Mapping[int, Sequence[Minutes]],
) -> None:
    """Seat-minutes by hour, and the most seats booked at once."""
    changes: dict[int, int] = defaultdict(int)
    by_span: dict[Minutes, list[int]] = defaultdict(lambda: [0, 0, 0])
    for desk, seats in day.desks.items():
        free = union(span for name in day.halves for span in offered.get((desk, name), ()))
        booked = intersect([(use.start, use.end) for use in uses.get(desk, ())], free)
        for span in free:
            by_span[span][1] += seats
        for start, end in booked:
            by_span[start, end][0] += seats
            changes[start] += seats
            changes[end] -= seats
        for start, end in union(attended.get(desk, ())):
            by_span[start, end][2] += seats
    for (start, end), seats_of in by_span.items():
        for hour, span in enumerate(day.hours):
            if span is not None and (shared := min(end, span[1]) - max(start, span[0])) > 0:
                for what, number in enumerate(seats_of):
                    facts.hours[hour][what] += shared * number
    seats = 0
    for minute in sorted(changes):
        seats += changes[minute]
        if seats > facts.peak_seats:
            facts.peak_seats, facts.peak_at = seats, minute


def _count_rooms(
    day: DayRecord, facts: DayFigures, uses: Mapping[int, Sequence[ResourceUse]], stays: Mapping[int, list[Minutes]]
) -> None:
    for room in day.rooms:
        free = subtract(day.open, [*day.blocks.get(room, ()), *day.residents.get(room, ())])
        booked: list[Minutes] = []
        known: list[Minutes] = []
        attended: list[Minutes] = []
        for use in uses.get(room, ()):
            spans = intersect([(use.start, use.end)], free)
            if not spans:
                continue
            booked += spans
            if use.booking is None:
                facts.room_internal += length(spans)
                known += spans
                attended += spans
                continue
            meeting = day.meetings[use.booking, room]
            if meeting.outcome in (CAME, ABSENT):
                known += spans
            if meeting.outcome == CAME:
                stay = stays.get(meeting.person, [])
                attended += (
                    _seen(spans, stay) if meeting.over is None else _seen_over(day, meeting, meeting.over, spans)
                )
            _count_paid(facts, meeting.paid, length(spans))
        facts.room_offered += length(free)
        facts.room_booked += length(booked)
        facts.room_known += length(known)
        facts.room_attended += length(attended)


def _count_paid(facts: DayFigures, paid: bool | None, minutes: int) -> None:
    if paid is None or facts.room_paid is None or facts.room_free is None:
        facts.room_paid = facts.room_free = None
    elif paid:
        facts.room_paid += minutes
    else:
        facts.room_free += minutes
