"""Days and months as tables of the house write them, in French or by ISO 8601."""

from __future__ import annotations

import re
from datetime import date

from coworking.core.errors import N_
from coworking.core.months import month_of
from coworking.core.reading import UnreadableDate

_FRENCH = re.compile(r"(?:(\d{1,2})[/.-])?(\d{1,2})[/.-](\d{4})")


class SheetDateUnreadable(UnreadableDate):
    message = N_("This is not a date. Write it like 2026-11-26 or 26/11/2026.")


def day_in(text: str) -> date:
    """The day of « 25/12/2026 » or « 2026-12-25 », whatever stands behind it; raises `SheetDateUnreadable`."""
    written = text.strip().partition(" ")[0]
    french = _FRENCH.fullmatch(written)
    try:
        return date(int(french[3]), int(french[2]), int(french[1] or 0)) if french else date.fromisoformat(written)
    except ValueError:
        raise SheetDateUnreadable() from None


def month_in(text: str) -> date:
    """The month of « 2026-09 », « 2026-09-15 », « 15/09/2026 » or « 09/2026 », by its first day; raises
    `SheetDateUnreadable`."""
    written = text.strip().partition(" ")[0]
    french = _FRENCH.fullmatch(written)
    iso = f"{french[3]}-{int(french[2]):02d}-{int(french[1] or 1):02d}" if french else written
    try:
        return month_of(date.fromisoformat(iso if len(iso) > 7 else f"{iso}-01"))
    except ValueError:
        raise SheetDateUnreadable() from None
