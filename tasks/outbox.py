"""Carry out due work of the outbox."""

from __future__ import annotations

from coworking.core import outbox
from tasks.app import celery


@celery.task(name="outbox.drain")
def drain() -> int:
    """Carry out what is due until nothing is; return how many rows were tried."""
    tried = 0
    while batch := outbox.run_due():
        tried += batch
    return tried
