"""Periodic work on bookings: reminders."""

from __future__ import annotations

from coworking.booking import reminders
from tasks.app import celery


@celery.task(name="booking.reminders")
def send_reminders() -> int:
    """Enqueue the reminders that are due at the lieu's own evening; return how many."""
    return reminders.send_due()
