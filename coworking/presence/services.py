"""Coming and leaving: « Je suis là », the host's taps, the next morning's two questions.

A presence is what happened; each booked unit's outcome follows from it. Without a departure, a presence lasts to the end
of what was booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import bindparam, select

from coworking.accounts.models import Person
from coworking.booking import queries as bookings
from coworking.booking.access import for_whom, own_booking
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.outcomes import CAME, PENDING, decide, let_expire
from coworking.booking.placing import Item, Request
from coworking.booking.rules import AlreadyBooked, CancelledBooking, NothingFree, half_days
from coworking.booking.services import Newcomer, book_in_unit
from coworking.claims import services as claims
from coworking.claims.rules import ClaimConflict
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import SYSTEM, Actor
from coworking.core.timespan import local_date
from coworking.core.units import locked, write_unit
from coworking.membership import coverage
from coworking.membership.rules import AgreementExhausted, Payer
from coworking.presence import queries
from coworking.presence.models import Presence
from coworking.presence.rules import (
    CONFIRMABLE,
    EARLY,
    ArrivalStands,
    CannotSettle,
    ClosedNow,
    NotToday,
    arrival_marks,
)
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an arrival came to: the presence, its booking, and whether a walk-in found no desk."""

    presence: Presence
    booking: Booking | None
    walked_in: bool = False


def arrive(
    actor: Actor, *, person: str | None = None, evidence: str | None = None, newcomer: Newcomer | None = None
) -> Arrival:
    """Someone is here: the actor (« Je suis là »), or as staff anyone (``person``: public id). Twice is fine.

    ``newcomer`` adds the person in the same unit.

    Today's booked units that are not over are marked as come. Without a booking, a free desk is taken for the half-day
    of arrival; where none is free, the presence alone is recorded: nobody is turned away at the door.
    """
    with write_unit() as unit:
        who = for_whom(actor, person if newcomer is None else newcomer())
        arrival = _arrive(actor, who, evidence or _evidence(actor, who))
        unit.result = arrival.presence.public_id
    return arrival


def check_in(actor: Actor, booking_id: str, *, evidence: str | None = None) -> Arrival:
    """The person of this booking is here (today, while it is not cancelled)."""
    with write_unit() as unit:
        booking = own_booking(actor, booking_id)
        if booking.is_cancelled:
            raise CancelledBooking()
        if booking.day != spaces.today():
            raise NotToday()
        arrival = _arrive(actor, booking.person, evidence or _evidence(actor, booking.person), booking)
        unit.result = booking.public_id
    return arrival


def leave(actor: Actor, *, person: str | None = None) -> Presence | None:
    """Someone leaves; None when nobody knew they were here. A half-day that has not begun yet is open again."""
    with write_unit():
        who = for_whom(actor, person)
        instant = now()
        presence = queries.open_presence(who.id, spaces.today())
        if presence is None:
            return None
        presence.left_at = max(instant, presence.arrived_at)
        to_come = [unit for unit in _units_today(who.id, presence.day) if unit.starts_at >= instant]
        decide((unit for unit in to_come if unit.outcome == CAME), PENDING, None, instant)
        _audit(actor, "presence.left", presence)
        claims.touch(presence.day)
    return presence


def undo_arrival(actor: Actor, presence_id: str) -> None:
    """Staff tapped the wrong name: forget the presence and what followed from it (a walk-in's desk too).

    On the day itself; raises `ArrivalStands` afterwards, when it was counted and its walk-in is owed.
    """
    if not actor.is_staff:
        raise NotFound()
    with write_unit():
        whose = select(Presence.person_id).where(Presence.public_id == presence_id).scalar_subquery()
        db.session.scalars(locked(select(Person).where(Person.id == whose))).unique().one_or_none()
        presence = db.session.scalar(select(Presence).where(Presence.public_id == presence_id))
        if presence is None:
            raise NotFound()
        if presence.day != spaces.today():
            raise ArrivalStands()
        came = [unit for unit in _units_today(presence.person_id, presence.day) if unit.outcome == CAME]
        decide(came, PENDING, None, now())
        booking = presence.booking
        if booking is not None and booking.source == "walkin" and not booking.is_cancelled:
            booking.status, booking.cancelled_at, booking.cancelled_by_id = (
                "cancelled",
                now(),
                actor.person_id,
            )
            claims.release(bookings.live_claims(booking.id))
            coverage.release(bookings.quotes_of(booking.id))
        _audit(actor, "presence.undone", presence)
        db.session.delete(presence)
        claims.touch(presence.day)


