"""Who counts as having come, and when that may be said, as plain decisions."""

from __future__ import annotations

from datetime import datetime, timedelta

from coworking.core.errors import N_, DomainError
from coworking.core.timespan import Span

EARLY = timedelta(minutes=30)
"""One may arrive this long before the lieu opens."""

CONFIRMABLE = timedelta(days=7)
"""A booked half-day that nobody confirmed within this time is unknown for good."""


class ArrivalStands(DomainError):
    """The days before are counted, and perhaps invoiced."""

    code = "arrival_stands"
    status = 409
    message = N_("This arrival was on an earlier day: it stays as it was written down.")


class NotToday(DomainError):
    code = "not_today"
    status = 422
    message = N_("One can only arrive on the day itself.")


class ClosedNow(DomainError):
    code = "closed_now"
    status = 422
    message = N_("The lieu is closed just now.")


class CannotSettle(DomainError):
    code = "cannot_settle"
    status = 409
    message = N_("This half-day cannot be settled: it is cancelled or still to come.")


def arrival_marks(unit: Span, arrived_at: datetime) -> bool:
    """Whether someone who arrived at ``arrived_at`` came for the booked ``unit`` (it was not over yet)."""
    return unit.end > arrived_at
