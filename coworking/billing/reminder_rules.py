"""Rules of reminders: which step an overdue invoice reaches on which day, why none leaves, what lateness costs. Pure.

Days are local dates of the lieu. Amounts are integer cents, rates basis points a year.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from coworking.core.errors import N_, DomainError
from coworking.core.money import divide_half_up

KIND, FIRM, FORMAL = 1, 2, 3
STEPS = (KIND, FIRM, FORMAL)
"""The steps in their order; each may be left out."""
USUAL_DAYS = {KIND: 7, FIRM: 21, FORMAL: 40}
"""How many days after the day an invoice was to be paid by each step leaves, where the lieu says nothing else."""
LEAST_DAYS, MOST_DAYS = 1, 365
USUAL_GAP, LEAST_GAP, MOST_GAP = 7, 1, 60
"""How many days lie between two reminders of one payer at least."""
FIRST_HOUR, LAST_HOUR = 9, 19
"""Reminders leave from nine in the morning, local time, and never in the evening or at night."""
SATURDAY = 5

Silence = Literal["paid", "pending", "disputed", "collected", "credit", "transfer", "paused", "ended"]
"""Why nothing leaves for an invoice. ``ended``: every step was sent or left out."""


class DaysInvalid(DomainError):
    code = "reminder_days_invalid"
    message = N_("The steps follow each other: each leaves later than the one before.")
    field = "days"


class NoStepLeft(DomainError):
    code = "reminder_no_step"
    message = N_("Keep at least one step.")
    field = "is_used"


class NobodyChose(DomainError):
    code = "reminders_not_chosen"
    status = 409
    message = N_("Choose first in the settings whether reminders leave.")


class NothingToRemind(DomainError):
    code = "nothing_to_remind"
    status = 409
    message = N_("Nothing of it leaves any more: it was paid, or something is under way. Reload this page.")


class RemindedLately(DomainError):
    code = "reminded_lately"
    status = 409
    message = N_("The last reminder is too recent. The next one may leave on %(day)s.")


class TextChanged(DomainError):
    code = "reminder_changed"
    status = 409
    message = N_("What is owed has changed since you printed it. Print the letter again.")


class PauseReasonMissing(DomainError):
    code = "pause_reason_missing"
    message = N_("Say in a few words why, so that everyone knows later.")
    field = "reason"


class PauseInPast(DomainError):
    code = "pause_in_past"
    message = N_("Choose a day from tomorrow on.")
    field = "until"


class UnknownPlaceholder(DomainError):
    code = "placeholder_unknown"
    message = N_("%(name)s stands for nothing here. Known are: %(known)s.")


class PlaceholderMissing(DomainError):
    code = "placeholder_missing"
    message = N_("Put %(name)s where it is to stand: without it the payer does not know what is owed, or how to pay.")


class RateUnreadable(DomainError):
    code = "rate_unreadable"
    message = N_("Write the rate in percent, such as 2,15.")
    field = "ecb"


# When -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pause:
    """No reminder before local date ``until`` (None: until somebody ends it), or, of one ``step`` alone, never."""

    until: date | None = None
    step: int | None = None

    def holds(self, on: date) -> bool:
        """Whether a whole pause still holds on that day."""
        return self.step is None and (self.until is None or on < self.until)


@dataclass(frozen=True, slots=True)
class Overdue:
    """An invoice as reminders see it. ``owed_cents``: part payments and credit notes counted.

    ``sent``: the steps that left, with their days. ``moved_on``: the last day on which anything about it changed (a payment
    written down, an attempt to pay, a dispute, a pause that was ended): nothing leaves on such a day, so whatever leaves has
    stood on the list the day before. ``silence``: why nothing may leave whatever the day, besides pauses.
    """

    due_on: date
    owed_cents: int
    sent: Mapping[int, date] = field(default_factory=dict[int, date])
    pauses: Collection[Pause] = ()
    silence: Silence | None = None
    moved_on: date | None = None


@dataclass(frozen=True, slots=True)
class StepSchedule:
    """The lieu's steps by number with their days; ``gap_days`` between two reminders; nothing before ``begins_on``."""

    days: Mapping[int, int]
    gap_days: int = USUAL_GAP
    begins_on: date | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next for an invoice: ``step`` on day ``on``, or no step and ``why_not``.

    ``on`` with ``why_not`` ``paused``: the day from which the pause no longer holds. ``sooner``: the first day on which a
    manager may send the step by hand.
    """

    step: int | None
    on: date | None
    why_not: Silence | None = None
    sooner: date | None = None


def next_reminder(invoice: Overdue, schedule: StepSchedule, today: date, payer_reminded_on: date | None = None) -> Next:
    """The next step of ``invoice`` and its day, from ``today`` on. ``payer_reminded_on``: when its payer got the last one.

    One step at a time and in order: the first that is used, was not left out and lies behind every step that was sent.
    """
    if invoice.owed_cents <= 0:
        return Next(None, None, "paid")
    if invoice.silence is not None:
        return Next(None, None, invoice.silence)
    if any(pause.holds(date.max) for pause in invoice.pauses):
        return Next(None, None, "paused")
    left_out = {pause.step for pause in invoice.pauses if pause.step is not None}
    reached = max(invoice.sent, default=0)
    step = next((one for one in sorted(schedule.days) if one > reached and one not in left_out), None)
    if step is None:
        return Next(None, None, "ended")
    last = max((day for day in (*invoice.sent.values(), payer_reminded_on) if day is not None), default=None)
    gap = last + timedelta(days=max(schedule.gap_days, 1)) if last is not None else today
    sooner = max(today, gap, invoice.due_on + timedelta(days=1))
    on = max(sooner, invoice.due_on + timedelta(days=schedule.days[step]), schedule.begins_on or today)
    if invoice.moved_on is not None:
        on = max(on, invoice.moved_on + timedelta(days=1))
    pause_ends = max((pause.until for pause in invoice.pauses if pause.step is None and pause.until), default=today)
    on = sending_day(max(on, pause_ends))
    if pause_ends > today:
        return Next(step, on, "paused", max(sooner, pause_ends))
    return Next(step, on, None, sooner)


def sending_day(day: date) -> date:
    """That day, or the Monday after it: nobody reads a reminder on a weekend, or can answer it."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= SATURDAY else day


