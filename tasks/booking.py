"""What becomes due around bookings without anyone asking."""

from __future__ import annotations

from coworking.booking import presence, reminders
from tasks.app import celery


@celery.task(name="booking.reminders")
def send_reminders() -> int:
    """Enqueue the reminders that are due at the lieu's own evening; return how many."""
    return reminders.send_due()


@celery.task(name="booking.expire_unconfirmed")
def expire_unconfirmed() -> int:
    """Let what nobody confirmed within its seven days be unknown for good; return how many units."""
    return presence.expire_unconfirmed()
