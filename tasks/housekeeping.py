"""Forgetting what nobody will ask for again."""

from __future__ import annotations

from coworking.accounts import devices, throttle
from coworking.core import idempotency, security
from tasks.app import celery


@celery.task(name="housekeeping.purge")
def purge() -> int:
    """Forget idempotency keys, attempts, devices and security events that are old enough; return how many rows."""
    return idempotency.purge() + throttle.purge() + devices.purge() + security.purge()
