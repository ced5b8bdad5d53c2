"""When the lieu is open: public holidays, one day's plan out of hours and closures, half-days, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import holidays

from coworking.core.errors import N_, DomainError
from coworking.core.timespan import (
    Span,
    intersect,
    local_minute,
    subtract,
    total_minutes,
    union,
)

ACCESSIBLE, STAFFED = "accessible", "staffed"
LAYERS = (ACCESSIBLE, STAFFED)
HALVES = ("am", "pm")

# Places whose public holidays or clocks differ from the mainland's, by the start of their postcode, longest first.
# (holiday area of the `holidays` library, time zone)
_PLACES: tuple[tuple[str, str | None, str], ...] = (
    ("97133", "BL", "America/St_Barthelemy"),
    ("97150", "MF", "America/Marigot"),
    ("971", "971", "America/Guadeloupe"),
    ("972", "972", "America/Martinique"),
    ("973", "973", "America/Cayenne"),
    ("974", "974", "Indian/Reunion"),
    ("975", "PM", "America/Miquelon"),
    ("976", "976", "Indian/Mayotte"),
    ("986", "WF", "Pacific/Wallis"),
    ("987", "PF", "Pacific/Tahiti"),
    ("988", "NC", "Pacific/Noumea"),
    ("57", "57", "Europe/Paris"),
    ("67", "6AE", "Europe/Paris"),
    ("68", "6AE", "Europe/Paris"),
)
AREAS = tuple(dict.fromkeys(area for _, area, _ in _PLACES if area))
"""Every holiday area a lieu may choose beside the national list."""


class ClosedThen(DomainError):
    """The lieu is not open for the whole of what was asked."""

    code = "closed"
    status = 422
    message = N_("The lieu is closed then.")


class OnHoliday(ClosedThen):
    code = "on_holiday"
    message = N_("The lieu is closed that day: %(holiday)s.")


class Closed(ClosedThen):
    code = "closed"
    message = N_("The lieu is closed that day: %(reason)s.")


class ClosedForPart(Closed):
    """A closure leaves some hours of that day; ``hours`` are its open `Span`s."""

    message = N_("Part of that day is closed (%(reason)s). Open hours: %(hours)s.")


class OutsideOpeningHours(ClosedThen):
    """``hours`` are that day's open `Span`s."""

    code = "outside_opening_hours"
    message = N_("This is outside the opening hours. Open hours that day: %(hours)s.")


class NeverOpenThen(OutsideOpeningHours):
    """The weekly hours leave that day out."""

    message = N_("The lieu does not open that day.")


class InvalidHours(DomainError):
    """Weekly hours or a closure that cannot be; ``reason`` says what is wrong."""

    code = "invalid_hours"
    message = N_("%(reason)s")


class Opening(NamedTuple):
    """Open from ``opens`` to ``closes`` (minutes after local midnight) on ``weekday`` (0 = Monday) in ``layer``."""

    weekday: int
    layer: str
    opens: int
    closes: int


class Closing(NamedTuple):
    """Closed on local dates ``first_day`` to ``last_day`` inclusive: whole days, or between two minutes of each."""

    first_day: date
    last_day: date
    from_minute: int | None
    to_minute: int | None
    reason: str


class OpenDay(Protocol):
    """What these rules need of a day: a `DayPlan` or a stored row.

    ``split_at`` is an instant, ``holiday`` and ``closure`` are texts or None. They are `Any` here because type checkers
    do not look through a stored row's column descriptors when they compare it with a protocol.
    """

    @property
    def split_at(self) -> Any: ...
    @property
    def holiday(self) -> Any: ...
    @property
    def closure(self) -> Any: ...
    def open(self, layer: str = ACCESSIBLE) -> list[Span]: ...


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One local date in universal time: ``[starts_at, ends_at)`` lasts 23, 24 or 25 hours.

    ``accessible`` and ``staffed`` are sorted, disjoint and inside the day. ``holiday`` names the public holiday kept,
    ``closure`` the reasons of the closures that touch the day.
    """

    day: date
    starts_at: datetime
    split_at: datetime
    ends_at: datetime
    accessible: list[Span] = field(default_factory=list[Span])
    staffed: list[Span] = field(default_factory=list[Span])
    holiday: str | None = None
    closure: str | None = None

    def open(self, layer: str = ACCESSIBLE) -> list[Span]:
        return self.accessible if layer == ACCESSIBLE else self.staffed


@dataclass(frozen=True, slots=True)
class HalfDay:
    """``name`` (am, pm) of a day: its ``open`` spans, against the ``usual_minutes`` of that weekday's hours."""

    name: str
    open: list[Span]
    usual_minutes: int

    @property
    def offered(self) -> bool:
        """At least half of the usual half is open."""
        return bool(self.open) and 2 * total_minutes(self.open) >= self.usual_minutes

    @property
    def span(self) -> Span | None:
        """From its first opening to its last closing; None when nothing is open."""
        return Span(self.open[0].start, self.open[-1].end) if self.open else None


