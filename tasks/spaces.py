"""The lieu's days: made ahead of the horizon, frozen once over."""

from __future__ import annotations

from coworking.spaces import calendar
from tasks.app import celery


@celery.task(name="spaces.keep_days")
def keep_days() -> int:
    """Make the days that came within reach and freeze those that are over; return how many of both."""
    return len(calendar.extend_horizon()) + calendar.freeze_past_days()
