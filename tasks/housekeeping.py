"""Forgetting what nobody will ask for again."""

from __future__ import annotations

from coworking.accounts import throttle
from coworking.core import idempotency
from tasks.app import celery


@celery.task(name="housekeeping.purge")
def purge() -> int:
    """Forget old idempotency keys and attempts that no longer count; return how many rows."""
    return idempotency.purge() + throttle.purge()