def sending_day_after(day: date) -> date:
    """The next day on which reminders leave."""
    return sending_day(day + timedelta(days=1))


def check_steps(days: Mapping[int, int]) -> None:
    """Raise `NoStepLeft`, `DaysInvalid`."""
    if not days:
        raise NoStepLeft()
    ordered = [days[step] for step in sorted(days)]
    if any(later <= earlier for earlier, later in pairwise(ordered)):
        raise DaysInvalid()


# What lateness costs --------------------------------------------------------------------------------------------------

INDEMNITY_CENTS = 4000
"""Code de commerce D. 441-5: 40 € for each invoice paid late, between professionals only."""

ECB_RATES: dict[date, int] = {
    date(2023, 1, 1): 250,
    date(2023, 7, 1): 400,
    date(2024, 1, 1): 450,
    date(2024, 7, 1): 425,
    date(2025, 1, 1): 315,
    date(2025, 7, 1): 215,
    date(2026, 1, 1): 215,
}
"""The ECB's rate of main refinancing operations on the first day of each half-year, which holds for all of it (Code de
commerce L. 441-10, II). Later ones are the lieu's to say: a figure that nobody looked up is not claimed."""


@dataclass(frozen=True, slots=True)
class PrintedRate:
    """The yearly rate that an invoice prints: ``bp`` alone, or that many points above the ECB's rate."""

    bp: int
    above_ecb: bool = False


_POINTS = re.compile(r"major\w+ de (\d+(?:[.,]\d+)?) points?")
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?)\s*%")


def printed_rate(notes: Collection[str]) -> PrintedRate | None:
    """The rate of penalties in an invoice's own words; None where they give none that can be counted with."""
    for note in notes:
        plain = note.lower().replace("\u00a0", " ").replace("\u202f", " ")
        if "pénalité" not in plain:
            continue
        if ("banque centrale" in plain or "bce" in plain) and (found := _POINTS.search(plain)):
            return PrintedRate(_basis_points(found[1]), above_ecb=True)
        if found := _PERCENT.search(plain):
            monthly = "par mois" in plain or "mensuel" in plain
            return PrintedRate(_basis_points(found[1]) * (12 if monthly else 1))
    return None


def _basis_points(text: str) -> int:
    whole, _comma, rest = text.replace(",", ".").partition(".")
    return int(whole) * 100 + int(f"{rest}00"[:2])


def read_rate(text: str) -> int:
    """A rate in basis points, of « 2,15 » or « 2.15 % »; raises `RateUnreadable`."""
    plain = text.replace("%", "").replace("\u202f", "").replace("\u00a0", "").strip()
    if not re.fullmatch(r"\d{1,2}(?:[.,]\d{1,2})?", plain, re.ASCII):
        raise RateUnreadable()
    return _basis_points(plain)


