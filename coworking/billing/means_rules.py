"""Rules of saved means: when what is due is collected, when a debit is announced, what is tried again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from coworking.billing.gateways.port import Means
from coworking.core.errors import N_, DomainError

LEAST_NOTICE_DAYS, MOST_NOTICE_DAYS, USUAL_NOTICE_DAYS = 2, 14, 5
"""How many days before a debit its payer is told."""
BANK_DAYS = 3
"""How many days before a debit the bank must be asked."""
LATE_DAYS = 7
"""How long after its announced day a debit may still be made, where the gateway was away."""
RETRIED_AFTER = (3, 7)
"""How many days after the first and the second failure another attempt is made; there is no fourth one."""

NEVER_TRIED = frozenset({"not_sent", "unknown_there"})
"""Failures in which no bank was asked: they count as no attempt."""
FOR_THE_OWNER = frozenset(
    {
        "authentication_required",
        "expired_card",
        "lost_card",
        "stolen_card",
        "means_ended",
        "payment_intent_mandate_invalid",
        "debit_not_authorized",
        "account_closed",
        "bank_account_closed",
    }
)
"""Failures that the same attempt would meet again: only the owner can do something."""


class MeansMissing(DomainError):
    code = "means_missing"
    status = 409
    message = N_("This lieu cannot save a card or a bank account. Pay each invoice, or ask the host.")


class ConsentMissing(DomainError):
    code = "consent_missing"
    message = N_("Tick the box to agree: without it nothing may be collected.")


class NoticeDaysInvalid(DomainError):
    code = "notice_days_invalid"
    message = N_("Write a number of days from %(least)s to %(most)s.")
    field = "notice_days"


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed on local date ``on``, and the gateway's reason."""

    on: date
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a payer was told of a debit to come."""

    attempt: int
    cents: int
    debited_on: date


@dataclass(frozen=True, slots=True)
class CollectionStep:
    """What happens next to collect an invoice: ``announce`` a debit, or ``collect``. ``from_day``: not before it.

    ``on``: the day on which the payer's money moves, as they are told. ``cents``: no more than they were told.
    """

    act: Literal["announce", "collect"]
    attempt: int
    from_day: date
    on: date
    cents: int


def next_step(
    kind: Means,
    *,
    issued_on: date,
    due_on: date,
    owed: int,
    today: date,
    notice_days: int,
    failures: Sequence[Failure] = (),
    told: Sequence[Told] = (),
) -> CollectionStep | None:
    """What is to be done next for an invoice that owes ``owed``; None: nothing more, it is left to its payer.

    A card is charged on the day after the invoice was sent at the earliest: whoever sees a mistake has that day.
    """
    tried = [failure for failure in failures if failure.reason not in NEVER_TRIED]
    attempt = len(tried) + 1
    if len(tried) > len(RETRIED_AFTER) or any(failure.reason in FOR_THE_OWNER for failure in tried):
        return None
    earliest = max(due_on, issued_on + timedelta(days=1))
    if tried:
        earliest = max(earliest, tried[-1].on + timedelta(days=RETRIED_AFTER[len(tried) - 1]))
    if kind == "card":
        return CollectionStep("collect", attempt, earliest, max(earliest, today), owed)
    last = max((one for one in told if one.attempt == attempt), key=lambda one: one.debited_on, default=None)
    if last is not None and today <= last.debited_on + timedelta(days=LATE_DAYS):
        from_day = last.debited_on - timedelta(days=BANK_DAYS)
        return CollectionStep("collect", attempt, from_day, max(last.debited_on, today), min(owed, last.cents))
    ahead = timedelta(days=max(notice_days, BANK_DAYS + 1))  # a day to object before the bank is asked
    on = max(earliest, today + ahead)
    return CollectionStep("announce", attempt, on - ahead, on, owed)


def retried_on(failures: Sequence[Failure]) -> date | None:
    """The day from which another attempt is made after these failures; None: none is made."""
    tried = [failure for failure in failures if failure.reason not in NEVER_TRIED]
    if not tried or len(tried) > len(RETRIED_AFTER) or any(failure.reason in FOR_THE_OWNER for failure in tried):
        return None
    return tried[-1].on + timedelta(days=RETRIED_AFTER[len(tried) - 1])


def read_notice_days(text: str) -> int:
    """The days that were typed; raises `NoticeDaysInvalid`."""
    plain = text.strip()
    days = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 4 else 0
    if not LEAST_NOTICE_DAYS <= days <= MOST_NOTICE_DAYS:
        raise NoticeDaysInvalid(least=LEAST_NOTICE_DAYS, most=MOST_NOTICE_DAYS)
    return days