def place_of(postcode: str) -> tuple[str | None, str]:
    """The holiday area and the time zone of a French ``postcode``: ``("57", "Europe/Paris")``."""
    digits = "".join(postcode.split())
    return next(((area, zone) for start, area, zone in _PLACES if digits.startswith(start)), (None, "Europe/Paris"))


@lru_cache(maxsize=64)
def holidays_of(year: int, area: str | None) -> Mapping[date, str]:
    """The public holidays of ``year`` with their French names; ``area`` None is the national list.

    ``57`` and ``6AE`` add Good Friday and 26 December (law of Alsace and Moselle), overseas areas their own days.
    """
    found = holidays.country_holidays("FR", subdiv=area, years=year, language="fr")
    return MappingProxyType({day: name.replace("'", "\u2019") for day, name in sorted(found.items())})


def holiday_on(day: date, area: str | None) -> str | None:
    """The name of the public holiday on ``day``, if it is one."""
    return holidays_of(day.year, area).get(day)


def local_span(day: date, start: int, end: int, zone: ZoneInfo) -> Span | None:
    """Wall-clock minutes ``start`` to ``end`` of ``day``; None when the spring gap swallows all of it."""
    starts_at, ends_at = local_minute(day, start, zone), local_minute(day, end, zone)
    return Span(starts_at, ends_at) if starts_at < ends_at else None


def day_plan(
    day: date,
    openings: Iterable[Opening],
    split_minute: int,
    closings: Iterable[Closing],
    holiday: str | None,
    zone: ZoneInfo,
) -> DayPlan:
    """What ``day`` is, given the weekly ``openings`` in force, the closures and the ``holiday`` kept that day.

    A holiday empties both layers; closures are cut out of both. Nobody is on duty in a locked house, so what is
    staffed beyond the accessible hours stays only when no closure covers it.
    """
    touching = [c for c in closings if c.first_day <= day <= c.last_day]
    shut = [
        span
        for c in touching
        if (span := local_span(day, c.from_minute or 0, 1440 if c.to_minute is None else c.to_minute, zone))
    ]
    layers: dict[str, list[Span]] = {layer: [] for layer in LAYERS}
    if holiday is None:
        for opening in openings:
            if opening.weekday == day.weekday():
                span = local_span(day, opening.opens, opening.closes, zone)
                layers[opening.layer] += [span] if span else []
    return DayPlan(
        day=day,
        starts_at=local_minute(day, 0, zone),
        split_at=local_minute(day, split_minute, zone),
        ends_at=local_minute(day, 1440, zone),
        accessible=subtract(layers[ACCESSIBLE], shut),
        staffed=subtract(layers[STAFFED], shut),
        holiday=holiday,
        closure=" · ".join(dict.fromkeys(c.reason for c in touching)) or None,
    )


def half_spans(day: OpenDay, layer: str = ACCESSIBLE) -> dict[str, list[Span]]:
    """The open spans of each half, cut where the lieu parts its days."""
    halves: dict[str, list[Span]] = {"am": [], "pm": []}
    for span in day.open(layer):
        if span.start < day.split_at:
            halves["am"].append(Span(span.start, min(span.end, day.split_at)))
        if day.split_at < span.end:
            halves["pm"].append(Span(max(span.start, day.split_at), span.end))
    return halves


