"""A line about a booking to come: what it says, and what becomes of it. No database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.booking.rules import Half
from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold, listed_by
from coworking.core.reading import UnreadableTime, minute_of, words_of
from coworking.core.timespan import Span
from coworking.imports.day_rules import day_in
from coworking.imports.person_rules import KnownPerson, Verdict
from coworking.imports.table_rules import TableLine
from coworking.imports.who_rules import WhoMeant, the_one, who_of

MAX_TITLE = 120
DESK = "desk"

_HALVES: dict[str, frozenset[Half]] = {
    **dict.fromkeys(("am", "matin", "matinee", "morning", "le matin"), frozenset[Half]({"am"})),
    **dict.fromkeys(("pm", "apres midi", "aprem", "afternoon", "l apres midi"), frozenset[Half]({"pm"})),
    **dict.fromkeys(
        ("jour", "journee", "journee entiere", "toute la journee", "day", "all day", "whole day", "full day", "am pm"),
        frozenset[Half]({"am", "pm"}),
    ),
}


class DayNeeded(DomainError):
    code = "day_needed"
    message = N_("This line does not say which day: write it like 25/12/2026.")


class HalfUnknown(DomainError):
    code = "half_unknown"
    message = N_("“%(said)s” is no half-day: write morning, afternoon or all day, or the hours.")


class WhenNeeded(DomainError):
    code = "when_needed"
    message = N_("This line does not say when: write morning, afternoon or all day, or the hours from and to.")


class HoursNeeded(DomainError):
    code = "hours_needed"
    message = N_("A room is booked by the hour: write from when to when.")


class DayIsOver(DomainError):
    code = "day_is_over"
    message = N_("This day is over: only bookings to come are imported.")


class NoSuchPlace(DomainError):
    code = "no_such_place"
    message = N_("There is no desk or room called “%(said)s”. Write it as it is called here.")


class PlaceTaken(DomainError):
    code = "place_taken"
    message = N_("%(name)s is taken then. Choose another place on this line.")


@dataclass(frozen=True, slots=True)
class BookingEntry:
    """What a line says: who, which day, which ``halves`` of it or from which minute to which, where (None: any desk), and
    what for."""

    line: int
    who: WhoMeant
    day: date
    halves: frozenset[Half] | None
    minutes: tuple[int, int] | None
    place: str | None
    title: str | None

    @property
    def name(self) -> str:
        return self.who.said


@dataclass(frozen=True, slots=True)
class Place:
    """A desk, room or office that can be named."""

    id: int
    public_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class OwnBooking:
    """What somebody has booked already: a place for a time."""

    resource_id: int
    kind: str
    span: Span


def booking_of(line: TableLine, fields: Mapping[str, str]) -> BookingEntry:
    """What a line says; raises the `DomainError` that its reader should put right."""
    who = who_of(line, fields)
    day, at = _day_and_time(fields.get("day", ""))
    start = _minute(fields.get("from", "")) if fields.get("from", "").strip() else at
    end = _minute(fields.get("to", "")) if fields.get("to", "").strip() else None
    halves = _halves(fields.get("half", ""))
    minutes = (start, end) if start is not None and end is not None else None
    if minutes is not None and minutes[0] >= minutes[1]:
        raise UnreadableTime()
    if halves is None and minutes is None:
        raise WhenNeeded()
    return BookingEntry(
        line.number,
        who,
        day,
        halves,
        minutes,
        words_of(fields.get("place", ""), most=MAX_TITLE) or None,
        words_of(fields.get("title", ""), most=MAX_TITLE) or None,
    )


def _day_and_time(text: str) -> tuple[date, int | None]:
    """The day of « 25/12/2026 », « 2026-12-25 » or « 2026-12-25 09:00 », and the minute that stands behind it."""
    written, _space, behind = text.strip().replace("T", " ").partition(" ")
    if not written:
        raise DayNeeded()
    return day_in(written), _minute(behind) if behind.strip() else None


def _minute(text: str) -> int:
    """« 9:00 », « 9 h 30 », « 09:00:00 » as minutes after midnight; raises `UnreadableTime`."""
    return minute_of(re.sub(r"^(\d{1,2}:\d{2}):\d{2}$", r"\1", text.strip().replace(" ", "")))


def _halves(text: str) -> frozenset[Half] | None:
    words = " ".join(re.sub(r"[^a-z]+", " ", fold(text)).split())
    if not words:
        return None
    if words not in _HALVES:
        raise HalfUnknown(said=text.strip()[:60])
    return _HALVES[words]


def judge_booking(
    entry: BookingEntry,
    *,
    people: Sequence[KnownPerson],
    places: Mapping[str, Place],
    span: Span | DomainError,
    own: Sequence[OwnBooking],
    taken: Sequence[tuple[int, Span]],
    today: date,
) -> Verdict:
    """What becomes of a line.

    ``people`` whom it may mean; ``places`` by name as `listed_by` has it; ``span``: its time at the lieu, or why there is
    none; ``own``: what its person has booked; ``taken``: places with the times for which they are.
    """
    try:
        person = the_one(entry.who, people)
    except DomainError as nobody:
        return Verdict("left_out", why=nobody)
    if entry.day < today:
        return Verdict("left_out", person, why=DayIsOver())
    place = places.get(listed_by(entry.place)) if entry.place else None
    if entry.place and place is None:
        return Verdict("left_out", person, why=NoSuchPlace(said=entry.place))
    if place is not None and place.kind != DESK and entry.minutes is None:
        return Verdict("left_out", person, why=HoursNeeded())
    if isinstance(span, DomainError):
        return Verdict("left_out", person, why=span)
    if any(
        one.span.overlaps(span) and (one.resource_id == place.id if place is not None else one.kind == DESK)
        for one in own
    ):
        return Verdict("same", person)
    if place is not None and any(at == place.id and used.overlaps(span) for at, used in taken):
        return Verdict("left_out", person, why=PlaceTaken(name=place.name))
    return Verdict("added", person)
