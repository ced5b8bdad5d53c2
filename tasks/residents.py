"""Periodic work on assigned places: residents are told that theirs ends soon."""

from __future__ import annotations

from coworking.residents import news
from tasks.app import celery


@celery.task(name="residents.warn_of_ending")
def warn_of_ending() -> int:
    """Let residents hear that their desk or office ends soon; return how many e-mails are new."""
    return news.warn_of_ending()
