"""Update what depends on presences, inside the open unit: outcomes of booked units, and desks of walk-ins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import bindparam, select

from coworking.accounts.models import Person
from coworking.booking.cancelling import cancel_in_unit
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.outcomes import decide_outcomes, followed_by
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import AlreadyBooked, BookableHalf, NothingFree
from coworking.booking.services import book_in_unit
from coworking.claims import services as claims
from coworking.claims.rules import ClaimConflict
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.timespan import local_minute
from coworking.core.units import require_unit
from coworking.membership.agreement_rules import AgreementExhausted
from coworking.membership.entitlement import Payer
from coworking.presence import queries
from coworking.presence.rules import verdict
from coworking.residents import queries as residents
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK

_UNITS_OF_DAY = (  # built once: every arrival and departure asks it
    select(BookingUnit)
    .join(Booking)
    .where(
        Booking.person_id == bindparam("person"),
        Booking.status == "confirmed",
        BookingUnit.day >= bindparam("evening"),
        BookingUnit.day <= bindparam("day"),
        BookingUnit.ends_at > bindparam("midnight"),
    )
    .order_by(BookingUnit.starts_at)
)


def units_booked_on(person_id: int, day: date) -> list[BookingUnit]:
    """What ``person_id`` has booked on ``day`` and not cancelled, by time; what began the evening before and goes on too."""
    midnight = local_minute(day, 0, spaces.lieu().tz)
    values = {"person": person_id, "evening": day - timedelta(days=1), "day": day, "midnight": midnight}
    return list(db.session.scalars(_UNITS_OF_DAY, values))


@followed_by
def follow(person_id: int, day: date, *, told_whole: bool = False) -> int:
    """Let each unit of the person's day say what their presences say; return how many changed.

    The caller holds the person's lock. ``told_whole``: somebody has just told of the whole day, however late. A unit that
    goes over midnight hears of both its days, and both are told of it.
    """
    require_unit()
    db.session.flush()
    instant, changed, touched = now(), 0, {day}
    rows = queries.presences_of(person_id, day - timedelta(days=1), day + timedelta(days=1))
    for unit in units_booked_on(person_id, day):
        dates = spaces.dates_of(unit.span)
        visits = [
            replace(visit, seen=True) if told_whole and row.day == day else visit
            for row in rows
            if row.day in dates
            for visit in [queries.visit_of(row)]
        ]
        outcome, evidence = verdict(unit.span, unit.outcome, unit.evidence, visits, instant)
        changed += len(decide_outcomes([unit], outcome, evidence, instant))
        touched |= {*dates}
    if len(touched) > 1:
        claims.touch(*touched)
    return changed


def walk_in(actor: Actor, person: Person, half: BookableHalf, *, agreed_cents: int | None = None) -> Booking | None:
    """A free desk for ``half``, which may be over; None when the lieu is full or has no desks.

    Raises `PriceChanged` where the person would owe something else than ``agreed_cents``.
    Whoever has an assigned place sits there and needs none. Nobody is turned away at the door for money: where the
    employer's agreement refuses more, the person pays.
    """
    if residents.sits_somewhere(person.id, half.day):
        return None
    request = Request(
        span=half.span,
        items=(RequestedItem(kind=DESK),),
        person=person.public_id,
        source="walkin",
        agreed_cents=agreed_cents,
    )
    payers: tuple[Payer | None, ...] = (None, "me")
    for payer in payers:
        try:
            with db.session.begin_nested():
                return book_in_unit(actor, replace(request, payer=payer), even_if_over=True)
        except AgreementExhausted:
            continue
        except (NothingFree, ClaimConflict, AlreadyBooked):
            break
    return None


def forget_walk_ins(actor: Actor, person_id: int, day: date) -> None:
    """Cancel the walk-in's desks of ``day`` that no presence of the person explains any more; nothing is owed for them."""
    visits = queries.visits(person_id, day)
    for booking in {unit.booking.id: unit.booking for unit in units_booked_on(person_id, day)}.values():
        if booking.source == "walkin" and not any(visit.touches(booking.span) for visit in visits):
            forget(actor, booking)


def forget(actor: Actor, booking: Booking) -> None:
    """Cancel a walk-in's desk that nobody used: it is free at once and nothing is owed."""
    cancel_in_unit(actor, booking, "mistake", keep_place=False)
