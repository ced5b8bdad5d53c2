"""The days' facts and the months that close by themselves."""

from __future__ import annotations

from datetime import timedelta

from coworking.spaces import queries as spaces
from coworking.statistics import facts, services
from tasks.app import celery

LOOK_BACK = timedelta(days=62)
"""Days older than this are counted again only when somebody asks for their month."""


@celery.task(name="statistics.count_days")
def count_days() -> int:
    """Count the days that are over and those of the last two months that changed since; return how many."""
    today = spaces.today()
    return facts.refresh(today - LOOK_BACK, today)


@celery.task(name="statistics.close_months")
def close_months() -> int:
    """Close what closes by itself: provisionally on the 5th, for good from the 10th; return how many revisions."""
    return len(services.close_due())
