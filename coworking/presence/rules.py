"""Who counts as having come, and when that may be said, as plain decisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coworking.booking.rules import ABSENT, CAME, PENDING, UNKNOWN, BookableHalf
from coworking.core.errors import N_, DomainError
from coworking.core.months import month_before, month_of
from coworking.core.timespan import Span, subtract

EARLY = timedelta(minutes=30)
"""One may arrive this long before the lieu opens, or before what one booked begins."""

LINGER = timedelta(minutes=30)
"""Who leaves within this time of the beginning of a half-day has not used it: they were on their way out."""

KEPT_MONTHS = 24
"""Who was there when is kept for so many whole months before the running one."""

CONFIRMABLE = timedelta(days=7)
"""A booked half-day that nobody confirmed within this time is unknown for good."""

HOST = "host"
"""Evidence: someone of the team said so."""
SEEN_ELSEWHEN = "presence"
"""Evidence of an absence: the person was seen that day, but not then."""

LONGEST_REASON = 200


def kept_from(today: date) -> date:
    """The first day whose presences are still kept."""
    return month_before(month_of(today), KEPT_MONTHS)


class ArrivalStands(DomainError):
    """The days before are counted, and perhaps invoiced."""

    code = "arrival_stands"
    status = 409
    message = N_("This arrival was on an earlier day: correct the half-days in the day's register instead.")


class NotToday(DomainError):
    code = "not_today"
    status = 422
    message = N_("You can only check in on the day itself.")


class ClosedNow(DomainError):
    code = "closed_now"
    status = 422
    message = N_("The lieu is closed just now.")


class CannotSettle(DomainError):
    code = "cannot_settle"
    status = 409
    message = N_("This half-day cannot be settled: it is cancelled or still to come.")


class ReasonNeeded(DomainError):
    code = "reason_needed"
    status = 422
    message = N_("Say in a few words why this is corrected.")
    field = "reason"


class ReasonTooLong(DomainError):
    code = "reason_too_long"
    status = 422
    message = N_("Write the reason in one line of at most %(most)s characters.")
    field = "reason"


class ClosedForGood(DomainError):
    """Figures that have been published are corrected by those who answer for them."""

    code = "closed_for_good"
    status = 403
    message = N_("This month is closed for good: a manager can correct it.")


class ToCome(DomainError):
    code = "to_come"
    status = 422
    message = N_("An arrival can be entered once it has happened.")
    field = "from"


class TooLongAgo(DomainError):
    """What was used before has been invoiced: a forgotten half-day would never be."""

    code = "too_long_ago"
    status = 422
    message = N_("Arrivals can be entered for this month and the one before.")
    field = "day"


class LeftBefore(DomainError):
    code = "left_before"
    status = 422
    message = N_("The departure must come after the arrival.")
    field = "to"


class AlreadyThere(DomainError):
    code = "already_there"
    status = 409
    message = N_("A presence is recorded for that time already.")
    field = "from"


class NothingToTakeBack(DomainError):
    code = "nothing_to_undo"
    status = 409
    message = N_("There is nothing left to undo: correct the half-days in the day's register.")


@dataclass(frozen=True, slots=True)
class Visit:
    """Someone was there from ``start`` to ``end``; None: nobody saw them leave, they stayed for all they had booked.

    ``seen``: written down on the day itself, so that it tells of the whole day. What a host says afterwards of one
    half-day tells nothing of the other.
    """

    start: datetime
    end: datetime | None
    evidence: str
    seen: bool = True

    def touches(self, span: Span) -> bool:
        """Whether some of the visit lies in ``span``; who came in and went out at once was there too."""
        if self.start >= span.end:
            return False
        return self.end is None or self.end > span.start or self.start >= span.start


def verdict(
    unit: Span, outcome: str, evidence: str | None, visits: Collection[Visit], at: datetime
) -> tuple[str, str | None]:
    """What became of a booked ``unit`` by the ``visits`` of its person that day, and how that is known.

    Someone there during it came. Someone seen that day, only not then, was absent once it is over. Where nobody was
    seen it waits for someone to speak. What the host said otherwise stands until the person turns up.
    """
    during = next((visit for visit in visits if visit.touches(unit)), None)
    if during is not None:
        return CAME, during.evidence
    if evidence == HOST and outcome in (ABSENT, UNKNOWN):
        return outcome, evidence
    if unit.end <= at and any(visit.seen for visit in visits):
        return ABSENT, SEEN_ELSEWHEN
    if outcome == UNKNOWN:
        return outcome, evidence
    return PENDING, None


def half_of_arrival(halves: Iterable[BookableHalf], at: datetime) -> BookableHalf | None:
    """The half-day someone who arrives at ``at`` comes for: the running one, or the next when it begins within `EARLY`.

    None once all are over.
    """
    ahead = [half for half in halves if half.span.end > at]
    if len(ahead) > 1 and ahead[1].span.start <= at + EARLY:
        return ahead[1]
    return ahead[0] if ahead else None


def halves_of_stay(halves: Iterable[BookableHalf], start: datetime, end: datetime | None) -> list[BookableHalf]:
    """The half-days that someone there from ``start`` to ``end`` used: that of arrival, and each later one they stayed
    in for more than `LINGER`. Without a departure: that of arrival alone."""
    halves = list(halves)
    first = half_of_arrival(halves, start)
    if first is None:
        return []
    later = [half for half in halves if half.span.start > first.span.start]
    return [first, *(half for half in later if end is not None and end > half.span.start + LINGER)]


def has_place(units: Iterable[Span], half: Span, at: datetime) -> bool:
    """Whether someone there from ``at`` has booked something in ``half`` that is not over by then."""
    return any(unit.start < half.end and unit.end > max(at, half.start) for unit in units)


def without(visit: Span, unit: Span, came: Collection[Span]) -> list[Span]:
    """What remains of ``visit`` once its person was not there for ``unit``: the parts during units they ``came`` for."""
    hole = subtract([unit], came)
    return [piece for piece in subtract([visit], hole) if any(piece.overlaps(other) for other in came)]
