"""What somebody types for a lieu that sends six figures, and the numbers that it means."""

from __future__ import annotations

from coworking.statistics.schema import SIX

TYPED = {
    "month": "2026-10",
    "open_days": "21",
    "desk_offered_halfdays": "1 260",
    "desk_booked_halfdays": "400",
    "desk_attended_halfdays": "355",
    "distinct_people": "38",
    "workshop_participants": "",
}
NUMBERS = {name: int(TYPED[name].replace(" ", "")) if TYPED[name] else None for name in SIX}
