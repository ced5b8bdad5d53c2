"""What ``celery -A tasks.beat beat`` loads: the schedule and the broker, and nothing of the product."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import signals

from config import Config
from tasks.app import celery, configure

__all__ = ["celery"]

configure(Config.from_env())


@signals.beat_init.connect
def _begin_with_everything(sender: Any, **_: Any) -> None:
    """After a start each task is due at once: whatever was missed meanwhile waits no longer than it must."""
    for entry in sender.scheduler.schedule.values():
        entry.last_run_at = datetime(1970, 1, 1, tzinfo=UTC)
