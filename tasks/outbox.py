"""Carrying out the outbox."""

from __future__ import annotations

from coworking.core import outbox
from tasks.app import celery


@celery.task(name="outbox.drain")
def drain() -> None:
    """Carry out what is due until nothing is."""
    while outbox.run_due():
        pass
