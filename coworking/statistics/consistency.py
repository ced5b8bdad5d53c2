"""What numbers of one month cannot say about each other: a part larger than its whole, more days than the month has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from coworking.core.errors import N_, DomainError
from coworking.core.months import month_end
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


def check_consistency(figures: Mapping[str, Any], month: date) -> None:
    """Raise `MoreThanWhole` or `Impossible` for figures of ``month`` (well-formed, nulls aside) that cannot be true."""
    for part, whole in PARTS:
        if figures[part] is not None and figures[whole] is not None and figures[part] > figures[whole]:
            raise MoreThanWhole(field=f"figures.{part}", other=f"figures.{whole}")
    _check_calendar(figures, month)
    _check_attendance(figures)
    _check_people(figures)
    _check_hours(figures)


def _check_calendar(figures: Mapping[str, Any], month: date) -> None:
    days = month_end(month).day
    limits = {"open_days": days, "accessible_minutes": days * 1440 + 60, "staffed_minutes": days * 1440 + 60}
    if figures["open_days"] is not None:
        limits["accessible_minutes"] = figures["open_days"] * 1440 + 60
        if figures["desks_in_service"] is not None:
            limits["desk_offered_halfdays"] = 2 * figures["open_days"] * figures["desks_in_service"]
    if figures["distinct_people"] is not None:
        limits["worker_days"] = days * figures["distinct_people"]
    for name, most in limits.items():
        if figures[name] is not None and figures[name] > most:
            raise Impossible(field=f"figures.{name}", reason=N_("this is more than the month allows"))


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
        raise Impossible(field="figures.peak_at", reason=N_("a peak of nobody has no date"))
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
