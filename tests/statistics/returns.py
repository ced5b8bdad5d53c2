"""Monthly returns that can be true, made up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from coworking.core.months import month_after, month_days, write_month
from coworking.statistics import schema
from coworking.statistics.schema import FAMILIES, REASONS, STATUS_NAMES

COUNT = st.integers(0, 10_000)


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` with the digest of its figures."""
    return {**document, "figures_sha256": schema.digest(schema.canonical(document["figures"]))}


def plain_figures(**changes: Any) -> dict[str, Any]:
    """An ordinary October of a lieu with ten desks and two rooms; null figures get the reason ``not_recorded``."""
    hours = [[[0, 0] for _ in range(24)] for _ in range(7)]
    hours[3][9] = [1200, 2400]
    known = {
        "open_days": 23,
        "accessible_minutes": 23 * 540,
        "staffed_minutes": 23 * 480,
        "desks_in_service": 10,
        "rooms_in_service": 2,
        "seats_in_rooms": 20,
        "desk_offered_halfdays": 460,
        "desk_booked_halfdays": 300,
        "desk_attended_halfdays": 260,
        "desk_known_halfdays": 290,
        "desk_absent_halfdays": 30,
        "desk_late_cancelled_halfdays": 8,
        "room_offered_minutes": 24_840,
        "room_booked_minutes": 9_000,
        "room_attended_minutes": 8_000,
        "room_guests_declared": 44,
        "peak_seats": 9,
        "peak_seats_in_service": 10,
        "peak_at": "2026-10-08T10:00:00+02:00",
        "days_over_80_percent": 3,
        "distinct_people": 41,
        "distinct_people_ytd": 80,
        "newcomers": 6,
        "returning_people": 33,
        "worker_days": 190,
        "by_weekday_hour": hours,
    } | changes
    figures = schema.filled(schema.blank("not_recorded"), **known)
    for name, value in changes.items():
        if value is None:
            figures["null_reasons"][name] = "not_recorded"
    return figures


def plain(**envelope: Any) -> dict[str, Any]:
    """A sealed return of October 2026; ``figures`` and the rest of the envelope may be given."""
    return sealed(
        {
            "schema": schema.SCHEMA,
            "lieu_id": "3f0c8f0e-6a4b-4c57-9a53-0a8e6f6a2f11",
            "siret": "12345678900011",
            "name": "La Fabrique du Pont",
            "code_insee": "63430",
            "month": "2026-10",
            "status": "final",
            "revision": 1,
            "reason": None,
            "generated_at": "2026-11-05T06:00:00Z",
            "software_version": "1.0.0",
            "figures": plain_figures(),
        }
        | envelope
    )


@st.composite
def any_figures(draw: st.DrawFn, month: date) -> dict[str, Any]:
    """Figures of ``month`` that do not contradict each other, any of them unknown."""
    first, last = month_days(month)
    days = draw(st.integers(0, last.day))
    desks = draw(st.integers(0, 200))
    offered = draw(st.integers(0, 2 * days * desks))
    booked = draw(st.integers(0, offered))
    known = draw(st.integers(-(-4 * booked // 5), booked))
    absent = draw(st.integers(0, known))
    rooms = draw(st.integers(0, 20))
    room_offered = draw(st.integers(0, rooms * days * 1440))
    room_booked = draw(st.integers(0, room_offered))
    paid = draw(st.integers(0, room_booked))
    free = draw(st.integers(0, room_booked - paid))
    seats = draw(st.integers(0, 400))
    peak = draw(st.integers(0, seats))
    people = draw(st.integers(-(-(known - absent) // (2 * last.day)), 12_500))
    new = draw(st.integers(0, people))
    at = datetime(first.year, first.month, draw(st.integers(1, last.day)), draw(st.integers(0, 23)), tzinfo=UTC)
    pairs = st.integers(0, 3000).flatmap(lambda top: st.tuples(st.integers(0, top), st.just(top)).map(list))
    cell = draw(pairs)
    known_figures: dict[str, Any] = {name: draw(COUNT) for name in schema.COUNTS} | {
        "open_days": days,
        "accessible_minutes": draw(st.integers(0, days * 1440)),
        "staffed_minutes": draw(st.integers(0, days * 1440)),
        "desks_in_service": desks,
        "rooms_in_service": rooms,
        "seats_in_rooms": rooms + draw(st.integers(0, 300)),
        "desk_offered_halfdays": offered,
        "desk_booked_halfdays": booked,
        "desk_known_halfdays": known,
        "desk_absent_halfdays": absent,
        "desk_attended_halfdays": known - absent,
        "room_offered_minutes": room_offered,
        "room_booked_minutes": room_booked,
        "room_attended_minutes": draw(st.integers(0, room_booked)),
        "room_minutes_paid": paid,
        "room_minutes_free": free,
        "room_minutes_internal": room_booked - paid - free,
        "peak_seats": peak,
        "peak_seats_in_service": seats,
        "peak_at": at.isoformat(),
        "days_over_80_percent": draw(st.integers(0, days)),
        "distinct_people": people,
        "distinct_people_ytd": people + draw(COUNT),
        "newcomers": new,
        "returning_people": draw(st.integers(0, people - new)),
        "worker_days": people * draw(st.integers(1, last.day)),
        "people_by_status": dict.fromkeys(STATUS_NAMES, 0) | {"unknown": people},
        "revenue_cents_by_family": {name: draw(st.integers(-(10**9), 10**9)) for name in FAMILIES},
        "by_weekday_hour": [[list(cell) for _ in range(24)] for _ in range(7)],
    }
    unknown = draw(st.sets(st.sampled_from(sorted(known_figures))))
    if "peak_seats" not in unknown and not peak:
        unknown.add("peak_at")
    elif peak and "peak_seats" not in unknown:
        unknown.discard("peak_at")
    if "peak_seats" in unknown:
        unknown.add("peak_at")
    if 0 < people < 5:
        unknown.add("people_by_status")
    figures = schema.filled(
        schema.blank("not_recorded"), **{name: value for name, value in known_figures.items() if name not in unknown}
    )
    reasons = {name: draw(st.sampled_from(REASONS)) for name in figures["null_reasons"]}
    return {**figures, "null_reasons": reasons}


LINE = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40).map(lambda t: f"x{t}x")


@st.composite
def any_return(draw: st.DrawFn) -> dict[str, Any]:
    """A sealed return of any month of two years, of any status."""
    month = date(2026 + draw(st.integers(0, 1)), draw(st.integers(1, 12)), 1)
    status = draw(st.sampled_from(schema.STATUSES))
    made = datetime.combine(month_after(month), datetime.min.time(), tzinfo=UTC) + timedelta(
        minutes=draw(st.integers(0, 500_000))
    )
    return sealed(
        {
            "schema": schema.SCHEMA,
            "lieu_id": str(draw(st.uuids())),
            "siret": draw(st.none() | st.from_regex(r"[0-9]{14}", fullmatch=True)),
            "name": draw(LINE),
            "code_insee": draw(st.none() | st.just("2A004")),
            "month": write_month(month),
            "status": status,
            "revision": draw(st.integers(2 if status == "restatement" else 1, 40)),
            "reason": draw(LINE) if status == "restatement" else None,
            "generated_at": made.isoformat(timespec="seconds"),
            "software_version": "1.4.2+local",
            "figures": draw(any_figures(month)),
        }
    )
