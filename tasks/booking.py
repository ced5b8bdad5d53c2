"""What becomes due around bookings without anyone asking."""

from __future__ import annotations

from coworking.booking import presence, reminders
from coworking.claims import services as claims
from coworking.core.units import end_read
from coworking.spaces import queries
from tasks.app import celery


@celery.task(name="booking.release_expired")
def release_expired() -> None:
    """Give back the holds that have run out."""
    claims.release_expired()


@celery.task(name="booking.morning")
def morning() -> None:
    """Settle what nobody confirmed within its seven days."""
    if queries.lieu_or_none() is None:
        return
    end_read()
    presence.expire_unconfirmed()


@celery.task(name="booking.reminders")
def send_reminders() -> None:
    """Enqueue the reminders that are due at the lieu's own evening."""
    reminders.send_due()
