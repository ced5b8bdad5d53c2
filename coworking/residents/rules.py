"""What an assigned desk or office costs in a month, when it ends, and why one is refused. Plain decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from coworking.core.errors import N_, DomainError
from coworking.core.money import divide_half_up
from coworking.core.months import month_end, month_of, months_between
from coworking.core.timespan import Span, local_day
from coworking.membership.rules import last_day_of

KINDS = ("desk", "office")
"""What can be assigned. A meeting room is shared by its nature."""

MIN_MONTHS, NOTICE_MONTHS = range(1, 37), range(13)
"""How many months a minimum term and a notice may have."""

WITHOUT_END = datetime(2400, 1, 1, tzinfo=UTC)
"""Until when the claim of a place is taken whose last day nobody knows yet."""

TOLD_BEFORE = timedelta(days=30)
"""How long before the last day its end is told again."""

State = Literal["to_come", "in_force", "over", "taken_back"]


class PlaceNotFree(DomainError):
    """Somebody has the place at some time in between. ``conflicts``: who and when; ``free_from``: the first day from which
    nobody has it any more (None: there is none, or the place itself is out of service)."""

    code = "place_not_free"
    status = 409
    message = N_("Somebody else has %(name)s in that time.")

    def __init__(self, name: str, conflicts: Sequence[Conflict], free_from: date | None) -> None:
        super().__init__(
            field="first_day",
            name=name,
            extra={
                "conflicts": [one.written() for one in conflicts],
                "free_from": free_from.isoformat() if free_from is not None else None,
            },
        )
        self.conflicts, self.free_from = conflicts, free_from


class PlaceCannotBeAssigned(DomainError):
    code = "place_cannot_be_assigned"
    status = 422
    message = N_("Only a desk or an office can be assigned.")
    field = "place"


class PlaceOutOfService(DomainError):
    code = "place_out_of_service"
    status = 422
    message = N_("%(name)s is not in service for all of that time.")
    field = "place"


class PlaceAssigned(DomainError):
    code = "place_assigned"
    status = 409
    message = N_("%(name)s is assigned to %(who)s. End that or move it first.")
    field = "last_day"


class AssignedInThePast(DomainError):
    code = "assigned_in_the_past"
    status = 422
    message = N_("A place is assigned from today on or later.")
    field = "first_day"


class NoticeTooShort(DomainError):
    code = "notice_too_short"
    status = 409
    message = N_("It ends on %(last)s at the earliest.")
    field = "last_day"


class EndsWithinMonth(DomainError):
    code = "ends_within_month"
    status = 422
    message = N_("It ends with a month: %(last)s would be right.")
    field = "last_day"


class AlreadyEnds(DomainError):
    code = "already_ends"
    status = 409
    message = N_("Its end is known already: %(last)s.")


class GoesOnAlready(DomainError):
    code = "goes_on_already"
    status = 409
    message = N_("It has no end, or its end is too near to go on.")


class NothingToMove(DomainError):
    """The day of a move lies outside what is left of it, before a move that is planned already, or to the same place."""

    code = "nothing_to_move"
    status = 422
    message = N_("Choose another place, and a day from %(first)s on while it is assigned.")
    field = "first_day"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Who has the place from ``first`` to ``last``: the booking with this public id, or another resident (None).

    ``who`` is None where it is a block, a workshop or what was cancelled just now and is held for an undo.
    """

    first: date
    last: date | None
    who: str | None
    booking: str | None = None

    def written(self) -> dict[str, str | None]:
        """The same as JSON; names are left out, the API says bookings by their ids."""
        return {
            "first_day": self.first.isoformat(),
            "last_day": self.last.isoformat() if self.last is not None else None,
            "booking_id": self.booking,
        }


@dataclass(frozen=True, slots=True)
class ResidentTerms:
    """What is agreed of a place: the columns of `models.Residency` that say so."""

    first_day: date
    last_day: date | None
    monthly_cents: int
    basis: str
    vat_rate_bp: int
    is_prorata: bool
    bound_until: date | None
    notice_months: int


def days_of(agreed: ResidentTerms, month: date) -> tuple[date, date] | None:
    """The first and the last day of ``month`` on which the place is assigned; None where there is none."""
    first = max(month_of(month), agreed.first_day)
    last = month_end(month) if agreed.last_day is None else min(month_end(month), agreed.last_day)
    return (first, last) if first <= last else None


def is_whole(agreed: ResidentTerms, month: date) -> bool:
    """Whether the place is assigned on every day of ``month``."""
    return days_of(agreed, month) == (month_of(month), month_end(month))


def month_cents(agreed: ResidentTerms, month: date) -> int:
    """What ``month`` costs, in the basis of the price: a part of a month by its days where that was agreed, halves of a
    cent up, else the whole month."""
    days = days_of(agreed, month)
    if days is None:
        return 0
    if not agreed.is_prorata or is_whole(agreed, month):
        return agreed.monthly_cents
    count = (days[1] - days[0]).days + 1
    return divide_half_up(agreed.monthly_cents * count, month_end(month).day)


def minimum_until(first_day: date, min_months: int | None) -> date | None:
    """The last day of a minimum term that begins with ``first_day``; None without one."""
    return None if min_months is None else last_day_of(first_day, min_months)


def earliest_end(today: date, agreed: ResidentTerms, *, let_off: bool = False) -> date:
    """The last day of the first month with which it can end, when that is asked for today: after its minimum term and its
    notice, unless a manager ``let_off`` what is left of both."""
    from_day = max(today, agreed.first_day)
    if let_off:
        return month_end(from_day)
    told = today if agreed.notice_months == 0 else last_day_of(today, agreed.notice_months)
    return month_end(max(from_day, told, agreed.bound_until or from_day))


def check_end(today: date, agreed: ResidentTerms, last_day: date, *, let_off: bool = False) -> None:
    """Raise `NoticeTooShort`, `EndsWithinMonth` or `AlreadyEnds` unless it can end with ``last_day``."""
    if agreed.last_day is not None:
        raise AlreadyEnds(last=agreed.last_day)
    if last_day < (earliest := earliest_end(today, agreed, let_off=let_off)):
        raise NoticeTooShort(last=earliest)
    if last_day != month_end(last_day):
        raise EndsWithinMonth(last=month_end(last_day))


def can_go_on(today: date, agreed: ResidentTerms) -> bool:
    """Whether its end can be taken back: not when its last month is a part that may be billed as one already."""
    last = agreed.last_day
    return (
        last is not None
        and last >= today
        and (last == month_end(last) or month_of(last) > month_of(today) or not agreed.is_prorata)
    )


def residency_state(agreed: ResidentTerms, today: date, *, taken_back: bool) -> State:
    """How it stands today."""
    if taken_back:
        return "taken_back"
    if today < agreed.first_day:
        return "to_come"
    return "over" if agreed.last_day is not None and agreed.last_day < today else "in_force"


def months_due(agreed: ResidentTerms, last_month: date) -> list[date]:
    """The months, up to ``last_month``, on which it is assigned at all."""
    until = last_month if agreed.last_day is None else min(last_month, month_of(agreed.last_day))
    return months_between(agreed.first_day, until)


def span_of(first_day: date, last_day: date | None, zone: ZoneInfo) -> Span:
    """From the first local midnight to the last one, or without an end."""
    start = local_day(first_day, zone).start
    return Span(start, WITHOUT_END if last_day is None else local_day(last_day, zone).end)
