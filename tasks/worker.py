"""What ``celery -A tasks.worker worker --pool threads`` loads: the product, its tasks, and where they run."""

from __future__ import annotations

import importlib
import logging

from coworking.server.process import loading
from tasks.app import celery

TASKS = (
    "tasks.outbox",
    "tasks.spaces",
    "tasks.claims",
    "tasks.membership",
    "tasks.booking",
    "tasks.residents",
    "tasks.presence",
    "tasks.housekeeping",
    "tasks.billing",
    "tasks.accounting",
    "tasks.statistics",
    "tasks.backup",
)
"""Modules that declare tasks."""

__all__ = ["celery"]

with loading():
    from coworking.app import create_app
    from tasks.waking import connect

    connect(create_app())
    for _name in TASKS:
        importlib.import_module(_name)
for _name in ("celery.worker.strategy", "celery.app.trace"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # a task says itself, once, how it went
