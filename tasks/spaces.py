"""The lieu's nights."""

from __future__ import annotations

from coworking.core.units import end_read
from coworking.spaces import queries, services
from tasks.app import celery


@celery.task(name="spaces.nightly")
def nightly() -> None:
    """Make the days that have come within the horizon and freeze those that are over, by the lieu's own calendar."""
    if queries.lieu_or_none() is None:
        return
    end_read()
    services.extend_horizon()
    services.freeze_past_days()