def half_year(day: date) -> date:
    """The first day of the half-year that ``day`` lies in."""
    return date(day.year, 1 if day.month < 7 else 7, 1)


def penalty_cents(
    owed_cents: int, rate: PrintedRate | None, due_on: date, today: date, ecb: Mapping[date, int]
) -> int | None:
    """The penalties on ``owed_cents`` from the day after ``due_on`` to ``today``, rounded half-up once; None: not known.

    Simple interest by the day, a year being 365. Of an invoice that was paid in part only what is still owed counts.
    """
    if rate is None or today <= due_on:
        return None if rate is None else 0
    total, first = Fraction(0), due_on + timedelta(days=1)
    while first <= today:
        half = half_year(first)
        following = half_year(half + timedelta(days=190))
        last = min(today, following - timedelta(days=1))
        if rate.above_ecb and half not in ecb:
            return None
        bp = rate.bp + (ecb[half] if rate.above_ecb else 0)
        total += Fraction(owed_cents * bp * ((last - first).days + 1), 10_000 * 365)
        first = following
    return divide_half_up(total.numerator, total.denominator)


@dataclass(frozen=True, slots=True)
class LateCosts:
    """What lateness adds to an invoice: ``penalty_cents`` None where the rate cannot be counted with."""

    indemnity_cents: int = 0
    penalty_cents: int | None = 0


NO_COSTS = LateCosts()


def late_costs(
    *,
    is_organisation: bool,
    says_costs: bool,
    owed_cents: int,
    notes: Collection[str],
    due_on: date,
    today: date,
    ecb: Mapping[date, int],
) -> LateCosts:
    """What an invoice's reminder claims besides: of organisations alone, and only where the invoice's own step says so.

    Code de commerce L. 441-10, II and D. 441-5. A consumer owes neither.
    """
    if not is_organisation or not says_costs:
        return NO_COSTS
    return LateCosts(INDEMNITY_CENTS, penalty_cents(owed_cents, printed_rate(notes), due_on, today, ecb))


# Words ----------------------------------------------------------------------------------------------------------------

PLACEHOLDERS: dict[str, dict[str, str]] = {
    "fr": {
        "payeur": "payer",
        "lieu": "place",
        "factures": "invoices",
        "total": "total",
        "lien": "link",
        "frais": "costs",
    },
    "en": {
        "payer": "payer",
        "place": "place",
        "invoices": "invoices",
        "total": "total",
        "link": "link",
        "costs": "costs",
    },
}
"""By language, the names that may stand in braces, and what each means."""
ONE_LINE = ("payer", "place", "total")
"""Those a subject may hold."""
NEEDED = ("invoices", "link")
"""Those every text holds."""
_NAME = re.compile(r"\{([^{}\n]*)\}")


def check_words(language: str, subject: str, text: str, *, step: int) -> None:
    """Raise `UnknownPlaceholder`, `PlaceholderMissing`, each at its input.

    What lateness costs may be said in the formal step alone.
    """
    for field_name, words, allowed in (
        (f"subject_{language}", subject, ONE_LINE),
        (
            f"text_{language}",
            text,
            tuple(set(PLACEHOLDERS[language].values()) - ({"costs"} if step != FORMAL else set())),
        ),
    ):
        known = {name: meaning for name, meaning in PLACEHOLDERS[language].items() if meaning in allowed}
        for name in _NAME.findall(words):
            if name not in known:
                raise UnknownPlaceholder(
                    name=f"{{{name}}}", known=", ".join(f"{{{one}}}" for one in known), field=field_name
                )
    for meaning in NEEDED:
        name = name_of(language, meaning)
        if f"{{{name}}}" not in text:
            raise PlaceholderMissing(name=f"{{{name}}}", field=f"text_{language}")


def name_of(language: str, meaning: str) -> str:
    """What a placeholder is called in a language."""
    return next(name for name, means in PLACEHOLDERS[language].items() if means == meaning)


def says_costs(language: str, text: str) -> bool:
    """Whether a step's text says what lateness costs."""
    return f"{{{name_of(language, 'costs')}}}" in text


def with_values(language: str, words: str, values: Mapping[str, str]) -> str:
    """``words`` with ``values`` (by meaning) in their places; empty paragraphs go. Unknown names stay as they are."""
    known = PLACEHOLDERS[language]

    def put(found: re.Match[str]) -> str:
        return values.get(known.get(found[1], ""), found[0])

    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", _NAME.sub(put, words.replace("\r\n", "\n")))]
    return "\n\n".join(part for part in paragraphs if part)


def firmest(steps: Sequence[int]) -> int:
    """The step whose words are used for several invoices at once."""
    return max(steps)
