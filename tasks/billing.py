"""What is to be invoiced is gathered as days go by, and issuing is a manager's click; what payers agreed to is collected."""

from __future__ import annotations

from coworking.billing import charges, collecting, means
from tasks.app import celery


@celery.task(name="billing.gather")
def gather() -> int:
    """Make the charges of days that are over, of this month and the one before; return how many were new."""
    return charges.gather_recent()


@celery.task(name="billing.collect")
def collect() -> int:
    """Announce and collect what is due from saved cards and accounts; return how many charges were asked for."""
    means.warn_expiring()
    return collecting.collect_due()
