"""The six figures of a lieu without the software: which of them may be unknown, and how they must agree.

No Flask, no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from coworking.core.errors import N_
from coworking.core.months import month_end
from coworking.statistics.schema import SIX, blank, filled

MAY_BE_UNKNOWN = frozenset({"desk_attended_halfdays", "distinct_people", "workshop_participants"})
"""Who keeps no record of these leaves them empty: unknown is not 0."""
MOST_DIGITS = 6
"""Of a figure that is typed in."""

_PARTS = (
    ("desk_booked_halfdays", "desk_offered_halfdays", N_("More than the half-days offered.")),
    ("desk_attended_halfdays", "desk_booked_halfdays", N_("More than the half-days booked.")),
)


def most_days(month: date) -> int:
    """How many days of ``month`` a place can be open."""
    return month_end(month).day


def contradictions(six: Mapping[str, int | None]) -> dict[str, str]:
    """Message ids by the name of the figure that cannot be true beside the others."""
    found: dict[str, str] = {}
    for part, whole, words in _PARTS:
        smaller, larger = six[part], six[whole]
        if smaller is not None and larger is not None and smaller > larger:
            found[part] = words
    if six["open_days"] == 0 and six["desk_offered_halfdays"]:
        found["desk_offered_halfdays"] = N_("No day open, so no half-day offered.")
    return found


def figures_of(six: Mapping[str, int | None]) -> dict[str, Any]:
    """The figures of a ``monthly-return/1`` of which only ``six`` are given; None among them was not recorded."""
    figures = filled(blank("without_software"), **{name: six[name] for name in SIX if six[name] is not None})
    figures["null_reasons"].update((name, "not_recorded") for name in SIX if six[name] is None)
    return figures
