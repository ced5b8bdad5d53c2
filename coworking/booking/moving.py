"""Moving a booking to another place or time, and undoing that. Runs inside the unit of the use case that moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from coworking.booking import day_rates, emails, queries
from coworking.booking.access import record_change
from coworking.booking.former import Former, FormerUnit, former_of, keep_former
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.outcomes import carry, follow_again
from coworking.booking.placing import Chosen, Find, Request, RequestedItem, check_still_there, choose, units_of, uses_of
from coworking.booking.rules import (
    AlreadyOver,
    AlreadyStarted,
    CancelledBooking,
    CheaperLateMove,
    FormerPlaceTaken,
    HeldBooking,
    MoveUndoTooLate,
    PaidAhead,
    SeveralPlaces,
    check_late_move,
    check_window,
)
from coworking.claims import queries as claim_queries
from coworking.claims import services as claims
from coworking.claims.models import Claim
from coworking.claims.rules import ClaimConflict, Wanted
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.money import Cents
from coworking.core.policy import Actor
from coworking.core.timespan import Span
from coworking.membership import coverage
from coworking.membership.entitlement import PriceChanged, UndoChangesPrice, check_agreed, check_same, owed
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the person was told a move comes to: ``cents`` they owe and what it takes of their plan and packs (None: not
    told).

    ``same``: that it costs what it cost. Without any of these they were told nothing (staff, programs).
    """

    cents: int | None = None
    taken: int | None = None
    same: bool = False


TOLD_NOTHING = Agreed()


def check_movable(actor: Actor, booking: Booking, instant: datetime) -> None:
    """Raise what keeps ``actor`` from moving ``booking`` at ``instant``, wherever to."""
    if booking.is_cancelled:
        raise CancelledBooking()
    if booking.is_held:
        raise HeldBooking()
    if booking.ends_at <= instant:
        raise AlreadyOver()
    if booking.starts_at <= instant and not actor.is_staff:
        raise AlreadyStarted()


def destination(
    actor: Actor, booking: Booking, span: Span, resource: str | None, *, find: Find = claims.lock_candidates
) -> tuple[date, Chosen]:
    """The day and what ``booking`` would take there; raises what forbids the move. ``find``: see `placing.choose`."""
    instant, lieu = now(), spaces.lieu()
    check_movable(actor, booking, instant)
    units = booking.units
    day = check_window(span, at=instant, horizon_days=lieu.horizon_days, zone=lieu.tz)
    if len({unit.resource_id for unit in units}) > 1:
        raise SeveralPlaces()
    request = Request(
        span=span, items=(RequestedItem(resource=resource, kind=units[0].resource.kind),), guests=booking.guests
    )
    (chosen,) = choose(request, booking.person, lieu, day, instant, leaving=booking, find=find)
    if moves_late(actor, booking):
        target, use, halves = chosen
        minutes = sum(use.span.minutes for use in uses_of(units_of(target, use, halves, day)))
        check_late_move(booking.day, sum(unit.span.minutes for unit in units), day, minutes)
    return day, chosen


def moves_late(actor: Actor, booking: Booking) -> bool:
    """Whether moving ``booking`` must be no way of cancelling it: too late to be free of charge, and not asked by staff."""
    return not actor.is_staff and now() >= queries.free_until_of(booking, spaces.lieu())


def move_in_unit(actor: Actor, booking: Booking, span: Span, resource: str | None, agreed: Agreed) -> Booking:
    """Move ``booking``, whose person and row the caller has locked; nothing is done where it stays where it is."""
    if span == booking.span and resource in (None, *(unit.resource.public_id for unit in booking.units)):
        check_movable(actor, booking, now())
        return booking
    day, (target, use, halves) = destination(actor, booking, span, resource)
    if use == booking.span and {target.id} == {unit.resource_id for unit in booking.units}:
        return booking  # the same half-days, asked for by other hours
    old_day, old_units, held = booking.day, list(booking.units), queries.live_claims(booking.id)
    dates = spaces.dates_of(booking.span)
    old_quotes = queries.quotes_of(booking.id)
    keep_former(booking, old_units, held, now())
    _leave(booking, held, old_quotes)
    booking.units = units_of(target, use, halves, day)
    if day == old_day:
        carry(old_units, booking.units)
    decided = coverage.decisions(
        booking.person_id, coverage.payer_of(old_quotes) if old_quotes else None, uses_of(booking.units)
    )
    was = coverage.owed_by(old_quotes)
    if moves_late(actor, booking) and owed(decided).is_less_than(was):
        raise CheaperLateMove()
    if booking.sale_id is not None and owed(decided) != was:
        raise PaidAhead()
    others = day_rates.dearer_units(booking.person_id, old_quotes, decided) if day_rates.binds(actor, booking) else []
    if agreed.same:
        check_same(decided, was)
        if others:  # the person was told of no other price, of this booking or of another
            raise PriceChanged(amount=Cents(owed(decided).cents))
    check_agreed(decided, agreed.cents, agreed.taken)
    for unit, quote in zip(booking.units, coverage.write(booking.person_id, decided), strict=True):
        unit.quote = quote
    day_rates.price_alone(others)
    booking.day, booking.starts_at, booking.ends_at = day, use.start, use.end
    claims.take([Wanted(target.id, use, target.buffer_after)], holder=("booking", booking.id))
    if day != old_day:
        follow_again(booking)
    record_change(actor, "booking.moved", booking)
    emails.note(booking)
    claims.touch(*dates, *spaces.dates_of(use))
    return booking


