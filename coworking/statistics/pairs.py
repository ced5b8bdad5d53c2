"""Rates as pairs of integers: kept and added as such, divided only to be shown.

A network's rate is Σ numerators ÷ Σ denominators of those who know both, never a mean of rates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

KNOWN_AT_LEAST = 80
"""Percent of what was booked whose outcome must be known before attendance and no-shows say anything."""


class Pair(NamedTuple):
    """``numerator`` out of ``denominator``, both counts of the same thing."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> int | None:
        """Rounded half-up to a whole percent; None out of nothing."""
        return (200 * self.numerator + self.denominator) // (2 * self.denominator) if self.denominator else None


RATES: Mapping[str, tuple[str, str]] = {
    "desk_booked": ("desk_booked_halfdays", "desk_offered_halfdays"),
    "desk_attended": ("desk_attended_halfdays", "desk_offered_halfdays"),
    "desk_no_show": ("desk_absent_halfdays", "desk_known_halfdays"),
    "room_booked": ("room_booked_minutes", "room_offered_minutes"),
    "room_attended": ("room_attended_minutes", "room_offered_minutes"),
    "peak": ("peak_seats", "peak_seats_in_service"),
}
"""Each rate's numerator and denominator among the figures."""


def known_enough(known: int, booked: int) -> bool:
    """Whether ``known`` of ``booked`` suffices to speak of attendance: 80 %, and nothing booked is all known."""
    return 100 * known >= KNOWN_AT_LEAST * booked


def rate(figures: Mapping[str, Any], name: str) -> Pair | None:
    """The pair of the rate ``name`` (see `RATES`); None where either number is unknown, or too little is for a no-show."""
    top, bottom = (figures[field] for field in RATES[name])
    if top is None or bottom is None:
        return None
    if name == "desk_no_show":
        booked = figures["desk_booked_halfdays"]
        if booked is None or not known_enough(bottom, booked):
            return None
    return Pair(top, bottom)


@dataclass(frozen=True, slots=True)
class Pooled:
    """The ``pair`` of several lieux together, how many it is of, and how many do not know."""

    pair: Pair
    lieux: int
    left_out: int


def pooled(pairs: Iterable[Pair | None]) -> Pooled:
    """Add ``pairs`` up; where one is None, its numerator *and* its denominator are left out."""
    top = bottom = lieux = left_out = 0
    for pair in pairs:
        if pair is None:
            left_out += 1
            continue
        lieux += 1
        top, bottom = top + pair.numerator, bottom + pair.denominator
    return Pooled(Pair(top, bottom), lieux, left_out)
