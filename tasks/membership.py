"""Periodic work on allowances: holds of past days are consumed."""

from __future__ import annotations

from coworking.membership import coverage
from tasks.app import celery


@celery.task(name="membership.consume_past")
def consume_past() -> int:
    """Write down as consumed the half-days of days that are over; return how many."""
    return coverage.consume_past()