def usual_minutes(openings: Iterable[Opening], weekday: int, split_minute: int) -> dict[str, int]:
    """Accessible wall-clock minutes of each half of ``weekday``; a half the hours never open has none."""
    minutes = {m for o in openings if (o.weekday, o.layer) == (weekday, ACCESSIBLE) for m in range(o.opens, o.closes)}
    morning = sum(minute < split_minute for minute in minutes)
    return {"am": morning, "pm": len(minutes) - morning}


def half_days(day: OpenDay, usual: Mapping[str, int]) -> dict[str, HalfDay]:
    """The halves that the weekly hours know (``usual`` minutes above 0), whether offered that day or not."""
    spans = half_spans(day)
    return {name: HalfDay(name, spans[name], usual[name]) for name in HALVES if usual.get(name)}


def check_open(day: OpenDay, asked: Span) -> None:
    """Raise a `ClosedThen` unless the lieu is accessible during the whole of ``asked``."""
    hours = union(day.open())
    if intersect(hours, [asked]) == [asked]:
        return
    refuse_closed(day)
    raise OutsideOpeningHours(hours=tuple(hours), field="starts_at")


def hours_from(day: OpenDay, following: OpenDay | None) -> list[Span]:
    """The open spans that begin on ``day``. What is open at its midnight goes on to the first closing on ``following``."""
    hours = union(day.open())
    later = union(following.open()) if following is not None else []
    if hours and later and hours[-1].end == later[0].start:
        return [*hours[:-1], Span(hours[-1].start, later[0].end)]
    return hours


def check_half_open(day: OpenDay, half: HalfDay | None) -> HalfDay:
    """``half`` when it is offered; raise a `ClosedThen` that says why otherwise."""
    if half is not None and half.offered:
        return half
    refuse_closed(day)
    raise OutsideOpeningHours(hours=tuple(day.open()), field="starts_at")


def refuse_closed(day: OpenDay) -> None:
    """Raise the reason why ``day`` is closed, wholly or in part; return when it is an ordinary open day."""
    if day.holiday:
        raise OnHoliday(holiday=day.holiday)
    if day.closure:
        if hours := day.open():
            raise ClosedForPart(reason=day.closure, hours=tuple(hours))
        raise Closed(reason=day.closure)
    if not day.open():
        raise NeverOpenThen()


def check_openings(openings: Sequence[Opening], split_minute: int) -> None:
    """Raise `InvalidHours` unless each stretch ends after it begins, none overlaps and the lieu opens at all."""
    if not 1 <= split_minute <= 1439:
        raise InvalidHours(reason=N_("The morning must end within the day."), field="split")
    last: Opening | None = None
    for opening in sorted(openings):
        if not 0 <= opening.opens < opening.closes <= 1440:
            raise InvalidHours(reason=N_("Closing time must come after opening time."), field="hours")
        if last is not None and last[:2] == opening[:2] and opening.opens < last.closes:
            raise InvalidHours(reason=N_("Two stretches of the same day overlap."), field="hours")
        last = opening
    if not any(opening.layer == ACCESSIBLE for opening in openings):
        raise InvalidHours(reason=N_("Open on at least one day of the week."), field="hours")


def check_closing(closing: Closing) -> None:
    """Raise `InvalidHours` unless the closure ends after it begins and says why."""
    if closing.last_day < closing.first_day:
        raise InvalidHours(reason=N_("The last day must not come before the first."), field="last_day")
    if (closing.from_minute is None) != (closing.to_minute is None):
        raise InvalidHours(reason=N_("Give both hours, or neither for whole days."), field="to_minute")
    if not 0 <= (closing.from_minute or 0) < (1440 if closing.to_minute is None else closing.to_minute) <= 1440:
        raise InvalidHours(reason=N_("The end must come after the start."), field="to_minute")
    if not closing.reason.strip():
        raise InvalidHours(reason=N_("Say why: everyone sees it."), field="reason")


def weekly(openings: Iterable[Opening], layer: str = ACCESSIBLE) -> dict[int, Sequence[tuple[int, int]]]:
    """The hours of each weekday (0 to 6) as sorted pairs of minutes; a closed weekday has an empty list."""
    week: dict[int, list[tuple[int, int]]] = {weekday: [] for weekday in range(7)}
    for opening in sorted(openings):
        if opening.layer == layer:
            week[opening.weekday].append((opening.opens, opening.closes))
    return {weekday: tuple(hours) for weekday, hours in week.items()}
