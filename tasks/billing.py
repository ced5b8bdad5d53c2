"""What is to be invoiced is gathered as days go by; issuing is a manager's click."""

from __future__ import annotations

from coworking.billing import charges
from tasks.app import celery


@celery.task(name="billing.gather")
def gather() -> int:
    """Make the charges of days that are over, of this month and the one before; return how many were new."""
    return charges.gather_recent()
