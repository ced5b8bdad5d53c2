"""Delete expired records."""

from __future__ import annotations

from coworking.accounts import devices, throttle
from coworking.booking import refusals
from coworking.core import idempotency, security
from tasks.app import celery


@celery.task(name="housekeeping.purge")
def purge() -> int:
    """Forget idempotency keys, attempts, devices, security events and whose refused requests were; return how many rows."""
    return idempotency.purge() + throttle.purge() + devices.purge() + security.purge() + refusals.forget_who()
