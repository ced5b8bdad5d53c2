"""Reading what people typed or tapped: local dates, halves and hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coworking.booking.rooms import Length
from coworking.booking.rules import Half, NoHalfDay
from coworking.core.errors import N_, DomainError, InvalidInput
from coworking.core.i18n import _
from coworking.core.timespan import NonexistentLocalTime, Span, local_instant
from coworking.membership.rules import Payer

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


class FarDate(UnreadableDate):
    """A real date, but calendars and time zones end somewhere."""

    code = "far_date"
    message = N_("Choose a date between 2000 and 2199.")


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
        day = date.fromisoformat((text or "").strip())
    except ValueError:
        raise UnreadableDate() from None
    if not 2000 <= day.year < 2200:
        raise FarDate()
    return day


def read_halves(text: str | None) -> frozenset[Half]:
    """``am``, ``pm`` or ``day``; raises `NoHalfDay`."""
    try:
        return _HALVES[text or ""]
    except KeyError:
        raise NoHalfDay() from None


def read_time(text: str | None, field: str) -> time:
    """« 9:30 », « 9h30 », « 9 h », « 09:30 »; raises `UnreadableTime` naming ``field``."""
    plain = "".join((text or "").lower().split()).replace("h", ":").rstrip(":")
    hours, _colon, minutes = plain.partition(":")
    try:
        return time(int(hours), int(minutes or 0))
    except (ValueError, OverflowError):
        raise UnreadableTime(field=field) from None


@dataclass(frozen=True, slots=True)
class RoomForm:
    """A room's booking as typed. ``span`` is in universal time."""

    span: Span
    title: str | None
    guests: int


def read_room(form: Mapping[str, str], zone: ZoneInfo) -> RoomForm:
    """Read ``day``, ``from``, ``to``, ``title`` and ``guests``; raises the first thing that is wrong."""
    span = read_span(form, zone)
    title = "".join(letter for letter in form.get("title") or "" if letter.isprintable()).strip()
    if len(title) > MAX_TITLE:
        raise TooLong()
    try:
        guests = int(form.get("guests") or 0)
    except ValueError:
        raise UnreadableNumber() from None
    if not 0 <= guests <= MAX_GUESTS:
        raise UnreadableNumber()
    return RoomForm(span, title or None, guests)


def read_span(form: Mapping[str, str], zone: ZoneInfo) -> Span:
    """From ``from`` to ``to`` by the wall clock of ``day``; midnight ends the day. Raises the first thing that is wrong."""
    day = read_day(form.get("day"))
    start = _instant(day, read_time(form.get("from"), "from"), zone, "from")
    to = read_time(form.get("to"), "to")
    return Span(start, _instant(day + timedelta(days=1) if to == time(0) else day, to, zone, "to"))


def _instant(day: date, at: time, zone: ZoneInfo, field: str) -> datetime:
    try:
        return local_instant(day, at, zone)
    except NonexistentLocalTime as error:
        error.at_field = field
        raise


def read_payer(text: str | None) -> Payer | None:
    """``me`` or ``employer``; None when nothing (known) was chosen."""
    return text if text in ("me", "employer") else None


def read_agreed(text: str | None) -> int | None:
    """The price in cents that the page showed; None when it showed none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def read_row(text: str) -> int | None:
    """The number of a row as a page gave it; None for what no row can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def read_page(text: str | None) -> int:
    """A page's number, from 1; raises `InvalidInput`."""
    try:
        return max(1, int(text or 1))
    except ValueError:
        raise InvalidInput(field="page", reason=_("Write the page as a number.")) from None


def read_length(text: str | None) -> Length:
    """How long a meeting lasts: ``half``, ``day`` or minutes (kept within a quarter of an hour and a day's work)."""
    if text in ("half", "day"):
        return text
    return timedelta(minutes=read_number(text, 60, 15, 720))


def read_number(text: str | None, default: int, least: int, most: int) -> int:
    """A choice that must not fail: the nearest possible number, ``default`` for what is none."""
    try:
        return min(most, max(least, int(text or default)))
    except ValueError:
        return default


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def wall(instant: datetime, zone: ZoneInfo) -> str:
    """« 09:30 », as an input of type time wants it."""
    return f"{instant.astimezone(zone):%H:%M}"
