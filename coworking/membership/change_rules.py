"""Changing, pausing and taking back a plan: what is added at once, what it costs, and until when. Plain decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coworking.core.errors import N_, DomainError
from coworking.core.money import divide_half_up
from coworking.core.months import month_after, month_end, month_of

CHANGE_OF_MIND = timedelta(minutes=10)
"""How long a plan that counts already can be taken back; one that begins later can be until it does."""
MOST_PAUSED = 6
"""How many months a plan can rest."""


class NotAChange(DomainError):
    code = "not_a_change"
    status = 409
    message = N_("This is the plan there is already.")


class OnlyFromNextMonth(DomainError):
    """Only what gives more can begin within a month; a smaller plan would take back what was paid."""

    code = "only_from_next_month"
    status = 409
    message = N_("This plan can begin with the next month.")


class OnlyAfterTerm(OnlyFromNextMonth):
    """A cheaper plan begins when the minimum term of the one held is over, and adds nothing before."""

    code = "only_after_term"
    message = N_("A cheaper plan can begin once the minimum term is over, in %(month)s.")


class BookedMoreThanPlan(DomainError):
    """More half-days, or time in rooms, of a coming month are booked than the other plan holds."""

    code = "booked_more_than_plan"
    status = 409
    message = N_(
        "%(booked)s are booked in %(month)s, and the plan you want has %(limit)s. Cancel some first, or change later."
    )


class PauseOutOfReach(DomainError):
    code = "pause_out_of_reach"
    status = 422
    message = N_("A plan can rest for one to %(most)s months.")
    field = "back"


class TooLateToTakeBack(DomainError):
    code = "too_late_to_take_back"
    status = 409
    message = N_("This plan counts already: it can only end with its month.")


class UsedAlready(DomainError):
    code = "used_already"
    status = 409
    message = N_("Half-days are booked on this plan. Cancel them first.")


@dataclass(frozen=True, slots=True)
class MonthlyTerms:
    """What a plan gives and costs in a month; ``halfdays`` None: as many as one likes."""

    cents: int
    basis: str
    vat_rate_bp: int
    halfdays: int | None
    room_minutes: int = 0

    def is_cheaper_than(self, other: MonthlyTerms) -> bool:
        """Whether it costs less, by whatever basis."""
        return self._net < other._net

    @property
    def _net(self) -> int:
        """Without VAT, in hundredths of a cent or so: only to be compared."""
        return self.cents * (10_000 if self.basis == "ht" else 100_000_000 // (10_000 + self.vat_rate_bp))


@dataclass(frozen=True, slots=True)
class Supplement:
    """What a larger plan adds from ``first`` to the end of that month: half-days (None: as many as one likes), minutes of
    rooms, and cents in the basis of both plans."""

    first: date
    halfdays: int | None
    cents: int
    room_minutes: int = 0


def supplement(held: MonthlyTerms, wanted: MonthlyTerms, day: date) -> Supplement | None:
    """What changing on ``day`` adds to its month, by the days that are left, today included; None where it adds nothing.

    Half-days are rounded up, cents half up. A plan that holds more for less adds its half-days for nothing.
    """
    if (held.basis, held.vat_rate_bp) != (wanted.basis, wanted.vat_rate_bp) or held.halfdays is None:
        return None
    last = month_end(day)
    days, left = last.day, last.day - day.day + 1
    cents = max(0, divide_half_up((wanted.cents - held.cents) * left, days))
    minutes = max(0, -(-(wanted.room_minutes - held.room_minutes) * left // days))
    if wanted.halfdays is None:
        return Supplement(day, None, cents, minutes)
    more = wanted.halfdays - held.halfdays
    return Supplement(day, -(-more * left // days), cents, minutes) if more > 0 else None


def months_back(today: date) -> list[date]:
    """The months with which a plan that rests from the next month on can go on."""
    return [month_after(month_of(today), count) for count in range(2, MOST_PAUSED + 2)]


def check_back(back: date, today: date) -> None:
    """Raise `PauseOutOfReach` unless a pause can end before the month ``back``."""
    if back not in months_back(today):
        raise PauseOutOfReach(most=MOST_PAUSED)


def may_be_taken_back(first_month: date, created_at: datetime, today: date, instant: datetime) -> bool:
    """Whether a plan is so new, or still so far away, that it can be taken back."""
    if first_month > month_of(today):
        return True
    return first_month == month_of(today) and instant - created_at <= CHANGE_OF_MIND