def undo_move_in_unit(actor: Actor, booking: Booking) -> Booking:
    """Give ``booking`` back the place, time and price it had before its last move; nothing where that is undone already."""
    former = former_of(booking)
    if former is None:
        return booking
    check_movable(actor, booking, now())
    if former.why is not None or now() >= former.undo_until:
        raise MoveUndoTooLate()
    resources = claims.lock_resources({unit.resource_id for unit in former.units})
    present = list(booking.units)
    units = [_unit_again(unit, resources[unit.resource_id]) for unit in former.units]
    check_still_there(booking, resources, units, leaving=booking)
    kept = queries.claims_by_id(former.claim_ids)
    _check_free(booking, kept, resources)
    leaving = queries.quotes_of(booking.id)
    if day_rates.dearer_units(booking.person_id, leaving):
        raise UndoChangesPrice()
    _leave(booking, queries.live_claims(booking.id), leaving)
    _owe_again(units, former)
    booking.units = units
    if former.day == booking.day:
        carry(present, units)
    days, dates = (booking.day, former.day), (*spaces.dates_of(booking.span), *spaces.dates_of(former.span))
    booking.day, booking.starts_at, booking.ends_at = former.day, former.span.start, former.span.end
    booking.moved_from = None
    try:
        claims.take_again(kept)
    except ClaimConflict as conflict:
        raise FormerPlaceTaken(name=former.what) from conflict
    if len(set(days)) > 1:
        follow_again(booking)
    record_change(actor, "booking.move_undone", booking)
    emails.note(booking)
    claims.touch(*dates)
    return booking


# Within the unit ------------------------------------------------------------------------------------------------------


def _leave(booking: Booking, held: Sequence[Claim], quotes: Sequence[Quote]) -> None:
    """Release the booking's claims at once, its units and its quotes."""
    claims.release(held)
    coverage.release(quotes)
    for unit in list(booking.units):
        db.session.delete(unit)
    db.session.flush()


def _unit_again(former: FormerUnit, resource: Resource) -> BookingUnit:
    return BookingUnit(
        resource_id=resource.id,
        resource=resource,
        day=former.day,
        half=former.half,
        starts_at=former.span.start,
        ends_at=former.span.end,
        outcome=former.outcome,
        evidence=former.evidence,
        decided_at=former.decided_at,
    )


def _check_free(booking: Booking, kept: Sequence[Claim], resources: Mapping[int, Resource]) -> None:
    """Raise `FormerPlaceTaken` where anyone else has what the released claims ``kept`` held."""
    for claim in kept:
        for _resource, _span, kind, holder in claim_queries.taken([claim.resource_id], claim.guarded, now()):
            if (kind, holder) != ("booking", booking.id):
                raise FormerPlaceTaken(name=resources[claim.resource_id].name)


def _owe_again(units: Sequence[BookingUnit], former: Former) -> None:
    """Quotes for ``units`` on the terms they had; units older than prices have none."""
    priced = [(unit, was.quote_id) for unit, was in zip(units, former.units, strict=True) if was.quote_id is not None]
    quotes = queries.quotes_by_id([quote_id for _, quote_id in priced])
    again = coverage.restore([quotes[quote_id] for _, quote_id in priced])
    for (unit, _), quote in zip(priced, again, strict=True):
        unit.quote = quote
    day_rates.pair_again(again)
