"""Periodic work on booked half-days that nobody confirmed."""

from __future__ import annotations

from coworking.presence import settling
from tasks.app import celery


@celery.task(name="presence.expire_unconfirmed")
def expire_unconfirmed() -> int:
    """Settle what follows from presences; what nobody confirmed within seven days is unknown; return how many of these."""
    return settling.expire_unconfirmed()
