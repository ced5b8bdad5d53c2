"""Reading what people typed or tapped: local dates, halves and hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coworking.booking.moving import TOLD_NOTHING, Agreed
from coworking.booking.queries import stays_open
from coworking.booking.rooms import Length
from coworking.booking.rules import Half, NoHalfDay
from coworking.core.errors import InvalidInput, at_field
from coworking.core.i18n import _
from coworking.core.reading import day_of, nearest_number, number_of, time_of, words_of
from coworking.core.timespan import Span, local_instant
from coworking.membership.entitlement import Payer

_HALVES: dict[str, frozenset[Half]] = {
    "am": frozenset({"am"}),
    "pm": frozenset({"pm"}),
    "day": frozenset({"am", "pm"}),
}
MAX_GUESTS = 500
MAX_TITLE = 120


def read_day(text: str | None, default: date | None = None) -> date:
    """An ISO date; ``default`` when nothing was given; raises `UnreadableDate`."""
    return default if not text and default is not None else day_of(text or "")


def read_halves(text: str | None) -> frozenset[Half]:
    """``am``, ``pm`` or ``day``; raises `NoHalfDay`."""
    try:
        return _HALVES[text or ""]
    except KeyError:
        raise NoHalfDay() from None


@dataclass(frozen=True, slots=True)
class RoomForm:
    """A room's booking as typed. ``span`` is in universal time."""

    span: Span
    title: str | None
    guests: int


def read_room(form: Mapping[str, str], zone: ZoneInfo) -> RoomForm:
    """Read `read_span`, ``title`` and ``people`` (or ``guests``, without whoever books); raises the first thing wrong."""
    span = read_span(form, zone)
    with at_field("title"):
        title = words_of(form.get("title") or "", most=MAX_TITLE)
    return RoomForm(span, title or None, read_guests(form))


def read_guests(form: Mapping[str, str]) -> int:
    """How many come besides whoever books: ``people`` counts them in, ``guests`` does not."""
    if form.get("people"):
        with at_field("people"):
            return number_of(form["people"], 1, MAX_GUESTS + 1) - 1
    with at_field("guests"):
        return number_of(form.get("guests") or "0", 0, MAX_GUESTS)


def read_span(form: Mapping[str, str], zone: ZoneInfo) -> Span:
    """From ``from`` for ``minutes``, or to ``to`` by the wall clock of ``day``; midnight ends the day. Raises the first
    thing that is wrong. ``length``, a duration that was tapped, comes before the ``minutes`` that were chosen.

    An earlier hour than the start is one of the next day where the lieu stays open between the two.
    """
    day = read_day(form.get("day"))
    start = _instant(day, _time(form, "from"), zone, "from")
    if minutes := form.get("length") or form.get("minutes"):
        with at_field("minutes"):
            return Span(start, start + timedelta(minutes=number_of(minutes, 15, 1440)))
    to = _time(form, "to")
    next_day = to == time(0) or (to < _time(form, "from") and stays_open(day))
    return Span(start, _instant(day + timedelta(days=1) if next_day else day, to, zone, "to"))


def _time(form: Mapping[str, str], field: str) -> time:
    with at_field(field):
        return time_of(form.get(field) or "")


def _instant(day: date, at: time, zone: ZoneInfo, field: str) -> datetime:
    with at_field(field):
        return local_instant(day, at, zone)


def read_payer(text: str | None) -> Payer | None:
    """``me`` or ``employer``; None when nothing (known) was chosen."""
    return text if text in ("me", "employer") else None


def read_agreed(text: str | None) -> int | None:
    """The price in cents that the page showed; None when it showed none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def read_move_agreed(form: Mapping[str, str], *, priced: bool) -> Agreed:
    """What the page said a move comes to: ``agreed`` (cents) and ``halfdays``; without them, that its price stays the same.

    Whoever sees no price (not ``priced``) can only say that they read that it changes (``unseen``).
    """
    if not priced:
        return TOLD_NOTHING if "unseen" in form else Agreed(same=True)
    cents = read_agreed(form.get("agreed"))
    return Agreed(same=True) if cents is None else Agreed(cents, read_agreed(form.get("halfdays")))


def read_page(text: str | None) -> int:
    """A page's number, from 1; raises `InvalidInput`."""
    try:
        return max(1, int(text or 1))
    except ValueError:
        raise InvalidInput(field="page", reason=_("Write the page as a number.")) from None


def read_length(text: str | None) -> Length:
    """How long a meeting lasts: ``half``, ``day`` or minutes: whole quarters of an hour, up to a day's work."""
    if text in ("half", "day"):
        return text
    return timedelta(minutes=nearest_number(text, 60, 15, 720) // 15 * 15)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def wall(instant: datetime, zone: ZoneInfo) -> str:
    """« 09:30 », as an input of type time wants it."""
    return f"{instant.astimezone(zone):%H:%M}"
