"""Impossible figures of a month: a part larger than its whole, more days than the month has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from coworking.core.errors import N_, DomainError
from coworking.core.months import month_after, month_of
from coworking.statistics.pairs import known_enough

SMALLEST_SHOWN = 5
"""Counts of people below this are not shown in a split."""


class ReturnInvalid(DomainError):
    """A monthly return that cannot be taken in; ``field`` is the path of what is wrong (``figures.open_days``)."""

    code = "return_invalid"
    message = N_("%(field)s: %(reason)s.")

    def __init__(self, *, field: str, **params: object) -> None:
        super().__init__(field=field)
        self.params = {"field": field, **params}


class MoreThanWhole(ReturnInvalid):
    """A part is larger than its whole."""

    code = "return_impossible"
    message = N_("%(field)s cannot be more than %(other)s.")


class BeyondBound(ReturnInvalid):
    """A number is larger than ``bound``, the most that the month allows; programs read ``bound`` in the answer."""

    code = "return_impossible"
    message = N_("%(field)s cannot be more than %(bound)s in this month.")

    def __init__(self, *, field: str, bound: int) -> None:
        super().__init__(field=field, bound=bound)
        self.extra = {"bound": bound}


class Impossible(ReturnInvalid):
    """The numbers contradict each other; ``reason`` says how."""

    code = "return_impossible"


PARTS: tuple[tuple[str, str], ...] = (
    ("desk_booked_halfdays", "desk_offered_halfdays"),
    ("desk_attended_halfdays", "desk_booked_halfdays"),
    ("desk_known_halfdays", "desk_booked_halfdays"),
    ("desk_absent_halfdays", "desk_known_halfdays"),
    ("desk_attended_halfdays", "desk_known_halfdays"),
    ("room_booked_minutes", "room_offered_minutes"),
    ("room_attended_minutes", "room_booked_minutes"),
    ("room_minutes_paid", "room_booked_minutes"),
    ("room_minutes_free", "room_booked_minutes"),
    ("room_minutes_internal", "room_booked_minutes"),
    ("rooms_in_service", "seats_in_rooms"),
    ("peak_seats", "peak_seats_in_service"),
    ("days_over_80_percent", "open_days"),
    ("distinct_people", "distinct_people_ytd"),
    ("newcomers", "distinct_people"),
    ("returning_people", "distinct_people"),
    ("distinct_people", "worker_days"),
)
"""(part, whole): the first is never more than the second."""


def check_consistency(figures: Mapping[str, Any], month: date, zone: ZoneInfo | None = None) -> None:
    """Raise `MoreThanWhole`, `BeyondBound` or `Impossible` for figures of ``month`` that cannot be true.

    They are well-formed, nulls aside. ``zone`` is the lieu's; where nobody knows it, a month may be an hour longer.
    """
    for part, whole in PARTS:
        if figures[part] is not None and figures[whole] is not None and figures[part] > figures[whole]:
            raise MoreThanWhole(field=f"figures.{part}", other=f"figures.{whole}")
    _check_bounds(figures, bounds(figures, month, zone))
    _check_attendance(figures)
    _check_people(figures)
    _check_hours(figures)


def month_minutes(month: date, zone: ZoneInfo | None = None) -> int:
    """How long the month of ``month`` is in ``zone``: in October, when the clocks go back, an hour more than its days."""
    first, after = month_of(month), month_after(month)
    if zone is None:
        return (after - first).days * 1440 + 60
    begin, end = (datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in (first, after))
    return int((end - begin).total_seconds()) // 60


def bounds(figures: Mapping[str, Any], month: date, zone: ZoneInfo | None = None) -> dict[str, int]:
    """The most that each figure can be in ``month``, given the others: days, desks, rooms and people."""
    days, minutes = (month_after(month) - month_of(month)).days, month_minutes(month, zone)
    opened, desks, rooms = (figures[name] for name in ("open_days", "desks_in_service", "rooms_in_service"))
    open_days = days if opened is None else opened
    open_minutes = min(minutes, open_days * 1440 + max(0, minutes - days * 1440))
    found = {"open_days": days, "accessible_minutes": open_minutes, "staffed_minutes": open_minutes}
    if desks is not None:
        found |= dict.fromkeys(("desk_offered_halfdays", "desk_booked_halfdays"), 2 * open_days * desks)
    if rooms is not None:
        found |= dict.fromkeys(("room_offered_minutes", "room_booked_minutes"), minutes * rooms)
    people = figures["distinct_people"]
    if people is not None:
        found |= {"worker_days": days * people, "desk_attended_halfdays": 2 * days * people}
    return found


def _check_bounds(figures: Mapping[str, Any], most: Mapping[str, int]) -> None:
    for name, bound in most.items():
        if figures[name] is not None and figures[name] > bound:
            raise BeyondBound(field=f"figures.{name}", bound=bound)


def _check_attendance(figures: Mapping[str, Any]) -> None:
    attended, known, absent, booked = (figures[f"desk_{n}_halfdays"] for n in ("attended", "known", "absent", "booked"))
    if None not in (attended, known, absent) and attended + absent != known:
        raise Impossible(
            field="figures.desk_known_halfdays", reason=N_("attended and absent must add up to what is known")
        )
    if None not in (attended, known, booked) and not known_enough(known, booked):
        raise Impossible(
            field="figures.desk_attended_halfdays",
            reason=N_("where fewer than 80 in 100 are known, attendance is null"),
        )
    uses = [figures[f"room_minutes_{name}"] for name in ("paid", "free", "internal")]
    if figures["room_booked_minutes"] is not None and sum(filter(None, uses)) > figures["room_booked_minutes"]:
        raise Impossible(field="figures.room_booked_minutes", reason=N_("paid, free and internal are more than this"))
    if figures["peak_at"] is not None and not figures["peak_seats"]:
        raise Impossible(field="figures.peak_at", reason=N_("a peak of zero has no date"))
    if figures["peak_seats"] and figures["peak_at"] is None:
        raise Impossible(field="figures.peak_at", reason=N_("a peak has a date"))


def _check_people(figures: Mapping[str, Any]) -> None:
    people, new, back = (figures[name] for name in ("distinct_people", "newcomers", "returning_people"))
    if None not in (people, new, back) and new + back > people:
        raise Impossible(field="figures.newcomers", reason=N_("a newcomer cannot be someone who returns"))
    split = figures["people_by_status"]
    if split is None:
        return
    shown = [count for count in split.values() if count is not None]
    if any(0 < count < SMALLEST_SHOWN for count in shown):
        raise Impossible(field="figures.people_by_status", reason=N_("fewer than 5 people in a split are suppressed"))
    if len(split) - len(shown) == 1:
        raise Impossible(
            field="figures.people_by_status", reason=N_("one number suppressed alone follows from the others")
        )
    if people is not None and (sum(shown) > people or (len(shown) == len(split) and sum(shown) != people)):
        raise Impossible(field="figures.people_by_status", reason=N_("the split must add up to the people"))


def _check_hours(figures: Mapping[str, Any]) -> None:
    for weekday, hours in enumerate(figures["by_weekday_hour"] or ()):
        for hour, (booked, offered) in enumerate(hours):
            if booked > offered:
                raise MoreThanWhole(
                    field=f"figures.by_weekday_hour.{weekday}.{hour}.0",
                    other=f"figures.by_weekday_hour.{weekday}.{hour}.1",
                )
