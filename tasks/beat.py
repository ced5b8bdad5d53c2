"""What ``celery -A tasks.beat beat`` loads: the schedule and the broker, and nothing of the product."""

from __future__ import annotations

from config import Config
from tasks.app import celery, configure

__all__ = ["celery"]

configure(Config.from_env())
