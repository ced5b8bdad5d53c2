"""What is to be invoiced is gathered as days go by, and issuing is a manager's click; what payers agreed to is collected."""

from __future__ import annotations

from coworking.billing import charges, collecting, crediting_given_up, means, online_looking, reminding
from tasks.app import celery


@celery.task(name="billing.gather")
def gather() -> int:
    """Make the charges of days that are over, of this month and the one before; return how many were new."""
    return charges.gather_recent()


@celery.task(name="billing.credit_given_up")
def credit_given_up() -> int:
    """Credit what was paid at the door and given up, once its day is over; return how many were credited."""
    return crediting_given_up.credit_given_up()


@celery.task(name="billing.collect")
def collect() -> int:
    """Announce and collect what is due from saved cards and accounts; return how many charges were asked for."""
    means.warn_expiring()
    return collecting.collect_due()


@celery.task(name="billing.reconcile")
def reconcile() -> int:
    """Plan today's look at all that the gateways may not have told; 1 when it was not planned yet."""
    return online_looking.reconcile_daily()


@celery.task(name="billing.remind")
def remind() -> int:
    """Let the reminders leave that are due at the lieu's own morning; return how many."""
    return reminding.send_due()
