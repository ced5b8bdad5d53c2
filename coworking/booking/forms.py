"""Reading what people typed or tapped: local dates, halves and hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coworking.booking.rules import Half, NoHalfDay
from coworking.core.errors import N_, DomainError
from coworking.core.timespan import Span, local_instant

_HALVES: dict[str, frozenset[Half]] = {
    "am": frozenset({"am"}),
    "pm": frozenset({"pm"}),
    "day": frozenset({"am", "pm"}),
}
MAX_GUESTS = 500
MAX_TITLE = 120


class UnreadableDate(DomainError):
    code = "unreadable_date"
    status = 422
    message = N_("This is not a date. Write it like 2026-11-26.")
    field = "day"


class UnreadableTime(DomainError):
    code = "unreadable_time"
    status = 422
    message = N_("This is not an hour. Write it like 9:30.")


class UnreadableNumber(DomainError):
    code = "unreadable_number"
    status = 422
    message = N_("Write a number between 0 and 500.")
    field = "guests"


class TooLong(DomainError):
    code = "too_long"
    status = 422
    message = N_("This is too long: 120 characters at most.")
    field = "title"


def read_day(text: str | None, default: date | None = None) -> date:
    """An ISO date; ``default`` when nothing was given; raises `UnreadableDate`."""
    if not text and default is not None:
        return default
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        raise UnreadableDate() from None


def read_halves(text: str | None) -> frozenset[Half]:
    """``am``, ``pm`` or ``day``; raises `NoHalfDay`."""
    try:
        return _HALVES[text or ""]
    except KeyError:
        raise NoHalfDay() from None


def read_time(text: str | None, field: str) -> time:
    """« 9:30 », « 9h30 », « 9 h », « 09:30 »; raises `UnreadableTime` naming ``field``."""
    plain = "".join((text or "").lower().split()).replace("h", ":").rstrip(":")
    hours, _, minutes = plain.partition(":")
    try:
        return time(int(hours), int(minutes or 0))
    except ValueError:
        raise UnreadableTime(field=field) from None


@dataclass(frozen=True, slots=True)
class RoomForm:
    """A room's booking as typed. ``span`` is in universal time."""

    span: Span
    title: str | None
    guests: int


def read_room(form: Mapping[str, str], zone: ZoneInfo) -> RoomForm:
    """Read ``day``, ``from``, ``to``, ``title`` and ``guests``; raises the first thing that is wrong."""
    day = read_day(form.get("day"))
    start = local_instant(day, read_time(form.get("from"), "from"), zone)
    to = read_time(form.get("to"), "to")
    end = local_instant(day + timedelta(days=1) if to == time(0) else day, to, zone)
    title = (form.get("title") or "").strip()
    if len(title) > MAX_TITLE:
        raise TooLong()
    try:
        guests = int(form.get("guests") or 0)
    except ValueError:
        raise UnreadableNumber() from None
    if not 0 <= guests <= MAX_GUESTS:
        raise UnreadableNumber()
    return RoomForm(Span(start, end), title or None, guests)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def wall(instant: datetime, zone: ZoneInfo) -> str:
    """« 09:30 », as an input of type time wants it."""
    return f"{instant.astimezone(zone):%H:%M}"
