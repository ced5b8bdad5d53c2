"""A month's figures from its days and counts of people: sums, maxima, and nulls with their reason.

Pure: rows in, the ``figures`` of a ``monthly-return/1`` out. Definitions: ``docs/statistics.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from coworking.statistics.pairs import known_enough
from coworking.statistics.schema import ORDER, blank, filled
from coworking.statistics.split_rules import suppressed

FULL_AT = 80
"""Percent of the seats in service from which a day counts as full."""


@dataclass(frozen=True, slots=True)
class PeopleCounts:
    """Distinct people with a presence in the month, and distinct person × date (``worker_days``).

    ``newcomers``, ``returning`` and ``ytd`` are None where the lieu's history is too short to know them; ``seen`` is
    False where nobody recorded any presence. ``by_status`` counts the distinct people under each of `STATUS_NAMES`; None
    where nobody was ever asked.
    """

    distinct: int
    worker_days: int
    ytd: int | None
    newcomers: int | None
    returning: int | None
    seen: bool
    by_status: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Subscriptions in force during the month, those that began with it and those that ended with it."""

    active: int
    joined: int
    left: int


def figures(
    days: Sequence[Any], people: PeopleCounts, subscriptions: Subscriptions | None, zone: ZoneInfo
) -> dict[str, Any]:
    """The ``figures`` of the month whose daily facts are ``days`` (`DayFact` rows, by day)."""
    known = _capacity(days) | _desks(days) | _rooms(days) | _peak(days, zone)
    known["by_weekday_hour"] = by_hour(days, BOOKED)
    known["refused_requests"] = None if any(day.refused is None for day in days) else _sum(days, "refused")
    reasons: dict[str, str] = {"peak_at": "nothing_booked"}
    if not known_enough(known["desk_known_halfdays"], known["desk_booked_halfdays"]):
        known["desk_attended_halfdays"], reasons["desk_attended_halfdays"] = None, "too_few_known"
    if not known_enough(sum(day.room_known for day in days), known["room_booked_minutes"]):
        known["room_attended_minutes"], reasons["room_attended_minutes"] = None, "too_few_known"
    nothing_booked = not known["desk_booked_halfdays"] and not known["room_booked_minutes"]
    # Nobody seen where nobody was expected is nobody; else it is not knowing. Nor is it known who came where one name
    # stood for several people at once.
    several_under_one_name = known["desk_attended_halfdays"] is not None and (
        known["desk_attended_halfdays"] > 2 * len(days) * people.distinct
    )
    if (people.seen or nothing_booked) and not several_under_one_name:
        known["distinct_people"] = people.distinct
        known["worker_days"] = people.worker_days
        known["distinct_people_ytd"], known["newcomers"] = people.ytd, people.newcomers
        known["returning_people"] = people.returning
        reasons |= dict.fromkeys(("distinct_people_ytd", "newcomers", "returning_people"), "too_little_history")
        if people.by_status is not None:
            known["people_by_status"] = split = suppressed(people.by_status)
            reasons["people_by_status"] = "suppressed"
            reasons |= {
                f"people_by_status.{name}": "suppressed" for name, number in (split or {}).items() if number is None
            }
    if subscriptions is not None:
        known |= {
            "active_subscriptions": subscriptions.active,
            "joined": subscriptions.joined,
            "left": subscriptions.left,
        }
    found = filled(blank("not_recorded"), **{name: value for name, value in known.items() if value is not None})
    found["null_reasons"] |= {name: reason for name, reason in reasons.items() if found.get(name) is None}
    return found


def _sum(days: Sequence[Any], name: str) -> int:
    return sum(getattr(day, name) for day in days)


def _capacity(days: Sequence[Any]) -> dict[str, Any]:
    """What was open, and the most that was in service on one of the days."""
    return {
        "open_days": sum(1 for day in days if day.accessible_minutes),
        "accessible_minutes": _sum(days, "accessible_minutes"),
        "staffed_minutes": _sum(days, "staffed_minutes"),
        "desks_in_service": max((len(day.capacity["desk"]) for day in days), default=0),
        "rooms_in_service": max((len(day.capacity["room"]) for day in days), default=0),
        "seats_in_rooms": max((sum(seats for _, seats in day.capacity["room"]) for day in days), default=0),
    }


def _desks(days: Sequence[Any]) -> dict[str, Any]:
    names = ("offered", "booked", "attended", "known", "absent", "late_cancelled")
    found: dict[str, Any] = {f"desk_{name}_halfdays": _sum(days, f"desk_{name}") for name in names}
    # Nobody can say yet which desks are assigned, so that none found is not none there.
    return found | {"desk_resident_halfdays": _sum(days, "desk_resident") or None}


def _rooms(days: Sequence[Any]) -> dict[str, Any]:
    priced = all(day.room_paid is not None and day.room_free is not None for day in days)
    return {
        "room_offered_minutes": _sum(days, "room_offered"),
        "room_booked_minutes": _sum(days, "room_booked"),
        "room_attended_minutes": _sum(days, "room_attended"),
        "room_minutes_paid": _sum(days, "room_paid") if priced else None,
        "room_minutes_free": _sum(days, "room_free") if priced else None,
        "room_minutes_internal": _sum(days, "room_internal") or None,
        "room_guests_declared": _sum(days, "room_guests"),
    }


def _peak(days: Sequence[Any], zone: ZoneInfo) -> dict[str, Any]:
    """The day on which the largest part of the seats was booked at once; among equals, the first."""
    full = sum(1 for day in days if day.peak_seats and 100 * day.peak_seats >= FULL_AT * day.seats_in_service)
    busy = [day for day in days if day.peak_seats]
    top = busy[0] if busy else None
    for day in busy:
        assert top is not None
        if day.peak_seats * top.seats_in_service > top.peak_seats * day.seats_in_service:
            top = day
    in_service = top.seats_in_service if top else max((day.seats_in_service for day in days), default=0)
    return {
        "peak_seats": top.peak_seats if top else 0,
        "peak_seats_in_service": in_service,
        "peak_at": instant(top.peak_at, zone) if top else None,
        "days_over_80_percent": full,
    }


def instant(at: datetime, zone: ZoneInfo) -> str:
    """RFC 3339 with the offset of the lieu's own clock."""
    return at.astimezone(zone).isoformat(timespec="seconds")


BOOKED, ATTENDED = 0, 2
"""Which of the three numbers of an hour (`DayFact.hours`) is set against what was offered."""


def by_hour(days: Sequence[Any], what: int) -> list[list[list[int]]]:
    """By weekday and hour: seat-minutes at desks that were `BOOKED` or `ATTENDED`, and that were offered."""
    table = [[[0, 0] for _ in range(24)] for _ in range(7)]
    for day in days:
        for hour, counted in enumerate(day.hours):
            cell = table[day.day.weekday()][hour]
            cell[0] += counted[what]
            cell[1] += counted[1]
    return table


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The figures that differ, in the order of the list."""
    return [name for name in ORDER if before.get(name) != after.get(name)]
