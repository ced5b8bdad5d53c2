"""Periodic work on allowances: holds of past days are consumed, owners of packs that end soon are told."""

from __future__ import annotations

from coworking.membership import coverage, expiring
from tasks.app import celery


@celery.task(name="membership.consume_past")
def consume_past() -> int:
    """Write down as consumed the half-days of days that are over; return how many."""
    return coverage.consume_past()


@celery.task(name="membership.warn_of_ending")
def warn_of_ending() -> int:
    """Let owners of packs hear that one ends soon; return how many e-mails are new."""
    return expiring.warn_of_ending()
