"""A person's week: the state of each half-day for them, and free ones near a full one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coworking.booking.colleagues import Colleague, desks_of_colleagues
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.queries import bookings_of
from coworking.booking.rules import HALVES, Half, bookable_halves
from coworking.claims import queries as claims
from coworking.core.clock import now
from coworking.core.timespan import Span
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay, Resource


@dataclass(frozen=True, slots=True)
class RoomOfWeek:
    """A room somebody has booked. ``booking``: its public id; ``goes_on``: it began the day before; ``to_pay``: it waits to
    be paid."""

    booking: str
    name: str
    span: Span
    over: bool
    goes_on: bool = False
    to_pay: bool = False


@dataclass(frozen=True, slots=True)
class HalfOfWeek:
    """One half-day of somebody's week. ``state``: free, mine, held (to be paid), kept, past, full, closed or over.

    ``free`` counts free desks; ``mine`` is the booking's public id and ``desk`` its desk's name (``kept``: they have just
    cancelled it and may take it back); ``outcome`` what became of it; ``payer``: the employer, where it
    pays; ``reason`` says why it is closed (None: simply not
    open then). ``rooms``: the rooms they have in it; ``colleagues``: whom they may see there.
    """

    day: date
    half: Half
    state: str
    free: int = 0
    mine: str | None = None
    desk: str | None = None
    outcome: str | None = None
    payer: str | None = None
    reason: str | None = None
    span: Span | None = None
    rooms: tuple[RoomOfWeek, ...] = ()
    colleagues: tuple[Colleague, ...] = ()


@dataclass(frozen=True, slots=True)
class WeekDay:
    """One day of a week: its two cells and, on the day itself, the presence that is open."""

    day: date
    cells: tuple[HalfOfWeek, HalfOfWeek]
    is_today: bool

    @property
    def bookable(self) -> bool:
        """Whether one tap can take the whole day."""
        return all(cell.state == "free" for cell in self.cells)

    @property
    def never_open(self) -> bool:
        return all(cell.state == "closed" and cell.reason is None and not cell.rooms for cell in self.cells)

    @property
    def same_closure(self) -> bool:
        """Whether the whole day is closed for one reason: one wide cell says it."""
        first, second = self.cells
        rooms = first.rooms or second.rooms
        return first.state == second.state == "closed" and first.reason == second.reason and not rooms

    @property
    def used(self) -> list[str]:
        """The desks and rooms that were used, or may have been, in order."""
        desks = [
            cell.desk
            for cell in self.cells
            if cell.desk and cell.state not in ("kept", "held") and cell.outcome != "absent"
        ]
        rooms = [room for cell in self.cells for room in cell.rooms if not (room.goes_on or room.to_pay)]
        return [*desks, *(room.name for room in rooms)]


def week(person_id: int, days: Sequence[date], calendar: Mapping[date, LieuDay]) -> list[WeekDay]:
    """The half-days of ``days`` as ``person_id`` sees them, in six statements however many desks there are.

    Days the lieu knows nothing of (long past, beyond the horizon) and days it never opens are left out.
    """
    instant = now()
    lieu = spaces.lieu()
    today = instant.astimezone(lieu.tz).date()
    days = [day for day in days if day in calendar]
    if not days:
        return []
    desks = spaces.resources(kind=DESK)
    whole = Span(calendar[days[0]].starts_at, calendar[days[-1]].ends_at)
    taken = claims.taken([desk.id for desk in desks], whole, instant)
    holders = {holder for _, _, kind, holder in taken if kind == "booking"}
    own: dict[tuple[date, str], tuple[Booking, BookingUnit]] = {}
    rooms: dict[date, list[RoomOfWeek]] = {}
    for booking in sorted(bookings_of(person_id, whole), key=lambda row: not row.is_cancelled):
        for unit in booking.units:
            if unit.half and (not booking.is_cancelled or booking.id in holders):
                own[unit.day, unit.half] = booking, unit
            elif not unit.half and not booking.is_cancelled:
                over = unit.ends_at <= instant
                for day in spaces.dates_of(unit.span):
                    room = RoomOfWeek(
                        booking.public_id, unit.resource.name, unit.span, over, day > unit.day, booking.is_held
                    )
                    rooms.setdefault(day, []).append(room)
    seen: dict[tuple[date, str], list[Colleague]] = {}
    for colleague in desks_of_colleagues(person_id, whole):
        seen.setdefault((colleague.day, colleague.half), []).append(colleague)
    found: list[WeekDay] = []
    for day in days:
        am, pm = (
            replace(
                _cell(calendar[day], half, desks, taken, own.get((day, half)), instant),
                rooms=tuple(room for room in rooms.get(day, ()) if half == _half_of(room, calendar[day], lieu.tz)),
                colleagues=tuple(seen.get((day, half), ())),
            )
            for half in HALVES
        )
        found.append(WeekDay(day, (am, pm), is_today=day == today))
    return [day for day in found if not day.never_open]


def _half_of(room: RoomOfWeek, day: LieuDay, zone: ZoneInfo) -> Half:
    """The half-day in which a room's time begins; before noon or after it where that lies in neither."""
    start = max(room.span.start, day.starts_at)
    for half, known in bookable_halves(day.day, day).items():
        if known.span.contains(start):
            return half
    return "am" if start.astimezone(zone).hour < 12 else "pm"


def free_near(person_id: int, day: date, halves: Collection[Half], limit: int = 4) -> list[HalfOfWeek]:
    """Free half-days instead of those of ``day``: its other one first, then the same ones on the nearest open days."""
    lieu, today = spaces.lieu(), spaces.today()
    first = max(today, day - timedelta(days=7))
    last = min(today + timedelta(days=lieu.horizon_days), day + timedelta(days=7))
    calendar = spaces.days(first, last)
    free = [
        cell
        for row in week(person_id, list(calendar), calendar)
        for cell in row.cells
        if cell.state == "free" and (cell.day == day or cell.half in halves)
    ]
    return sorted(free, key=lambda cell: (abs(cell.day - day), cell.day < day))[:limit]


def _employer(unit: BookingUnit) -> str | None:
    payer = unit.quote.payer_organisation if unit.quote is not None else None
    return payer.name if payer is not None else None


def _cell(
    day: LieuDay,
    half: Half,
    desks: Sequence[Resource],
    taken: Sequence[tuple[int, Span, str, int]],
    own: tuple[Booking, BookingUnit] | None,
    instant: datetime,
) -> HalfOfWeek:
    found = bookable_halves(day.day, day).get(half)
    if own is not None:
        booking, unit = own
        state = "past" if unit.ends_at <= instant or unit.outcome == "came" else "mine"
        state = "kept" if booking.is_cancelled else "held" if booking.is_held else state
        return HalfOfWeek(
            day.day,
            half,
            state,
            mine=booking.public_id,
            desk=unit.resource.name,
            outcome=unit.outcome,
            payer=_employer(unit),
            span=unit.span,
        )
    if found is None:
        return HalfOfWeek(day.day, half, "closed", reason=day.holiday or day.closure)
    if found.span.end <= instant:
        return HalfOfWeek(day.day, half, "over", span=found.span)
    busy = {resource_id for resource_id, span, _, _ in taken if span.overlaps(found.span)}
    free = sum(1 for desk in desks if desk.in_service(day.day) and desk.id not in busy)
    return HalfOfWeek(day.day, half, "free" if free else "full", free=free, span=found.span)