def settle(actor: Actor, unit_ids: Sequence[int], outcome: str) -> int:
    """The host says of booked units whether the people came (``came``, ``absent``); return how many changed."""
    if not actor.is_staff:
        raise NotFound()
    with write_unit():
        instant = now()
        units = db.session.scalars(
            locked(select(BookingUnit).where(BookingUnit.id.in_(unit_ids)).order_by(BookingUnit.id))
        ).all()
        if len(units) != len(set(unit_ids)) or outcome not in {"came", "absent"}:
            raise NotFound()
        changed = 0
        for unit in units:
            if unit.booking.is_cancelled or unit.starts_at > instant:
                raise CannotSettle()
            if unit.outcome == outcome:
                continue
            changed += 1
            was = unit.outcome
            decide([unit], outcome, "host", instant)
            if outcome == CAME:
                _remember_presence(actor, unit)
            audit.record(
                actor,
                "unit.settled",
                ("booking_unit", unit.id),
                person_id=unit.booking.person_id,
                was=was,
                now=outcome,
            )
        claims.touch(*{unit.day for unit in units})
    return changed


def expire_unconfirmed() -> int:
    """Booked units that nobody confirmed for seven days are unknown for good; return how many."""
    last = local_date(now() - CONFIRMABLE, spaces.lieu().tz)
    with write_unit():
        return let_expire(last, now())


# Within the unit ------------------------------------------------------------------------------------------------------


def _arrive(actor: Actor, person: Person, evidence: str, given: Booking | None = None) -> Arrival:
    instant = now()
    today = local_date(instant, spaces.lieu().tz)
    day = spaces.day(today)
    open_now = any(span.start - EARLY <= instant < span.end for span in day.open())
    if not open_now and not actor.is_staff:
        raise ClosedNow()
    units = [unit for unit in _units_today(person.id, today) if arrival_marks(unit.span, instant)]
    booking = given or (units[0].booking if units else None)
    presence = queries.open_presence(person.id, today)
    walked_in = False
    if presence is None:
        if booking is None and open_now:
            booking = _walk_in(actor, person, day, instant)
            walked_in = booking is not None
            units = list(booking.units) if booking is not None else []
        presence = Presence(
            person=person,
            booking=booking,
            day=today,
            arrived_at=instant,
            evidence=evidence,
            recorded_by_id=actor.person_id,
        )
        db.session.add(presence)
        db.session.flush()
        _audit(actor, "presence.arrived", presence)
    decide(units, CAME, evidence, instant)
    claims.touch(today)
    return Arrival(presence, booking, walked_in)


def _walk_in(actor: Actor, person: Person, day: LieuDay, instant: datetime) -> Booking | None:
    """A free desk for the half-day of arrival, or None when the lieu is full or has no desks.

    Nobody is turned away at the door for money: where the employer's agreement refuses more, the person pays.
    """
    halves = half_days(day.day, day).values()
    half = next((half for half in halves if half.span.end > instant), None)
    if half is None:
        return None
    request = Request(span=half.span, items=(Item(kind=DESK),), person=person.public_id, source="walkin")
    payers: tuple[Payer | None, ...] = (None, "me")
    for payer in payers:
        try:
            with db.session.begin_nested():
                return book_in_unit(actor, replace(request, payer=payer))
        except AgreementExhausted:
            continue
        except (NothingFree, ClaimConflict, AlreadyBooked):
            break
    return None


_UNITS_OF_DAY = (  # built once: every arrival and departure asks it
    select(BookingUnit)
    .join(Booking)
    .where(Booking.person_id == bindparam("person"), Booking.status == "confirmed", BookingUnit.day == bindparam("day"))
    .order_by(BookingUnit.starts_at)
)


def _units_today(person_id: int, day: date) -> list[BookingUnit]:
    return list(db.session.scalars(_UNITS_OF_DAY, {"person": person_id, "day": day}))


def _remember_presence(actor: Actor, unit: BookingUnit) -> None:
    """The host says that someone came: keep it as a presence of that time unless one is there."""
    booking = unit.booking
    known = db.session.scalar(
        select(Presence.id).where(
            Presence.person_id == booking.person_id,
            Presence.day == unit.day,
            Presence.arrived_at < unit.ends_at,
        )
    )
    if known is None:
        db.session.add(
            Presence(
                person_id=booking.person_id,
                booking_id=booking.id,
                day=unit.day,
                arrived_at=unit.starts_at,
                left_at=unit.ends_at,
                evidence="host",
                recorded_by_id=actor.person_id,
            )
        )


def _evidence(actor: Actor, person: Person) -> str:
    return "self" if actor.person_id == person.id else "host"


def _audit(actor: Actor, action: str, presence: Presence) -> None:
    if actor != SYSTEM and actor.person_id != presence.person_id:
        audit.record(actor, action, ("presence", presence.id), person_id=presence.person_id)
