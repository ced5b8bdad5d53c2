"""Let go of what is over its time."""

from __future__ import annotations

from coworking.core import retention
from tasks.app import celery


@celery.task(name="housekeeping.purge")
def purge() -> int:
    """Delete or empty what each package keeps no longer; count rows."""
    return retention.purge_due()
