"""What may be booked, moved, cancelled and counted, as plain decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from coworking.claims.rules import ClaimConflict
from coworking.core.errors import N_, DomainError
from coworking.core.timespan import Span, intersect, local_date, local_minute, total_minutes, union
from coworking.spaces.rules import OpenDay, check_open, half_spans, refuse_closed

Half = Literal["am", "pm"]
HALVES: tuple[Half, Half] = ("am", "pm")

PENDING, CAME, ABSENT, UNKNOWN = "pending", "came", "absent", "unknown"
"""What becomes of a booked unit."""

REGRET = timedelta(minutes=10)
"""For this long after booking, and before it starts, cancelling restores everything; the confirmation waits for it. For as
long a move can be undone."""

UNDO = timedelta(minutes=2)
"""For this long after a cancellation the place stays reserved for an undo. After a move it does not."""


class ChooseHowToPay(DomainError):
    """Staff book what its person would pay first: whether to ask for that, or to put it on the invoice, is theirs to say."""

    code = "choose_how_to_pay"
    status = 409
    message = N_("People pay %(amount)s first for this. Choose whether to ask for it.")


class PayFirstThemselves(DomainError):
    """Someone books for another person what that person must pay before it counts."""

    code = "pay_first_themselves"
    status = 409
    message = N_("This must be paid before it counts. Ask the team to book it for %(name)s.")


Cause = Literal["asked", "mistake", "closed", "retired", "left", "unpaid"]
"""Why a booking was cancelled: the person ``asked`` (or staff for them), staff had made a ``mistake``, the lieu ``closed``
then, the desk or room was ``retired``, the person ``left``, it was held and remained ``unpaid``."""

DISPLACED: frozenset[Cause] = frozenset({"closed", "retired", "left"})
"""What nobody asked for: free of charge whatever the hour, and the trail says so."""

ROOM_STEP = timedelta(minutes=15)

LONGEST_NIGHT = timedelta(hours=24)
"""What goes over midnight is no longer than this, and touches two local dates at most."""


class InPast(DomainError):
    code = "in_past"
    status = 422
    message = N_("This time is over. Choose a later one.")
    field = "starts_at"


class BeyondHorizon(DomainError):
    code = "beyond_horizon"
    status = 422
    message = N_("Bookings are open until %(last)s.")
    field = "starts_at"


class NotOnOneDay(DomainError):
    code = "not_on_one_day"
    status = 422
    message = N_("A booking stays within one day. Book each day by itself.")
    field = "ends_at"


class OffStep(DomainError):
    code = "off_step"
    status = 422
    message = N_("Rooms are booked by quarters of an hour: 9:00, 9:15, 9:30…")
    field = "starts_at"


class NotInService(DomainError):
    code = "not_in_service"
    status = 422
    message = N_("%(name)s cannot be booked on that day.")
    field = "resource_id"


class TooMany(DomainError):
    code = "too_many"
    status = 422
    message = N_("%(name)s seats %(seats)s, including the person who books.")
    field = "guests"


class NothingFree(DomainError):
    code = "claim_conflict"
    status = 409
    message = N_("Nothing is free at that time.")


class AlreadyBooked(DomainError):
    """One person takes one desk and one room at a time, unless staff say otherwise."""

    code = "already_booked"
    status = 409
    message = N_("There is already a desk for that time: %(name)s.")


class AlreadyInRoom(AlreadyBooked):
    message = N_("There is already a room for that time: %(name)s.")


class OnePlaceEach(DomainError):
    code = "one_place_each"
    status = 422
    message = N_("One person takes one desk and one room at a time. The host can book more of them for guests.")
    field = "items"


class NoHalfDay(DomainError):
    code = "no_half_day"
    status = 422
    message = N_("Choose the morning, the afternoon or the whole day.")
    field = "halves"


class AlreadyOver(DomainError):
    code = "already_over"
    status = 409
    message = N_("This booking is over: it can no longer be changed.")


class AlreadyStarted(DomainError):
    code = "already_started"
    status = 409
    message = N_("This booking has begun. The host can end it.")


class NotBegun(DomainError):
    code = "not_begun"
    status = 409
    message = N_("This booking has not begun: cancel it instead.")


class HalfDayStays(DomainError):
    code = "half_day_stays"
    status = 409
    message = N_("A desk is booked by the half-day and is not ended before: say that the person has left.")


class LateMove(DomainError):
    code = "late_move"
    status = 409
    message = N_("It is too late to cancel that time free of charge: it can only move within its day, no shorter.")


class CheaperLateMove(LateMove):
    message = N_("It is too late to cancel that time free of charge: it can only move to a place that costs no less.")


class CheaperLatePayer(LateMove):
    message = N_("It is too late to cancel it free of charge: another payer may not pay less.")


class PaidFirstHere(DomainError):
    """What one pays for oneself is paid before it counts; a booking that counts cannot go back to waiting."""

    code = "paid_first_here"
    status = 409
    message = N_(
        "Here one pays before the booking counts. Cancel this one, then book it again and pay for it yourself."
    )


class UndoTooLate(DomainError):
    code = "undo_too_late"
    status = 409
    message = N_("Too much time has passed and the place may have gone to someone else. Book it again.")


class MoveUndoTooLate(UndoTooLate):
    message = N_("Too much time has passed to undo the move. Move the booking once more.")


class FormerPlaceTaken(ClaimConflict):
    """Undoing a move: what was left has gone to someone else."""

    message = N_("%(name)s has gone to someone else meanwhile. The booking stays where it is now.")


class SeveralPlaces(DomainError):
    code = "several_places"
    status = 409
    message = N_("This booking holds several places together: cancel it and book the others.")


class CancelledBooking(DomainError):
    code = "booking_cancelled"
    status = 409
    message = N_("This booking was cancelled.")


class HeldBooking(DomainError):
    """What waits to be paid can be paid or cancelled, and nothing else."""

    code = "booking_held"
    status = 409
    message = N_("This booking is not paid yet. Pay for it or cancel it first.")


class PaidAhead(DomainError):
    """It was paid before it counted: another price would have to be paid or given back."""

    code = "booking_paid_ahead"
    status = 409
    message = N_("This booking is paid, and the other place or time has another price. Cancel it and book anew.")


@dataclass(frozen=True, slots=True)
class BookableHalf:
    """One half of a local day: its open time from first opening to last closing."""

    day: date
    half: Half
    span: Span


def bookable_halves(on: date, day: OpenDay) -> dict[Half, BookableHalf]:
    """The halves of local date ``on`` that are open at all, by name."""
    spans = half_spans(day)
    return {
        half: BookableHalf(on, half, Span(spans[half][0].start, spans[half][-1].end)) for half in HALVES if spans[half]
    }


def touched(halves: dict[Half, BookableHalf], span: Span) -> tuple[BookableHalf, ...]:
    """The half-days that ``span`` touches: a desk is taken by whole half-days."""
    return tuple(halves[half] for half in HALVES if half in halves and halves[half].span.overlaps(span))


def still_fits(days: Sequence[OpenDay], on: date, half: Half | str | None, use: Span) -> bool:
    """Whether what was booked still stands on ``days`` whose opening changed, the first of them ``on``: a desk while the
    lieu is open for at least half of its ``use``, a room while it is for the whole of it (``half`` None)."""
    remaining = intersect(union(span for day in days for span in day.open()), [use])
    if half is None:
        return remaining == [use]
    return half in bookable_halves(on, days[0]) and 2 * total_minutes(remaining) >= use.minutes


def check_open_over(first: OpenDay, second: OpenDay, midnight: datetime, asked: Span) -> None:
    """Raise unless the lieu is open for the whole of ``asked``, from the day ``first`` over ``midnight`` into ``second``.

    A closure or holiday of either says so; where the lieu simply closes at night, nothing is booked over it.
    """
    parts = [(first, Span(asked.start, midnight)), (second, Span(midnight, asked.end))]
    closed = [(day, part) for day, part in parts if intersect(union(day.open()), [part]) != [part]]
    for day, _part in closed:
        if day.holiday or day.closure:
            refuse_closed(day)
    if not all(_open_at(day, midnight) for day in (first, second)):
        raise NotOnOneDay()
    for day, part in closed:
        check_open(day, part)


def _open_at(day: OpenDay, midnight: datetime) -> bool:
    """Whether ``day`` is open until ``midnight``, or from it on."""
    return any(midnight in (span.start, span.end) for span in day.open())


def check_window(span: Span, *, at: datetime, horizon_days: int, zone: ZoneInfo) -> date:
    """Refuse what is past, beyond the horizon or over midnight for too long; return the local date it begins on.

    What has begun but is not over may still be booked. What goes over midnight is a matter of what is booked
    (`check_open_over`).
    """
    day, last_day = local_date(span.start, zone), local_date(span.end - timedelta(microseconds=1), zone)
    if last_day != day and (span.end - span.start > LONGEST_NIGHT or last_day > day + timedelta(days=1)):
        raise NotOnOneDay()  # 24 hours touch three dates where the second one has 23
    if span.end <= at:
        raise InPast()
    last = local_date(at, zone) + timedelta(days=horizon_days)
    if last_day > last:
        raise BeyondHorizon(last=last)
    return day


def check_room_span(span: Span, *, at: datetime, zone: ZoneInfo) -> None:
    """Refuse what is off the quarter hour, too long, or began more than a quarter of an hour ago."""
    if any(
        instant.astimezone(zone).minute % 15 or instant.second or instant.microsecond
        for instant in (span.start, span.end)
    ):
        raise OffStep()
    if span.start < at - ROOM_STEP:
        raise InPast()


@dataclass(frozen=True, slots=True)
class Desk:
    """A free desk as the choice sees it. ``other_half_free``: taking one half of it would break up a free day."""

    id: int
    zone_id: int
    position: int
    other_half_free: bool


def choose_desk(
    free: Collection[Desk],
    *,
    kept: Collection[int] = (),
    adjoining: Collection[int],
    usual: int | None,
    preferred_zone: int | None,
) -> Desk | None:
    """The desk to give: the one just cancelled, then the adjoining half-day's, then the usual one, then the preferred zone,
    then the least break-up."""
    return min(
        free,
        key=lambda desk: (
            desk.id not in kept,
            desk.id not in adjoining,
            desk.id != usual,
            preferred_zone is not None and desk.zone_id != preferred_zone,
            desk.other_half_free,
            desk.position,
            desk.id,
        ),
        default=None,
    )


def deadline_of(starts_at: datetime, *, free_cancel_minute: int, zone: ZoneInfo) -> datetime:
    """When cancelling stops being free of charge for what was booked long before: a minute of the day before the use."""
    return local_minute(local_date(starts_at, zone) - timedelta(days=1), free_cancel_minute, zone)


def cancel_free_until(
    starts_at: datetime, created_at: datetime, *, free_cancel_minute: int, zone: ZoneInfo
) -> datetime:
    """Until when one may cancel free of charge: the deadline of the day before, or ten minutes after booking while it
    has not begun. Every screen, e-mail and refusal asks this."""
    deadline = deadline_of(starts_at, free_cancel_minute=free_cancel_minute, zone=zone)
    return max(deadline, min(created_at + REGRET, starts_at))


def is_late(
    *, starts_at: datetime, created_at: datetime, at: datetime, free_cancel_minute: int, zone: ZoneInfo
) -> bool:
    """Whether cancelling at ``at`` comes too late to be free of charge."""
    return at >= cancel_free_until(starts_at, created_at, free_cancel_minute=free_cancel_minute, zone=zone)


def move_undo_until(moved_at: datetime, former_end: datetime) -> datetime:
    """Until when a move can be undone: ten minutes, while the time it left is not over."""
    return min(moved_at + REGRET, former_end)


def reminder_minute(free_cancel_minute: int) -> int:
    """The local minute of the day before at which the reminder leaves.

    An hour before cancelling stops being free, so that whoever reads that tomorrow will not do can still say so; at five
    in the afternoon where that is later, and never before eight in the morning.
    """
    return max(8 * 60, min(17 * 60, free_cancel_minute - 60))


def check_late_move(day: date, minutes: int, new_day: date, new_minutes: int) -> None:
    """Once cancelling is no longer free, a booking stays on its day and gets no shorter; raises `LateMove`.

    Otherwise moving away would be a way of cancelling late for nothing.
    """
    if new_day != day or new_minutes < minutes:
        raise LateMove()


def is_paid_first(asked: Collection[str], *, has_plan: bool) -> bool:
    """Whether one of the lieu's rules (``nobody``, ``no_plan``, ``everyone``) asks who ``has_plan`` to pay first."""
    return "everyone" in asked or ("no_plan" in asked and not has_plan)
