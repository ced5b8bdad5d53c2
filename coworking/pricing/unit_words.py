"""How much of an allowance is said: on pages, documents and in refusals alike."""

from __future__ import annotations

from coworking.core.formats import duration
from coworking.core.i18n import ngettext
from coworking.pricing.rules import Unit


def amount_of(unit: Unit | str, count: int) -> str:
    """« 10 demi-journées » of desks, « 5 h » of rooms and offices, whose ``count`` is in minutes."""
    return ngettext("%(num)s half-day", "%(num)s half-days", count) if unit == "half_day" else duration(count)
