"""When adhesions, subscriptions and agreements are valid, and which changes are refused. Plain decisions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

from coworking.accounts.rules import DatesCross
from coworking.core.errors import N_, DomainError
from coworking.core.months import month_after, month_end, month_of

AdhesionVat = Literal["out_of_scope", "exempt", "taxable"]
ADHESION_VAT: tuple[AdhesionVat, ...] = ("out_of_scope", "exempt", "taxable")

EVERY_DAY = 0b1111111

EXPIRES_SOON_DAYS = 30
"""From so many days before its end an adhesion's expiry is mentioned."""


class AlreadySubscribed(DomainError):
    code = "already_subscribed"
    status = 409
    message = N_("There is already a plan for that time: %(name)s. End it first.")


class MonthOutOfReach(DomainError):
    code = "month_out_of_reach"
    status = 422
    message = N_("A plan begins this month or one of the next twelve.")
    field = "first_month"


class PlanClosed(DomainError):
    code = "plan_closed"
    status = 422
    message = N_("This plan can no longer be chosen.")


class PackClosed(DomainError):
    code = "pack_closed"
    status = 422
    message = N_("This pack can no longer be bought.")


class BookedBeyond(DomainError):
    """Half-days are booked on the allowance of months that would no longer be subscribed."""

    code = "booked_beyond"
    status = 409
    message = N_("Half-days are already booked on this plan until %(last)s. Cancel them first, or end the plan later.")


class BookedWhileResting(BookedBeyond):
    """Half-days are booked on a plan in months in which it would rest."""

    code = "booked_while_resting"
    message = N_("Half-days are booked on this plan in those months, the last on %(last)s. Cancel them first.")


class AlreadyEnded(DomainError):
    code = "already_ended"
    status = 409
    message = N_("This has already ended.")


class AdhesionOverlaps(DomainError):
    code = "adhesion_overlaps"
    status = 409
    message = N_("There is already an annual membership until %(last)s.")
    field = "valid_from"


class AdhesionVatUnknown(DomainError):
    """A VAT-liable lieu must say how its adhesion is taxed before one is sold: nothing is guessed."""

    code = "adhesion_vat_unknown"
    message = N_("Say first how this place’s annual membership is taxed, under Settings, Plans and annual membership.")


class MustBePaidFirst(DomainError):
    """The lieu asks for the money before it counts, and the caller did not."""

    code = "must_be_paid_first"
    status = 409
    message = N_("This is paid before it begins. Look at the price first.")


class NothingToPayFirst(DomainError):
    """It costs nothing, or nobody can pay at once here."""

    code = "nothing_to_pay_first"
    status = 409
    message = N_("This cannot be paid online just now. Put it on the invoice.")


# Months and dates -----------------------------------------------------------------------------------------------------


def months_cross(first: date, last: date | None, other_first: date, other_last: date | None) -> bool:
    """Whether two runs of months (or days), each with an open end when None, share one."""
    return (other_last is None or first <= other_last) and (last is None or other_first <= last)


def adhesion_rate(vat_status: str, decided: str | None, rate_bp: int | None) -> int | None:
    """The VAT rate of an adhesion in basis points; None where a VAT-liable lieu has not said how it is taxed."""
    if vat_status != "taxable":
        return 0
    if decided is None:
        return None
    return (rate_bp or 0) if decided == "taxable" else 0


def last_day_of(first: date, months: int) -> date:
    """The last day of so many months that begin on ``first``: a month from 15 January ends on 14 February."""
    month = month_after(month_of(first), months)
    try:
        return month.replace(day=first.day) - timedelta(days=1)
    except ValueError:  # there is no 31 April, and seldom a 29 February
        return month_end(month)


def year_from(first: date) -> date:
    """The last day of the year that begins on ``first``."""
    return last_day_of(first, 12)


WARNED_DAYS = (30, 7)
"""How long before a pack ends its owner is told."""


def days_warned(valid_from: date, valid_until: date, today: date) -> int | None:
    """Which of the warnings is due for a pack, in days before its end; None for none.

    Who missed the first hears only the second. A pack that lasts hardly longer than a warning's days has no such warning.
    """
    left, lasts = (valid_until - today).days, (valid_until - valid_from).days
    due = [days for days in WARNED_DAYS if 0 <= left <= days and lasts >= 2 * days]
    return min(due, default=None)


def adhesion_begins(last: date | None, today: date) -> date:
    """The first day of the adhesion that follows one which ends with ``last`` (None: there is none)."""
    return today if last is None or last < today else date.fromordinal(last.toordinal() + 1)


def weekdays_mask(weekdays: Iterable[int]) -> int | None:
    """A bit mask of ``weekdays`` (0 = Monday); None when that is none or every one of them."""
    mask = sum(1 << day for day in set(weekdays))
    return None if mask in (0, EVERY_DAY) else mask


def expiry_state(valid_until: date, today: date) -> Literal["current", "soon", "expired"]:
    """How an adhesion stands."""
    if valid_until < today:
        return "expired"
    return "soon" if (valid_until - today).days <= EXPIRES_SOON_DAYS else "current"


def check_dates(first: date, last: date | None) -> None:
    """Raise `DatesCross` unless ``last`` is None or not before ``first``."""
    if last is not None and last < first:
        raise DatesCross(field="valid_until")
