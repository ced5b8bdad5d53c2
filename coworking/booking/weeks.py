"""Somebody's week: what each half-day is to them, and what is free near one that is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coworking.booking.models import Booking, BookingUnit
from coworking.booking.queries import bookings_of
from coworking.booking.rules import HALVES, Half, bookable_halves
from coworking.claims import queries as claims
from coworking.core.clock import now
from coworking.core.timespan import Span
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay, Resource


@dataclass(frozen=True, slots=True)
class HalfOfWeek:
    """One half-day of somebody's week. ``state``: free, mine, past, full, closed or over.

    ``free`` counts free desks; ``mine`` is the booking's public id and ``desk`` its desk's name; ``outcome`` what became
    of it; ``reason`` says why it is closed (None: simply not open then).
    """

    day: date
    half: Half
    state: str
    free: int = 0
    mine: str | None = None
    desk: str | None = None
    outcome: str | None = None
    reason: str | None = None
    span: Span | None = None


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
        return all(cell.state == "closed" and cell.reason is None for cell in self.cells)

    @property
    def same_closure(self) -> bool:
        """Whether the whole day is closed for one reason: one wide cell says it."""
        first, second = self.cells
        return first.state == second.state == "closed" and first.reason == second.reason


def week(person_id: int, days: Sequence[date], calendar: Mapping[date, LieuDay]) -> list[WeekDay]:
    """The desks' half-days of ``days`` as ``person_id`` sees them, in five statements however many desks there are.

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
    own = {
        (unit.day, unit.half): (booking, unit)
        for booking in bookings_of(person_id, whole)
        if not booking.is_cancelled
        for unit in booking.units
        if unit.half
    }
    found = [
        WeekDay(
            day,
            tuple(_cell(calendar[day], half, desks, taken, own.get((day, half)), instant) for half in HALVES),  # type: ignore[arg-type] - two halves, two cells
            is_today=day == today,
        )
        for day in days
    ]
    return [day for day in found if not day.never_open]


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
        return HalfOfWeek(
            day.day,
            half,
            state,
            mine=booking.public_id,
            desk=unit.resource.name,
            outcome=unit.outcome,
            span=unit.span,
        )
    if found is None:
        return HalfOfWeek(day.day, half, "closed", reason=day.holiday or day.closure)
    if found.span.end <= instant:
        return HalfOfWeek(day.day, half, "over", span=found.span)
    busy = {resource_id for resource_id, span, _, _ in taken if span.overlaps(found.span)}
    free = sum(1 for desk in desks if desk.in_service(day.day) and desk.id not in busy)
    return HalfOfWeek(day.day, half, "free" if free else "full", free=free, span=found.span)
