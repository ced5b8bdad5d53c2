"""What an employer may see of the people it pays for. Every page and file for an organisation's contact rests on this.

It sees how many half-days it paid for each person in a month, up to yesterday, and how many it may still be asked for. It
sees the dates of those half-days where the person agreed to it. It never sees times, desks, bookings to come or anything
that someone else pays, and nothing that could be computed from them: « left » counts what was used, not what is booked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from coworking.core.money import divide_half_up
from coworking.membership.allowance_rules import within

MONTHS_BACK = 24
"""How many months back an employer may look: as long as presences are kept in detail."""


@dataclass(frozen=True, slots=True)
class EmployeeUse:
    """Half-days of one ``day`` that the organisation paid for one person by one agreement."""

    person_id: int
    agreement_id: int
    day: date
    halfdays: int


@dataclass(frozen=True, slots=True)
class EmployeeAllowance:
    """How many half-days a month an agreement pays for each person (None: no limit), and its dates. ``has_other_limits``:
    of days a week or of euros a month."""

    agreement_id: int
    valid_from: date
    valid_until: date | None
    halfdays_per_month: int | None
    has_other_limits: bool = False


@dataclass(frozen=True, slots=True)
class Employee:
    """Someone who belongs or belonged to the organisation. ``shows_dates``: agreed that it sees the dates it pays."""

    person_id: int
    member_id: int
    first_name: str
    last_name: str
    is_contact: bool
    since: date
    until: date | None
    shows_dates: bool
    public_id: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class EmployeeMonth:
    """What the employer sees of one person in one month.

    ``left``: half-days it may still be asked for this month; None: no limit, only limits of days and euros
    (``has_other_limits``), or nothing to ask any more (not ``is_open``). ``dates``: each date with its half-days; None where
    the person did not agree.
    """

    who: Employee
    used: int
    left: int | None
    is_open: bool
    dates: tuple[tuple[date, int], ...] | None
    has_other_limits: bool = False


@dataclass(frozen=True, slots=True)
class AgreementMonth:
    """What the employer spent by one agreement in a month, up to yesterday, in cents of ``basis``; see `forecast`."""

    spent_cents: int
    forecast_cents: int | None
    basis: str


FORECAST_FROM = 5
"""A forecast needs so many opening days behind it: of fewer, one meeting would make a month."""


def forecast(spent_cents: int, open_days_over: int, open_days: int, cap_cents: int | None) -> int | None:
    """What a month comes to if it goes on as it began, in cents, at most ``cap_cents`` (None: no cap of the whole).

    From what was spent on the opening days that are over, never from what is booked: the employer must not learn that.
    None: too early to say.
    """
    if open_days_over < FORECAST_FROM:
        return None
    found = divide_half_up(spent_cents * open_days, open_days_over)
    return found if cap_cents is None else min(found, cap_cents)


def seen_of(
    who: Employee,
    uses: Iterable[EmployeeUse],
    allowances: Sequence[EmployeeAllowance],
    *,
    month: date,
    today: date,
) -> EmployeeMonth:
    """What the employer sees of ``who`` in ``month`` (its first day), on ``today``."""
    past = [
        use for use in uses if use.person_id == who.person_id and use.day.replace(day=1) == month and use.day < today
    ]
    left, is_open, has_other_limits = None, False, False
    if month == today.replace(day=1) and within(today, who.since, who.until):
        valid = [one for one in allowances if within(today, one.valid_from, one.valid_until)]
        limits = [
            max(0, one.halfdays_per_month - sum(use.halfdays for use in past if use.agreement_id == one.agreement_id))
            for one in valid
            if one.halfdays_per_month is not None
        ]
        is_open, has_other_limits = bool(valid), any(one.has_other_limits for one in valid)
        left = sum(limits) if valid and len(limits) == len(valid) else None
    by_day: dict[date, int] = {}
    for use in past:
        by_day[use.day] = by_day.get(use.day, 0) + use.halfdays
    dates = tuple(sorted(by_day.items())) if who.shows_dates else None
    return EmployeeMonth(who, sum(by_day.values()), left, is_open, dates, has_other_limits)
