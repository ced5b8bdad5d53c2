"""The trail is signed every minute, days are closed and checked every night, and the chains' heads are sent every week."""

from __future__ import annotations

from coworking.accounting import closings, heads, nightly
from coworking.core import trail
from tasks.app import celery


@celery.task(name="accounting.seal_trail")
def seal_trail() -> int:
    """Sign what bookings and changes wrote since the last look; return how many rows."""
    return trail.seal()


@celery.task(name="accounting.send_heads")
def send_heads() -> int:
    """Enqueue this week's e-mail with the heads for every manager who has none yet; return how many."""
    return heads.send_due()


@celery.task(name="accounting.close")
def close() -> int:
    """Close the takings of each day that is over, where the lieu is liable to VAT; return how many days were closed."""
    return closings.close_due()


@celery.task(name="accounting.audit")
def audit() -> int | None:
    """Run the nightly check when it is due; return how many checks found something, None when it did not run."""
    return nightly.run_due()
