"""Moving a booking to another place or time. Runs inside the unit of the use case that moves."""

from __future__ import annotations

from coworking.booking import emails, queries
from coworking.booking.access import record_change
from coworking.booking.models import Booking
from coworking.booking.outcomes import carry
from coworking.booking.placing import Item, Request, choose, units_of, uses_of
from coworking.booking.rules import (
    AlreadyOver,
    AlreadyStarted,
    CancelledBooking,
    SeveralPlaces,
    check_late_move,
    check_window,
)
from coworking.claims import services as claims
from coworking.claims.rules import Wanted
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.timespan import Span
from coworking.membership import coverage
from coworking.spaces import queries as spaces


def move_in_unit(actor: Actor, booking: Booking, span: Span, resource: str | None) -> Booking:
    instant = now()
    if booking.is_cancelled:
        raise CancelledBooking()
    if booking.ends_at <= instant:
        raise AlreadyOver()
    if booking.starts_at <= instant and not actor.is_staff:
        raise AlreadyStarted()
    lieu = spaces.lieu()
    person = booking.person
    old_day, old_units = booking.day, list(booking.units)
    old_minutes = sum(unit.span.minutes for unit in old_units)
    kind = old_units[0].resource.kind
    day = check_window(span, at=instant, horizon_days=lieu.horizon_days, zone=lieu.tz)
    request = Request(span=span, items=(Item(resource=resource, kind=kind),), guests=booking.guests)
    if resource is None and span == booking.span:
        return booking
    if len({unit.resource_id for unit in old_units}) > 1:
        raise SeveralPlaces()
    chosen = choose(request, person, lieu, day, instant, leaving=booking)
    old_quotes = queries.quotes_of(booking.id)
    claims.release(queries.live_claims(booking.id))
    coverage.release(old_quotes)
    for unit in old_units:
        db.session.delete(unit)
    db.session.flush()
    target, use, halves = chosen[0]
    booking.units = units_of(target, use, halves, day)
    if day == old_day:
        carry(old_units, booking.units)
    if not actor.is_staff and instant >= queries.free_until_of(booking, lieu):
        check_late_move(old_day, old_minutes, day, sum(unit.span.minutes for unit in booking.units))
    decided = coverage.decisions(
        person.id, coverage.payer_of(old_quotes) if old_quotes else None, uses_of(booking.units)
    )
    for unit, quote in zip(booking.units, coverage.write(person.id, decided), strict=True):
        unit.quote = quote
    booking.day, booking.starts_at, booking.ends_at = day, use.start, use.end
    claims.take([Wanted(target.id, use, target.buffer_after)], holder=("booking", booking.id))
    record_change(actor, "booking.moved", booking)
    emails.note(booking)
    claims.touch(old_day, day)
    return booking
