"""What an attestation de présence counts, as plain decisions.

It states presence and nothing else: no hours, no working time. A half-day counts when

- a desk was booked for it and the booked half-day ended as ``came``: what says so is that half-day's own evidence; or
- a presence that has no desk (a walk-in for whom none was free, someone in a meeting room) touches it and no desk was
  booked for it. Half-days are parted where the lieu parts that day, whatever its opening hours. Without a departure such
  a presence lasts to the end of the room that was booked, and otherwise within the half-day of arrival.

A half-day for which a desk was booked follows that desk alone: what the host settled as ``absent``, what nobody
confirmed and what was cancelled do not count.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from coworking.booking.rules import HALVES, Half
from coworking.core.errors import N_, DomainError

HOST = "host"
"""What is said to have told of a half-day that came without saying how it was known."""


class AttestedMonthToCome(DomainError):
    code = "month_to_come"
    status = 422
    message = N_("Only a month that has begun can be attested.")
    field = "month"


class AttestedTooLate(DomainError):
    code = "attested_too_late"
    status = 422
    message = N_("Who was there when is kept for two years: nothing older can be certified.")
    field = "month"


class NothingToAttest(DomainError):
    code = "nothing_to_attest"
    status = 422
    message = N_("No presence is recorded in that month. Half-days count once you or the host said that you came.")
    field = "month"


class EmployerUnknown(DomainError):
    code = "employer_unknown"
    status = 422
    message = N_("Choose one of your organisations of that month, or none.")
    field = "employer"


class EmployerNotNamed(DomainError):
    code = "employer_not_named"
    status = 422
    message = N_("Say which employer: only the half-days that it pays are then listed.")
    field = "employer"


class NothingPaid(DomainError):
    code = "nothing_paid"
    status = 422
    message = N_("That employer paid for none of your half-days in that month.")
    field = "employer"


class NoSuchAttestation(DomainError):
    """Nothing was issued under this code."""

    code = "no_such_attestation"
    status = 404
    message = N_("No certificate has this code. Compare it with the paper, letter by letter.")


class TooManyCodes(DomainError):
    """``minutes`` says how long to wait; ``retry_after`` (an extra) the same in seconds."""

    code = "too_many_attempts"
    status = 429
    message = N_("Too many codes were tried from here. Try again in %(minutes)s min.")


@dataclass(frozen=True, slots=True)
class BookedHalf:
    """A half-day for which a desk was booked (and not cancelled), and what became of it."""

    day: date
    half: Half
    outcome: str
    evidence: str | None


@dataclass(frozen=True, slots=True)
class DesklessPresence:
    """A presence that has no desk. ``until`` is its departure, else the end of the room it had, else None."""

    day: date
    arrived_at: datetime
    until: datetime | None
    evidence: str


@dataclass(frozen=True, slots=True)
class AttestedDay:
    """One date and, for each half-day of presence, how it is known (self, host, kiosk, qr, network, import)."""

    day: date
    halves: Mapping[Half, str]


def attested_days(
    booked: Iterable[BookedHalf], stays: Iterable[DesklessPresence], split_at: Mapping[date, datetime]
) -> list[AttestedDay]:
    """The dates with at least one half-day that counts, in order; ``split_at`` tells where each date is parted."""
    evidence: dict[tuple[date, Half], str] = {}
    at_desk: set[tuple[date, Half]] = set()
    for unit in booked:
        at_desk.add((unit.day, unit.half))
        if unit.outcome == "came":
            evidence.setdefault((unit.day, unit.half), unit.evidence or HOST)
    for stay in sorted(stays, key=lambda stay: stay.arrived_at):
        for half in _touched(stay, split_at[stay.day]):
            if (stay.day, half) not in at_desk:
                evidence.setdefault((stay.day, half), stay.evidence)
    return [
        AttestedDay(day, {half: evidence[day, half] for half in HALVES if (day, half) in evidence})
        for day in sorted({day for day, _ in evidence})
    ]


def _touched(stay: DesklessPresence, split_at: datetime) -> tuple[Half, ...]:
    if stay.arrived_at >= split_at:
        return ("pm",)
    return HALVES if stay.until is not None and stay.until > split_at else ("am",)


def normal_code(text: str) -> str:
    """A verification code as people type it (capitals, blanks, other dashes, none at all), in its groups of four."""
    letters = "".join(char for char in text.lower() if char.isascii() and char.isalnum())
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def only_these(days: Iterable[AttestedDay], wanted: Container[tuple[date, str]]) -> list[AttestedDay]:
    """``days`` with their ``wanted`` half-days alone; days that have none of them are left out."""
    kept = [
        AttestedDay(row.day, {half: how for half, how in row.halves.items() if (row.day, half) in wanted})
        for row in days
    ]
    return [row for row in kept if row.halves]
