"""Withdrawing within fourteen days from what was bought at a distance (Code de la consommation, L221-18 to L221-28)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from coworking.core.errors import N_, DomainError
from coworking.core.money import divide_half_up

WITHDRAWAL_DAYS = 14
"""How many days a consumer has, the day after the contract being the first (L221-18, L221-19)."""


class NotSoldAtDistance(DomainError):
    code = "not_sold_at_distance"
    status = 409
    message = N_("This was taken at the place itself: the fourteen days to withdraw are for what is bought online.")


class WithdrawalOver(DomainError):
    """``day``: the last one on which it could be said."""

    code = "withdrawal_over"
    status = 409
    message = N_("The time to withdraw from this ended on %(day)s.")


class LetterDayWrong(DomainError):
    """A letter is sent from the day of the contract on, and today at the latest."""

    code = "letter_day_wrong"
    message = N_("Write the day on which the letter was sent, from %(first)s to today.")
    field = "sent_on"


class ChangedSince(DomainError):
    """``name``: the plan that follows the one that was bought."""

    code = "changed_since"
    status = 409
    message = N_("“%(name)s” follows this plan. Take that back first.")


class BookedOnIt(DomainError):
    """``day``: the last one on which something is booked on a plan from which somebody withdraws."""

    code = "booked_on_it"
    status = 409
    message = N_("You have bookings to come on this plan, the last on %(day)s. Cancel them first.")


class WithdrawalChanged(DomainError):
    """A day has passed, or something was booked or billed, since the page was read."""

    code = "withdrawal_changed"
    status = 409
    message = N_("Something has changed meanwhile: %(amount)s come back now. Look at it once more.")


def last_day_to_withdraw(contract: date, is_holiday: Callable[[date], bool]) -> date:
    """The last day, whole, on which who bought on ``contract`` can withdraw.

    One that is a Saturday, a Sunday or a public holiday is put off to the next working day (L221-19).
    """
    last = contract + timedelta(days=WITHDRAWAL_DAYS)
    while last.weekday() >= 5 or is_holiday(last):
        last += timedelta(days=1)
    return last


def check_sent_on(sent_on: date, contract: date, today: date, is_holiday: Callable[[date], bool]) -> None:
    """Raise `LetterDayWrong` or `WithdrawalOver` unless a decision sent on that day counts, whenever it arrived."""
    if not contract <= sent_on <= today:
        raise LetterDayWrong(first=contract)
    last = last_day_to_withdraw(contract, is_holiday)
    if sent_on > last:
        raise WithdrawalOver(day=last)


@dataclass(frozen=True, slots=True)
class Served:
    """What ``cents`` are owed for: all days from ``first`` to ``last``."""

    cents: int
    first: date
    last: date

    def kept_until(self, until: date | None) -> int:
        """How much of it is owed for the days until ``until``, that day included (None: it is as if it had not begun).

        In proportion to the whole price, halves of a cent up (L221-25; Court of Justice, C-641/19).
        """
        if until is None:
            return 0
        whole = (self.last - self.first).days + 1
        used = min(max((until - self.first).days + 1, 0), whole)
        return divide_half_up(self.cents * used, whole)


def kept_of(parts: Iterable[Served], until: date | None) -> int:
    """How much of all ``parts`` is owed; see `Served.kept_until`."""
    return sum(part.kept_until(until) for part in parts)
