"""Cancel a booking, whoever cancels it and why. Runs inside the caller's unit.

Until when it is free of charge: `coworking.booking.rules.cancel_free_until`.
"""

from __future__ import annotations

from coworking.booking import day_rates, emails, queries
from coworking.booking.access import record_change
from coworking.booking.models import Booking
from coworking.booking.rules import DISPLACED, UNDO, Cause
from coworking.claims import services as claims
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.policy import Actor
from coworking.core.units import require_unit
from coworking.membership import coverage
from coworking.pricing import sales
from coworking.spaces import queries as spaces


def cancel_in_unit(actor: Actor, booking: Booking, cause: Cause, *, keep_place: bool = True) -> None:
    """Cancel a ``booking``, whose person and row the caller has locked.

    Late cancelling counts as used, and stays owed, only where the person asked for it. ``keep_place``: nobody else gets
    the place for two minutes, so that the cancelling can be undone. What was only held is free at once and owes nothing.
    """
    require_unit()
    instant, held = now(), booking.is_held
    booking.status = "cancelled"
    booking.cancelled_at = instant
    booking.cancelled_by_id = actor.person_id
    booking.cancelled_because = cause
    booking.held_until = None
    booking.cancelled_late = cause == "asked" and not held and instant >= queries.free_until_of(booking, spaces.lieu())
    claims.release(queries.live_claims(booking.id), held_until=instant + UNDO if keep_place and not held else None)
    quotes = queries.quotes_of(booking.id)
    if booking.cancelled_late:
        coverage.keep(quotes)
    else:
        coverage.release(quotes)
        if cause == "asked":
            day_rates.price_alone(day_rates.dearer_units(booking.person_id, quotes))
    if held:
        sales.give_up("booking", booking.id)
    else:
        emails.note(booking)
        if booking.sale_id is not None:
            sales.changed("booking", booking.id, after=UNDO)
    if cause in DISPLACED:
        audit.record(actor, "booking.displaced", ("booking", booking.id), person_id=booking.person_id, why=cause)
    else:
        record_change(actor, "booking.cancelled", booking, late=booking.cancelled_late, why=cause)


def restore_in_unit(booking: Booking) -> None:
    """Make a cancelled or held ``booking`` confirmed; the caller restores its claims and quotes."""
    booking.status = "confirmed"
    booking.held_until = None
    booking.cancelled_at = None
    booking.cancelled_by_id = None
    booking.cancelled_because = None
    booking.cancelled_late = False
    emails.note(booking)
