"""What becomes of booked half-days that nobody confirms."""

from __future__ import annotations

from coworking.presence import services as presence
from tasks.app import celery


@celery.task(name="presence.expire_unconfirmed")
def expire_unconfirmed() -> int:
    """Let what nobody confirmed within its seven days be unknown for good; return how many units."""
    return presence.expire_unconfirmed()
