"""Ending what is in use before its time: a meeting that is over at twenty past."""

from __future__ import annotations

from datetime import datetime, timedelta

from coworking.booking import queries
from coworking.booking.models import Booking
from coworking.booking.rules import AlreadyOver, CancelledBooking, HalfDayStays, HeldBooking, NotBegun
from coworking.claims import services as claims
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.policy import Actor
from coworking.core.units import require_unit

_MINUTE = timedelta(minutes=1)


def end(actor: Actor, booking: Booking, *, keep: datetime | None = None) -> bool:
    """End a running booking of rooms now, in the open unit; False when it was over already.

    Its units and claims end at this minute, the time for tidying up follows; what was booked stays owed, as the quotes
    say. It keeps at least its first minute, and the minute of ``keep`` (an arrival just now).
    """
    require_unit()
    instant = now().replace(second=0, microsecond=0)
    if booking.is_cancelled:
        raise CancelledBooking()
    if booking.is_held:
        raise HeldBooking()
    if booking.starts_at > now():
        raise NotBegun()
    if any(unit.half is not None for unit in booking.units):
        raise HalfDayStays()
    at = max(instant, booking.starts_at + _MINUTE)
    if keep is not None and keep >= at:
        at = keep.replace(second=0, microsecond=0) + _MINUTE
    if booking.ends_at <= at:
        return False
    was = booking.ends_at
    held = queries.live_claims(booking.id)
    claims.lock_resources({claim.resource_id for claim in held})
    claims.end_early(held, at)
    for unit in booking.units:
        unit.ends_at = min(unit.ends_at, at)
    booking.ends_at = at
    if actor.needs_audit:
        details = {"was": was.isoformat(), "now": at.isoformat()}
        audit.record(actor, "booking.ended", ("booking", booking.id), person_id=booking.person_id, **details)
    return True


def resume(actor: Actor, booking: Booking) -> None:
    """Let a booking that was ended early last until its time again; `ClaimConflict` where its place has gone."""
    require_unit()
    if booking.is_cancelled:
        raise CancelledBooking()
    if booking.is_held:
        raise HeldBooking()
    until = max((unit.quote.ends_at for unit in booking.units if unit.quote is not None), default=booking.ends_at)
    if until <= now():
        raise AlreadyOver()
    if booking.ends_at >= until:
        return
    held = queries.live_claims(booking.id)
    claims.lock_resources({claim.resource_id for claim in held})
    claims.extend(held, until)
    for unit in booking.units:
        unit.ends_at = until if unit.quote is None else unit.quote.ends_at
    booking.ends_at = until
    if actor.needs_audit:
        audit.record(actor, "booking.resumed", ("booking", booking.id), person_id=booking.person_id)
